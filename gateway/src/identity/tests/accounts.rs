//! What operators do with accounts.

use octroi_policy::{login::MalformedLogin, session::Rejection, sign_in::PROVISIONAL_LIFE};

use crate::{
    identity::{
        accounts::{AdminError, AdminRefusal, NewAccount, Standing},
        client::Operator,
        sessions::Presence,
        sign_in::SignInOutcome,
        testing::{OTHER_PASSWORD, PASSWORD, START, World, opened, role, typed},
    },
    journal::{
        entry::{JournalQuery, OpenedPersonal},
        event::EventKind,
    },
};

const OPERATOR: Operator = Operator::Os(1000);

fn new_account(login: &str) -> NewAccount {
    NewAccount {
        tenant: "acme".parse().unwrap(),
        login: login.to_owned(),
        name: None,
        email: None,
        language: None,
        roles: Vec::new(),
    }
}

fn refusal<T>(outcome: Result<T, AdminError>) -> AdminRefusal {
    match outcome {
        Err(AdminError::Refused(refusal)) => refusal,
        Err(AdminError::Fault(fault)) => panic!("a fault: {fault}"),
        Ok(_) => panic!("it was granted"),
    }
}

#[tokio::test]
async fn a_login_is_unique_within_its_tenant_in_every_way_to_type_it() {
    let world = World::new().await;
    world.account("acme", "marie").await;
    world.account("globex", "marie").await;
    for login in ["marie", "Marie", "ＭＡＲＩＥ"] {
        let outcome = world
            .identity
            .add_account(OPERATOR, new_account(login))
            .await;
        assert_eq!(refusal(outcome), AdminRefusal::LoginTaken, "{login}");
    }
    let look_alike = world
        .identity
        .add_account(OPERATOR, new_account("mаrie"))
        .await;
    assert_eq!(
        refusal(look_alike),
        AdminRefusal::MalformedLogin(MalformedLogin::MixedScripts)
    );
}

#[tokio::test]
async fn d8_addresses_and_names_that_are_none_are_refused() {
    let world = World::new().await;
    for email in [
        "",
        "a",
        "a@",
        "@b.fr",
        "a@b",
        "a@evil@corp.fr",
        "\"a b\"@corp.fr",
        "a(x)@corp.fr",
        "é@corp.fr",
        "a@[192.0.2.1]",
        "a..b@corp.fr",
        ".a@corp.fr",
        "a@corp.fr.",
        "a b@corp.fr",
        "a@co_rp.fr",
        "a,b@corp.fr",
    ] {
        let new = NewAccount {
            email: Some(email.to_owned()),
            ..new_account("paul")
        };
        let outcome = world.identity.add_account(OPERATOR, new).await;
        assert_eq!(refusal(outcome), AdminRefusal::MalformedEmail, "{email:?}");
    }
    for name in ["", " ", "a\nb", &"a".repeat(129)] {
        let new = NewAccount {
            name: Some(name.to_owned()),
            ..new_account("paul")
        };
        let outcome = world.identity.add_account(OPERATOR, new).await;
        assert_eq!(refusal(outcome), AdminRefusal::MalformedName, "{name:?}");
    }
    let new = NewAccount {
        email: Some("paul.o'neil+x@corp.example.fr".to_owned()),
        name: Some("é".repeat(128)),
        ..new_account("paul")
    };
    assert!(world.identity.add_account(OPERATOR, new).await.is_ok());
}

#[tokio::test]
async fn an_account_is_shown_as_it_stands() {
    let world = World::new().await;
    let awaiting = world.account("acme", "anne").await;
    let ready = world.ready("acme", "marie").await;
    let provisional = world.provisional("globex", "paul").await;
    let standing = async |id| world.identity.account(id).await.unwrap().standing;
    assert_eq!(standing(awaiting).await, Standing::AwaitingPassword);
    assert_eq!(standing(ready).await, Standing::Ready);
    let expires_at = START.after(PROVISIONAL_LIFE);
    assert_eq!(
        standing(provisional).await,
        Standing::Provisional { expires_at }
    );
    world.identity.lock_account(OPERATOR, ready).await.unwrap();
    assert_eq!(standing(ready).await, Standing::Locked { locked_at: START });
    opened(world.try_in("globex/paul", PASSWORD).await);
    assert_eq!(
        standing(provisional).await,
        Standing::AwaitingPassword,
        "it has served"
    );

    let (all, _) = world.identity.accounts(None).await.unwrap();
    let logins: Vec<_> = all
        .iter()
        .map(|account| (account.tenant.as_str(), &*account.login))
        .collect();
    assert_eq!(
        logins,
        [("acme", "anne"), ("acme", "marie"), ("globex", "paul")]
    );
    let globex = "globex".parse().unwrap();
    let (of_globex, _) = world.identity.accounts(Some(&globex)).await.unwrap();
    assert_eq!(of_globex.len(), 1);
    assert_eq!(of_globex[0].organisation, "Globex");
}

#[tokio::test]
async fn an_account_is_found_by_its_qualified_login() {
    let world = World::new().await;
    let acme = world.account("acme", "marie").await;
    let globex = world.account("globex", "marie").await;
    let found = async |login| world.identity.find_account(login).await.unwrap().id;
    assert_eq!(found("Marie").await, acme);
    assert_eq!(found("globex/MARIE").await, globex);
    let none = world.identity.find_account("globex/paul").await;
    assert_eq!(refusal(none), AdminRefusal::UnknownAccount);
    let nowhere = world.identity.find_account("initech/paul").await;
    assert_eq!(refusal(nowhere), AdminRefusal::UnknownTenant);
}

#[tokio::test]
async fn b8_lock_reset_roles_and_deletion_end_sessions_and_what_they_have_open() {
    for change in ["lock", "unlock", "reset", "roles", "delete"] {
        let world = World::new().await;
        let account = world.ready("acme", "marie").await;
        let (token, signed_in) = world.signed_in("marie").await;
        let identity = &world.identity;
        match change {
            "lock" => identity.lock_account(OPERATOR, account).await.unwrap(),
            "unlock" => identity.unlock_account(OPERATOR, account).await.unwrap(),
            "reset" => {
                let password = typed(OTHER_PASSWORD);
                identity
                    .reset_password(OPERATOR, account, password)
                    .await
                    .map(|_| ())
                    .unwrap();
            }
            "roles" => identity
                .set_roles(OPERATOR, account, vec![role("it")])
                .await
                .unwrap(),
            _ => assert!(identity.delete_account(OPERATOR, account).await.unwrap()),
        }
        assert!(
            matches!(world.presence(&token).await, Presence::Rejected(_)),
            "{change}"
        );
        assert!(world.ended.all().contains(&signed_in.session()), "{change}");
    }
}

#[tokio::test]
async fn other_roles_count_from_the_next_sign_in_on() {
    let world = World::new().await;
    let account = world.ready("acme", "marie").await;
    let roles = vec![role("rh"), role("it"), role("rh")];
    world
        .identity
        .set_roles(OPERATOR, account, roles)
        .await
        .unwrap();
    let (_, signed_in) = world.signed_in("marie").await;
    assert_eq!(&*signed_in.record().roles, &[role("it"), role("rh")][..]);
}

#[tokio::test]
async fn a_reset_password_meets_the_rules_and_takes_the_old_one_s_place() {
    let world = World::new().await;
    let account = world.ready("acme", "marie").await;
    let weak = world
        .identity
        .reset_password(OPERATOR, account, typed("marie2026"))
        .await;
    assert!(matches!(refusal(weak), AdminRefusal::Password(verdict) if !verdict.is_acceptable()));
    opened(world.try_in("marie", PASSWORD).await);
    world
        .identity
        .reset_password(OPERATOR, account, typed(OTHER_PASSWORD))
        .await
        .unwrap();
    assert!(matches!(
        world.try_in("marie", PASSWORD).await,
        SignInOutcome::InvalidCredentials
    ));
    let outcome = world.try_in("marie", OTHER_PASSWORD).await;
    assert!(matches!(outcome, SignInOutcome::PasswordChangeRequired(..)));
}

#[tokio::test]
async fn an_erased_person_cannot_be_read_and_their_login_is_free() {
    let world = World::new().await;
    let account = world.ready("acme", "marie").await;
    let (token, _) = world.signed_in("marie").await;
    world
        .identity
        .delete_account(OPERATOR, account)
        .await
        .unwrap();
    assert!(
        matches!(world.presence(&token).await, Presence::Rejected(reason) if reason != Rejection::NotFull)
    );
    assert_eq!(
        refusal(world.identity.account(account).await),
        AdminRefusal::UnknownAccount
    );
    let query = JournalQuery {
        account: Some(account),
        ..JournalQuery::default()
    };
    let lines = world.stores.journal.search(&query).await.unwrap().entries;
    assert!(lines.len() > 3);
    assert!(
        lines
            .iter()
            .all(|line| !matches!(line.personal, OpenedPersonal::Known(_))),
        "nothing is readable"
    );
    world.account("acme", "marie").await;
}

#[tokio::test]
async fn each_change_is_one_line_of_the_journal_by_who_asked() {
    let world = World::new().await;
    let account = world.account("acme", "marie").await;
    world
        .identity
        .lock_account(OPERATOR, account)
        .await
        .unwrap();
    world
        .identity
        .unlock_account(OPERATOR, account)
        .await
        .unwrap();
    world
        .identity
        .set_roles(OPERATOR, account, vec![role("it")])
        .await
        .unwrap();
    world
        .identity
        .reset_password(OPERATOR, account, typed(PASSWORD))
        .await
        .unwrap();
    let query = JournalQuery {
        account: Some(account),
        actor: Some(OPERATOR.into()),
        ..JournalQuery::default()
    };
    let lines = world.stores.journal.search(&query).await.unwrap().entries;
    let kinds: Vec<EventKind> = lines.iter().rev().map(|line| line.kind).collect();
    let expected = [
        EventKind::AccountLocked,
        EventKind::AccountUnlocked,
        EventKind::RolesChanged,
        EventKind::PasswordProvided,
    ];
    assert_eq!(kinds, expected);
    let written = serde_json::to_string(&lines.iter().map(|line| &line.fields).collect::<Vec<_>>());
    assert!(!written.unwrap().contains(PASSWORD), "invariant 5");
}
