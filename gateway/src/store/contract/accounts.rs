//! Accounts, invitations.

use std::time::Duration;

use octroi_policy::{
    id::{AccountId, TenantId},
    session::TenantGrant,
};

use super::workbench::{
    NOW, Workbench, bytes, command, draft, opening, own_password, provisional_password,
    winners_of_fifty,
};
use crate::store::{
    Conflict, StoreError,
    accounts::{
        Account, AccountChange, AccountCommand, AccountPage, AccountStatus, HashCount,
        PasswordOrigin,
    },
    invitations::{Invitation, InvitationHash, InvitationIssue},
    tenants::Tenant,
};

pub(super) async fn an_account_is_found_by_its_login_in_its_own_tenant_alone(bench: Workbench) {
    let account = bench.person().await;
    let other = other_tenant(&bench).await;
    let by_login = async |tenant, login: &str| {
        let found = bench.stores.accounts.by_login(tenant, login).await.unwrap();
        found.map(|account| account.id)
    };
    assert_eq!(by_login(bench.tenant.id, "marie").await, Some(account.id));
    assert_eq!(by_login(bench.tenant.id, "pierre").await, None);
    assert_eq!(by_login(other.id, "marie").await, None);
    let mut namesake = bench.new_account("marie", None);
    namesake.tenant = other.id;
    let id = namesake.id;
    bench
        .stores
        .accounts
        .insert(namesake, Vec::new())
        .await
        .unwrap();
    assert_eq!(by_login(other.id, "marie").await, Some(id));
    let read = bench.account(account.id).await;
    assert_eq!(&*read.login, "marie");
    assert_eq!(read.tenant_name, bench.tenant.name);
    assert_eq!(read.profile.email.as_deref(), Some("marie@acme.example"));
    assert_eq!(read.roles, account.roles);
    assert_eq!(read.status, AccountStatus::Active);
    let unknown = AccountId::from_random(bytes());
    assert!(
        bench
            .stores
            .accounts
            .by_id(unknown)
            .await
            .unwrap()
            .is_none()
    );
}

/// Accounts without a password, and those that were erased, have no hash to be counted.
pub(super) async fn hashes_are_counted_by_what_they_cost(bench: Workbench) {
    let [older, newer] = [
        "$argon2id$v=19$m=19456,t=2,p=1",
        "$argon2id$v=19$m=65536,t=2,p=1",
    ];
    let phc = |parameters, salt, key| format!("{parameters},keyid={key}${salt}$hash");
    let people = [
        ("anne", Some(phc(older, "one", "AAA"))),
        ("bernard", Some(phc(newer, "two", "AAA"))),
        ("chantal", Some(phc(older, "three", "AAE"))),
        ("denis", None),
        ("elise", Some(phc(newer, "four", "AAA"))),
    ];
    let accounts = &bench.stores.accounts;
    assert_eq!(accounts.hash_counts().await.unwrap(), []);
    let mut gone = None;
    for (login, phc) in people {
        let password = phc.map(|phc| own_password(&phc));
        gone = Some(bench.person_with(login, password).await.id);
    }
    accounts.erase(gone.unwrap(), NOW, vec![]).await.unwrap();
    let count = |parameters: &str, accounts| HashCount {
        parameters: parameters.to_owned(),
        accounts,
    };
    assert_eq!(
        accounts.hash_counts().await.unwrap(),
        [count(older, 2), count(newer, 1)]
    );
}

pub(super) async fn a_login_is_unique_within_its_tenant(bench: Workbench) {
    let account = bench.person().await;
    let insert = async |new| {
        bench
            .stores
            .accounts
            .insert(new, vec![draft(&account)])
            .await
    };
    let again = bench.new_account("marie", None);
    assert_eq!(insert(again).await, Err(Conflict::LoginTaken.into()));
    let mut same_id = bench.new_account("pierre", None);
    same_id.id = account.id;
    assert_eq!(insert(same_id).await, Err(Conflict::Duplicate.into()));
    let mut homeless = bench.new_account("pierre", None);
    homeless.tenant = TenantId::from_random(bytes());
    assert_eq!(insert(homeless).await, Err(Conflict::Missing.into()));
    assert_eq!(bench.stores.journal.head().await.unwrap().sequence, 0);
}

pub(super) async fn accounts_are_listed_page_by_page(bench: Workbench) {
    for number in 0..7 {
        bench.person_called(&format!("person-{number}")).await;
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = AccountPage {
            tenant: Some(bench.tenant.id),
            after,
            limit: 3,
        };
        let listed = bench.stores.accounts.list(page).await.unwrap();
        let Some(last) = listed.last else { break };
        assert!((1..=3).contains(&listed.accounts.len()));
        assert!(listed.unreadable.is_empty());
        after = Some(last);
        seen.extend(listed.accounts.into_iter().map(|account| account.login));
    }
    seen.sort();
    let expected: Vec<_> = (0..7)
        .map(|number| format!("person-{number}").into())
        .collect();
    assert_eq!(seen, expected);
    let elsewhere = AccountPage {
        tenant: Some(TenantId::from_random(bytes())),
        after: None,
        limit: AccountPage::LIMIT_MAX,
    };
    assert!(
        bench
            .stores
            .accounts
            .list(elsewhere)
            .await
            .unwrap()
            .accounts
            .is_empty()
    );
}

pub(super) async fn a_change_raises_the_epoch_and_ends_every_session(bench: Workbench) {
    let account = bench.person().await;
    let (one, token) = bench.sign_in(&account).await;
    let live = bench.stores.sessions.load(&token).await.unwrap().unwrap();
    let (two, _) = bench.sign_in(&account).await;
    let change = AccountChange::Password(own_password("$argon2id$second"));
    let changed = bench
        .stores
        .accounts
        .change(command(&account, change))
        .await
        .unwrap();
    let (mut ended, mut expected) = (changed.ended, vec![one, two]);
    ended.sort();
    expected.sort();
    assert_eq!(ended, expected);
    assert!(!bench.knows(&token).await);
    assert!(live.session.standing().ended);
    assert!(
        bench
            .stores
            .sessions
            .of_account(account.id)
            .await
            .unwrap()
            .is_empty()
    );
    let read = bench.account(account.id).await;
    assert_eq!(read.epoch, AccountCommand::raised(account.epoch));
    assert_eq!(read.password.unwrap().hash.expose_phc(), "$argon2id$second");
}

pub(super) async fn a_change_on_an_account_that_changed_meanwhile_is_refused_and_changes_nothing(
    bench: Workbench,
) {
    let account = bench.person().await;
    let first = AccountChange::Password(own_password("$argon2id$second"));
    let accounts = &bench.stores.accounts;
    accounts.change(command(&account, first)).await.unwrap();
    let current = bench.account(account.id).await;
    let (_, token) = bench.sign_in(&current).await;
    let lines = bench.stores.journal.head().await.unwrap();
    let second = AccountChange::Password(own_password("$argon2id$third"));
    let refused = bench
        .stores
        .accounts
        .change(command(&account, second))
        .await;
    assert_eq!(refused.err(), Some(Conflict::AccountChanged.into()));
    let read = bench.account(account.id).await;
    assert_eq!(read.epoch, AccountCommand::raised(account.epoch));
    assert_eq!(read.password.unwrap().hash.expose_phc(), "$argon2id$second");
    assert!(bench.knows(&token).await);
    assert_eq!(bench.stores.journal.head().await.unwrap(), lines);
}

pub(super) async fn a_change_can_open_the_session_that_goes_on(bench: Workbench) {
    let account = bench.person().await;
    let (old, _) = bench.sign_in(&account).await;
    let raised = AccountCommand::raised(account.epoch);
    let mut change = command(
        &account,
        AccountChange::Password(own_password("$argon2id$second")),
    );
    let opens = opening(&account, raised, &bench.tenant);
    let (session, token) = (opens.record.id, opens.token.hash);
    change.opens = Some(opens);
    let changed = bench.stores.accounts.change(change).await.unwrap();
    assert_eq!(changed.ended, [old]);
    let live = bench.stores.sessions.load(&token).await.unwrap().unwrap();
    assert_eq!(live.session.record.id, session);
    let current = bench.account(account.id).await;
    let mut stale = command(
        &current,
        AccountChange::Password(own_password("$argon2id$third")),
    );
    stale.opens = Some(opening(&account, current.epoch, &bench.tenant));
    let refused = bench.stores.accounts.change(stale).await;
    assert_eq!(refused.err(), Some(Conflict::AccountChanged.into()));
    assert!(
        bench.knows(&token).await,
        "what was refused has ended nothing"
    );
}

pub(super) async fn each_kind_of_change_is_kept(bench: Workbench) {
    let other = other_tenant(&bench).await;
    let mut account = bench.person().await;
    let grant = TenantGrant {
        tenant: other.name,
        roles: Box::new(["support".parse().unwrap()]),
        ends_at: NOW.after(Duration::from_hours(1)),
    };
    let change = async |account: &Account, change| -> Account {
        let accounts = &bench.stores.accounts;
        accounts.change(command(account, change)).await.unwrap();
        let read = bench.account(account.id).await;
        assert_eq!(read.epoch, AccountCommand::raised(account.epoch));
        read
    };
    account = change(
        &account,
        AccountChange::Roles(Box::new(["it".parse().unwrap()])),
    )
    .await;
    assert_eq!(account.roles, Box::from(["it".parse().unwrap()]));
    account = change(&account, AccountChange::Grants(Box::new([grant.clone()]))).await;
    assert_eq!(*account.grants, [grant]);
    let provisional = provisional_password(NOW.after(Duration::from_hours(24)));
    account = change(&account, AccountChange::Password(provisional)).await;
    assert_eq!(
        account.password.as_ref().unwrap().origin,
        PasswordOrigin::Provisional {
            expires_at: NOW.after(Duration::from_hours(24)),
            spent: false
        }
    );
    account = change(&account, AccountChange::Lock).await;
    assert_eq!(account.status, AccountStatus::Locked { at: NOW });
    account = change(&account, AccountChange::Grants(Box::default())).await;
    assert!(account.grants.is_empty());
    account = change(&account, AccountChange::Unlock).await;
    assert_eq!(account.status, AccountStatus::Active);
}

pub(super) async fn a_lock_ends_sessions_and_an_unlock_does_not_revive_them(bench: Workbench) {
    let account = bench.person().await;
    let (_, token) = bench.sign_in(&account).await;
    let live = bench.stores.sessions.load(&token).await.unwrap().unwrap();
    let lock = command(&account, AccountChange::Lock);
    assert_eq!(
        bench
            .stores
            .accounts
            .change(lock)
            .await
            .unwrap()
            .ended
            .len(),
        1
    );
    assert!(!bench.knows(&token).await);
    let locked = bench.account(account.id).await;
    let unlock = command(&locked, AccountChange::Unlock);
    bench.stores.accounts.change(unlock).await.unwrap();
    assert!(!bench.knows(&token).await);
    assert!(live.session.standing().ended);
    let (_, again) = bench.sign_in(&bench.account(account.id).await).await;
    assert!(bench.knows(&again).await);
    let live = bench.stores.sessions.load(&again).await.unwrap().unwrap();
    assert_eq!(
        live.session.standing().account_epoch,
        Some(live.session.record.epoch)
    );
}

pub(super) async fn one_of_fifty_uses_of_an_invitation_wins(bench: Workbench) {
    let account = bench.person_with("marie", None).await;
    let hash = InvitationHash(bytes());
    bench
        .stores
        .invitations
        .issue(issue(&account, hash))
        .await
        .unwrap();
    let winners = winners_of_fifty(|| {
        let accounts = bench.stores.accounts.clone();
        let change = AccountChange::Password(own_password("$argon2id$invited"));
        let mut redeem = command(&account, change);
        redeem.spends = Some(hash);
        async move { accounts.change(redeem).await.is_ok() }
    })
    .await;
    assert_eq!(winners, 1);
    assert_eq!(bench.stores.invitations.find(&hash).await.unwrap(), None);
    assert!(bench.account(account.id).await.password.is_some());
}

pub(super) async fn an_invitation_counts_for_its_account_before_its_end_alone(bench: Workbench) {
    let account = bench.person_with("marie", None).await;
    let other = bench.person_with("pierre", None).await;
    let hash = InvitationHash(bytes());
    bench
        .stores
        .invitations
        .issue(issue(&account, hash))
        .await
        .unwrap();
    let redeem = async |account: &Account, hash, millis| {
        let change = AccountChange::Password(own_password("$argon2id$invited"));
        let mut command = command(account, change);
        command.spends = Some(hash);
        command.at = NOW.after(Duration::from_millis(millis));
        bench
            .stores
            .accounts
            .change(command)
            .await
            .map(|changed| changed.ended)
    };
    let spent: StoreError = Conflict::Spent.into();
    assert_eq!(redeem(&other, hash, 0).await, Err(spent.clone()));
    assert_eq!(
        redeem(&account, InvitationHash(bytes()), 0).await,
        Err(spent.clone())
    );
    assert_eq!(
        redeem(&account, hash, 72 * 3_600_000).await,
        Err(spent.clone())
    );
    assert!(bench.account(account.id).await.password.is_none());
    assert!(redeem(&account, hash, 72 * 3_600_000 - 1).await.is_ok());
    let current = bench.account(account.id).await;
    assert_eq!(redeem(&current, hash, 0).await, Err(spent), "it was used");
}

pub(super) async fn an_account_has_one_invitation_at_most(bench: Workbench) {
    let account = bench.person_with("marie", None).await;
    let (first, second) = (InvitationHash(bytes()), InvitationHash(bytes()));
    let invitations = &bench.stores.invitations;
    invitations.issue(issue(&account, first)).await.unwrap();
    invitations.issue(issue(&account, second)).await.unwrap();
    assert_eq!(invitations.find(&first).await.unwrap(), None);
    assert_eq!(
        invitations.find(&second).await.unwrap(),
        Some(issue(&account, second).invitation)
    );
    let mut nobody = issue(&account, first);
    nobody.invitation.account = AccountId::from_random(bytes());
    assert_eq!(
        invitations.issue(nobody).await,
        Err(Conflict::Missing.into())
    );
    invitations.issue(issue(&account, first)).await.unwrap();
    let provisional = provisional_password(NOW.after(Duration::from_hours(24)));
    let reset = command(&account, AccountChange::Password(provisional));
    bench.stores.accounts.change(reset).await.unwrap();
    assert_eq!(
        invitations.find(&first).await.unwrap(),
        None,
        "a new credential withdraws it"
    );
}

pub(super) async fn an_erased_account_is_gone_and_its_login_free(bench: Workbench) {
    let account = bench.person().await;
    let (session, token) = bench.sign_in(&account).await;
    let hash = InvitationHash(bytes());
    bench
        .stores
        .invitations
        .issue(issue(&account, hash))
        .await
        .unwrap();
    let erase = async || {
        bench
            .stores
            .accounts
            .erase(account.id, NOW, vec![draft(&account)])
            .await
    };
    assert_eq!(erase().await.unwrap().ended, [session]);
    assert_eq!(erase().await.err(), Some(Conflict::Missing.into()));
    assert!(!bench.knows(&token).await);
    assert!(
        bench
            .stores
            .accounts
            .by_id(account.id)
            .await
            .unwrap()
            .is_none()
    );
    let by_login = bench.stores.accounts.by_login(bench.tenant.id, "marie");
    assert!(by_login.await.unwrap().is_none());
    assert_eq!(bench.stores.invitations.find(&hash).await.unwrap(), None);
    let view = bench.stores.sessions.find(session).await.unwrap();
    if let Some(view) = view {
        assert!(view.origin.address.is_none() && view.origin.browser.is_none());
    }
    let page = AccountPage {
        tenant: None,
        after: None,
        limit: 10,
    };
    assert!(
        bench
            .stores
            .accounts
            .list(page)
            .await
            .unwrap()
            .accounts
            .is_empty()
    );
    bench.person_called("marie").await;
}

pub(super) async fn a_grant_on_a_tenant_that_does_not_exist_is_refused(bench: Workbench) {
    let account = bench.person().await;
    let (_, token) = bench.sign_in(&account).await;
    let grant = TenantGrant {
        tenant: "nowhere".parse().unwrap(),
        roles: Box::default(),
        ends_at: NOW,
    };
    let change = command(&account, AccountChange::Grants(Box::new([grant])));
    let refused = bench.stores.accounts.change(change).await;
    assert_eq!(refused.err(), Some(Conflict::Missing.into()));
    assert!(bench.knows(&token).await);
}

async fn other_tenant(bench: &Workbench) -> Tenant {
    let other = Tenant {
        id: TenantId::from_random(bytes()),
        name: "globex".parse().unwrap(),
        display_name: "Globex".into(),
        created_at: NOW,
    };
    bench
        .stores
        .tenants
        .insert(other.clone(), Vec::new())
        .await
        .unwrap();
    other
}

fn issue(account: &Account, hash: InvitationHash) -> InvitationIssue {
    InvitationIssue {
        hash,
        invitation: Invitation {
            account: account.id,
            issued_at: NOW,
            expires_at: NOW.after(Duration::from_hours(72)),
        },
        journal: vec![draft(account)],
    }
}
