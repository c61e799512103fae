//! Changes to an account after which no earlier session of it counts.

use std::time::Duration;

use octroi_policy::{
    id::{AccountId, Role, SessionId, TenantName},
    password::policy::Judged,
    session::TenantGrant,
    sign_in::PROVISIONAL_LIFE,
    time::Timestamp,
};

use super::{AdminError, AdminRefusal, admin_error};
use crate::{
    identity::{
        Fault, Identity, Services, client::Operator, passwords::judging::Before,
        secret::TypedPassword, trace,
    },
    journal::event::Event,
    store::{
        Conflict, StoreError,
        accounts::{Account, AccountChange, AccountCommand, Password, PasswordOrigin},
        sessions::EndCause,
    },
};

/// A password that somebody else chose was set.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ProvisionalPassword {
    /// When it stops working.
    pub(crate) expires_at: Timestamp,
}

/// Rights on a further tenant.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    /// The roles there.
    pub(crate) roles: Vec<Role>,
    /// For how long.
    pub(crate) life: Duration,
}

impl Identity {
    /// Locks an account and ends its sessions, with all that they have open.
    pub(crate) async fn lock_account(
        &self,
        operator: Operator,
        id: AccountId,
    ) -> Result<(), AdminError> {
        let lock = |_: &Account| (AccountChange::Lock, Event::AccountLocked);
        self.change(operator, id, EndCause::AccountLocked, lock)
            .await
    }

    /// Unlocks an account; its old sessions stay dead.
    pub(crate) async fn unlock_account(
        &self,
        operator: Operator,
        id: AccountId,
    ) -> Result<(), AdminError> {
        let unlock = |_: &Account| (AccountChange::Unlock, Event::AccountUnlocked);
        self.change(operator, id, EndCause::AccountUnlocked, unlock)
            .await
    }

    /// Replaces the roles in the home tenant. Sessions end.
    pub(crate) async fn set_roles(
        &self,
        operator: Operator,
        id: AccountId,
        mut roles: Vec<Role>,
    ) -> Result<(), AdminError> {
        roles.sort();
        roles.dedup();
        let replace = |account: &Account| {
            let before = account.roles.to_vec();
            let event = Event::RolesChanged {
                before,
                after: roles.clone(),
            };
            (AccountChange::Roles(roles.clone().into()), event)
        };
        self.change(operator, id, EndCause::RolesChanged, replace)
            .await
    }

    /// Opens another tenant to the account for a while, in place of an earlier grant there; `None`
    /// closes it. Sessions end.
    pub(crate) async fn set_grant(
        &self,
        operator: Operator,
        id: AccountId,
        tenant: &TenantName,
        grant: Option<Grant>,
    ) -> Result<(), AdminError> {
        let tenant = self.0.known_tenant(tenant).await?.name;
        let now = self.0.clock.now();
        let grant = grant.map(|grant| TenantGrant {
            tenant: tenant.clone(),
            roles: grant.roles.into(),
            ends_at: now.after(grant.life),
        });
        let replace = |account: &Account| {
            let names = |grants: &[TenantGrant]| -> Vec<TenantName> {
                grants.iter().map(|grant| grant.tenant.clone()).collect()
            };
            let kept = account.grants.iter();
            let kept = kept.filter(|other| other.tenant != tenant).cloned();
            let after: Box<[TenantGrant]> = kept.chain(grant.clone()).collect();
            let event = Event::GrantsChanged {
                before: names(&account.grants),
                after: names(&after),
            };
            (AccountChange::Grants(after), event)
        };
        self.change(operator, id, EndCause::GrantsChanged, replace)
            .await
    }

    /// Sets a provisional password: good for 24 h and one use, and only for choosing another
    /// (promise B4). Sessions end.
    pub(crate) async fn reset_password(
        &self,
        operator: Operator,
        id: AccountId,
        password: TypedPassword,
    ) -> Result<ProvisionalPassword, AdminError> {
        let services = &self.0;
        let account = services.known_account(id).await?;
        let accepted = match services.judge(&account, &password, Before::Nothing).await? {
            Judged::Acceptable(accepted, _) => accepted,
            Judged::Refused(verdict) => return Err(AdminRefusal::Password(verdict).into()),
        };
        let hash = match services.hash(None, accepted).await? {
            Ok(hash) => hash,
            Err(retry_after_seconds) => {
                return Err(AdminRefusal::Busy {
                    retry_after_seconds,
                }
                .into());
            }
        };
        let set_at = services.clock.now();
        let expires_at = set_at.after(PROVISIONAL_LIFE);
        let provide = |_: &Account| {
            let origin = PasswordOrigin::Provisional {
                expires_at,
                spent: false,
            };
            let password = Password {
                hash: hash.clone(),
                set_at,
                origin,
            };
            (
                AccountChange::Password(password),
                Event::PasswordProvided { expires_at },
            )
        };
        self.change(operator, id, EndCause::PasswordReset, provide)
            .await?;
        Ok(ProvisionalPassword { expires_at })
    }

    /// Erases an account by destroying its key: nothing personal can be read any more, in the
    /// journal and in old backups neither. Sessions end. `false`: the account is gone, and the key,
    /// or its traces in the files, will follow; upkeep goes on with it.
    pub(crate) async fn delete_account(
        &self,
        operator: Operator,
        id: AccountId,
    ) -> Result<bool, AdminError> {
        let services = &self.0;
        let account = services.known_account(id).await?;
        let now = services.clock.now();
        let line = trace::of_operator(operator, &account, Event::AccountErased, now);
        let open = services.live_of(id);
        let erased = services.stores.accounts.erase(id, now, vec![line]).await;
        // In memory its sessions are dead, even where the store then failed.
        for session in open {
            services.ender.end_session(session);
        }
        let erased = erased.map_err(admin_error)?;
        for session in erased.ended {
            services.ender.end_session(session);
        }
        Ok(erased.is_complete)
    }

    /// Carries a change out on the account as it is. Somebody else's change in between is read
    /// again, a few times.
    async fn change(
        &self,
        operator: Operator,
        id: AccountId,
        ends_with: EndCause,
        change: impl Fn(&Account) -> (AccountChange, Event),
    ) -> Result<(), AdminError> {
        let services = &self.0;
        for _ in 0..ATTEMPTS_MAX {
            let account = services.known_account(id).await?;
            let (change, event) = change(&account);
            let at = services.clock.now();
            let command = AccountCommand {
                account: id,
                expected_epoch: account.epoch,
                change,
                ends_with,
                spends: None,
                opens: None,
                forgives: Vec::new(),
                at,
                journal: vec![trace::of_operator(operator, &account, event, at)],
            };
            match services.change(command).await {
                Ok(()) => return Ok(()),
                Err(StoreError::Conflict(Conflict::AccountChanged)) => {}
                Err(error) => return Err(admin_error(error)),
            }
        }
        Err(Fault::from(StoreError::Conflict(Conflict::AccountChanged)).into())
    }
}

impl Services {
    /// Carries a change out and ends what the ended sessions have open. A session that is dead in
    /// memory ends all of it, even where the store then failed.
    async fn change(&self, command: AccountCommand) -> Result<(), StoreError> {
        let open = self.live_of(command.account);
        let outcome = self.stores.accounts.change(command).await;
        let dead = |session: &SessionId| self.stores.sessions.live(*session).is_none();
        open.into_iter()
            .filter(dead)
            .for_each(|session| self.ender.end_session(session));
        for session in outcome?.ended {
            self.ender.end_session(session);
        }
        Ok(())
    }
}

/// Changes that cross one another are rare; more than this many in a row are a fault.
const ATTEMPTS_MAX: usize = 5;
