//! Accounts and invitations in memory.

use std::collections::BTreeMap;

use octroi_policy::{
    id::{AccountId, TenantId, TenantName},
    time::Timestamp,
};

use super::{MemoryStore, World, is_open};
use crate::{
    journal::Draft,
    keyring::sealing::SealingKey,
    store::{
        Conflict, StoreError,
        accounts::{
            Account, AccountChange, AccountCommand, AccountList, AccountPage, AccountStatus,
            AccountStore, Changed, Erased, HashCount, NewAccount,
        },
        invitations::{Invitation, InvitationHash, InvitationIssue, InvitationStore},
        personal_keys::KeyName,
        sessions::EndCause,
    },
};

impl World {
    fn check_change(&self, command: &AccountCommand) -> Result<(), Conflict> {
        let account = self.accounts.get(&command.account);
        let account = account.ok_or(Conflict::Missing)?;
        if account.epoch != command.expected_epoch {
            return Err(Conflict::AccountChanged);
        }
        if let AccountChange::Grants(grants) = &command.change {
            let known =
                |name: &TenantName| self.tenants.values().any(|tenant| tenant.name == *name);
            if !grants.iter().all(|grant| known(&grant.tenant)) {
                return Err(Conflict::Missing);
            }
        }
        if let Some(hash) = &command.spends {
            let invitation = self.invitations.get(hash).ok_or(Conflict::Spent)?;
            if invitation.account != command.account || !is_open(invitation.expires_at, command.at)
            {
                return Err(Conflict::Spent);
            }
        }
        let Some(opening) = &command.opens else {
            return Ok(());
        };
        let locked_after = match command.change {
            AccountChange::Lock => true,
            AccountChange::Unlock => false,
            AccountChange::Password(_) | AccountChange::Roles(_) | AccountChange::Grants(_) => {
                account.status != AccountStatus::Active
            }
        };
        if locked_after
            || opening.record.account != command.account
            || opening.record.epoch != AccountCommand::raised(account.epoch)
        {
            return Err(Conflict::AccountChanged);
        }
        if self.sessions.contains_key(&opening.record.id) {
            return Err(Conflict::Duplicate);
        }
        Ok(())
    }

    fn withdraw(&mut self, account: AccountId) {
        self.invitations.retain(|_, open| open.account != account);
    }
}

/// Makes the change on the record itself.
fn apply(account: &mut Account, change: &AccountChange, at: Timestamp) {
    account.epoch = AccountCommand::raised(account.epoch);
    match change {
        AccountChange::Password(password) => account.password = Some(password.clone()),
        AccountChange::Lock => account.status = AccountStatus::Locked { at },
        AccountChange::Unlock => account.status = AccountStatus::Active,
        AccountChange::Roles(roles) => account.roles.clone_from(roles),
        AccountChange::Grants(grants) => account.grants.clone_from(grants),
    }
}

#[async_trait::async_trait]
impl AccountStore for MemoryStore {
    async fn by_id(&self, account: AccountId) -> Result<Option<Account>, StoreError> {
        Ok(self.world().accounts.get(&account).cloned())
    }

    async fn by_login(&self, tenant: TenantId, login: &str) -> Result<Option<Account>, StoreError> {
        let world = self.world();
        let mut accounts = world.accounts.values();
        Ok(accounts
            .find(|account| account.tenant == tenant && *account.login == *login)
            .cloned())
    }

    async fn list(&self, page: AccountPage) -> Result<AccountList, StoreError> {
        let world = self.world();
        let accounts = world.accounts.values();
        let accounts: Vec<Account> = accounts
            .filter(|account| page.tenant.is_none_or(|tenant| account.tenant == tenant))
            .filter(|account| page.after.is_none_or(|after| account.id > after))
            .take(usize::from(page.limit.min(AccountPage::LIMIT_MAX)))
            .cloned()
            .collect();
        Ok(AccountList {
            last: accounts.last().map(|account| account.id),
            accounts,
            unreadable: Vec::new(),
        })
    }

    async fn hash_counts(&self) -> Result<Vec<HashCount>, StoreError> {
        let mut counts = BTreeMap::<String, u64>::new();
        for account in self.world().accounts.values() {
            let phc = account.password.as_ref();
            let phc = phc.map(|password| password.hash.expose_phc());
            if let Some((parameters, _)) = phc.and_then(|phc| phc.split_once(",keyid=")) {
                *counts.entry(parameters.to_owned()).or_default() += 1;
            }
        }
        let counted = |(parameters, accounts)| HashCount {
            parameters,
            accounts,
        };
        Ok(counts.into_iter().map(counted).collect())
    }

    async fn insert(&self, new: NewAccount, journal: Vec<Draft>) -> Result<(), StoreError> {
        let mut world = self.world();
        let tenant = world.tenants.get(&new.tenant).ok_or(Conflict::Missing)?;
        let tenant_name = tenant.name.clone();
        let mut accounts = world.accounts.values();
        if accounts.any(|other| other.tenant == new.tenant && other.login == new.login) {
            return Err(Conflict::LoginTaken.into());
        }
        if world.accounts.contains_key(&new.id) {
            return Err(Conflict::Duplicate.into());
        }
        let key = SealingKey::generate(&*self.entropy)?;
        world.personal_keys.insert(KeyName::Account(new.id), key);
        let lines = world.lines_of(&self.keyring, &*self.entropy, &journal)?;
        let account = Account {
            id: new.id,
            tenant: new.tenant,
            tenant_name,
            login: new.login,
            profile: new.profile,
            roles: new.roles,
            grants: Box::default(),
            status: AccountStatus::Active,
            password: new.password,
            epoch: NewAccount::FIRST_EPOCH,
            created_at: new.created_at,
        };
        world.accounts.insert(account.id, account);
        world.append(lines);
        Ok(())
    }

    async fn change(&self, command: AccountCommand) -> Result<Changed, StoreError> {
        let mut world = self.world();
        world.check_change(&command)?;
        let lines = world.lines_of(
            &self.keyring,
            &*self.entropy,
            &command.drafts(command.opens.as_ref()),
        )?;
        let ended = world.living_of(command.account);
        for session in &ended {
            world.end(*session, command.at, command.ends_with);
        }
        if matches!(command.change, AccountChange::Password(_)) {
            world.withdraw(command.account);
        }
        if let Some(hash) = &command.spends {
            world.invitations.remove(hash);
        }
        for key in &command.forgives {
            world.throttle.remove(key);
        }
        let Some(account) = world.accounts.get_mut(&command.account) else {
            return Err(Conflict::Missing.into());
        };
        apply(account, &command.change, command.at);
        self.roster.end_all(command.account, None);
        if let Some(opening) = command.opens {
            world.keep_opening(&opening);
            self.enlist(opening)?;
        }
        world.append(lines);
        Ok(Changed { ended })
    }

    async fn erase(
        &self,
        account: AccountId,
        at: Timestamp,
        journal: Vec<Draft>,
    ) -> Result<Erased, StoreError> {
        self.roster.end_all(account, None);
        let mut world = self.world();
        if !world.accounts.contains_key(&account) {
            return Err(Conflict::Missing.into());
        }
        let lines = world.lines_of(&self.keyring, &*self.entropy, &journal)?;
        let ended = world.living_of(account);
        for session in &ended {
            world.end(*session, at, EndCause::AccountErased);
        }
        for kept in world.sessions.values_mut() {
            if kept.record.account == account {
                kept.origin = crate::store::sessions::SessionOrigin::default();
            }
        }
        world.withdraw(account);
        world.accounts.remove(&account);
        world.append(lines);
        world.personal_keys.remove(&KeyName::Account(account));
        Ok(Erased {
            ended,
            is_complete: true,
        })
    }
}

#[async_trait::async_trait]
impl InvitationStore for MemoryStore {
    async fn issue(&self, issue: InvitationIssue) -> Result<(), StoreError> {
        let mut world = self.world();
        if !world.accounts.contains_key(&issue.invitation.account) {
            return Err(Conflict::Missing.into());
        }
        if world.invitations.contains_key(&issue.hash) {
            return Err(Conflict::Duplicate.into());
        }
        let lines = world.lines_of(&self.keyring, &*self.entropy, &issue.journal)?;
        world.withdraw(issue.invitation.account);
        world.invitations.insert(issue.hash, issue.invitation);
        world.append(lines);
        Ok(())
    }

    async fn find(&self, hash: &InvitationHash) -> Result<Option<Invitation>, StoreError> {
        Ok(self.world().invitations.get(hash).copied())
    }
}
