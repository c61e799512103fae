//! The admin API over its socket, and served to the command line in process.

use std::sync::Arc;

use octroi_config::parse;
use serde_json::{Value, json};

use super::{
    client::{AdminClient, CallError},
    facts::{
        Account, AddRequest, Done, Invitation, InviteRequest, JournalLines, JournalRequest,
        NewAccountRequest, OneAccount, Provisional, RevokeRequest, Revoked, Verified,
        VerifyRequest,
    },
    socket::AdminSocket,
    *,
};
use crate::{
    entropy::SystemEntropy,
    identity::testing::{PASSWORD, World},
    lifecycle::Tasks,
};

const CONFIGURATION: &str = r#"
[server]
https = "127.0.0.1:8443"
portal = "login.localhost"
data = "data"
keyring = "keyring"

[[certificate]]
names = ["login.localhost", "paie.localhost"]
chain = "chain.pem"
key_file = "key.pem"

[[route]]
host = "paie.localhost"
to = "http://127.0.0.1:9000"
allow = "everyone"
"#;

fn desk(world: &World) -> Desk {
    let settings = parse(CONFIGURATION, std::path::Path::new("/octroi.toml"))
        .unwrap()
        .settings;
    Desk {
        identity: world.identity.clone(),
        journal: Arc::clone(&world.stores.journal),
        clock: Arc::new(world.clock.clone()),
        entropy: Arc::new(SystemEntropy),
        site: Arc::new(ArcSwap::from_pointee(Site::new(&settings, 8443))),
        gateway: None,
    }
}

fn new_account(account: &str) -> NewAccountRequest {
    NewAccountRequest {
        account: account.to_owned(),
        name: Some("Marie Dupont".to_owned()),
        email: None,
        language: Some("fr".to_owned()),
        roles: vec!["rh".to_owned()],
        new_tenant: false,
    }
}

fn one(account: &str) -> OneAccount {
    OneAccount {
        account: account.to_owned(),
    }
}

fn in_process(world: &World) -> AdminClient {
    AdminClient::InProcess(router(desk(world)))
}

#[tokio::test]
async fn an_account_lives_its_life_over_the_socket() {
    let world = World::new().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run/admin.sock");
    let tasks = Tasks::new();
    let socket = AdminSocket::bind(&path).unwrap();
    tasks.spawn(
        "admin API",
        socket.serve(router(desk(&world)), tasks.clone()),
    );
    let client = AdminClient::Socket(path);

    let add = AddRequest {
        new: new_account("acme/marie"),
        password: None,
    };
    let added: Provisional = client.post("/v1/accounts/add", &add).await.unwrap();
    assert_eq!(added.account, "acme/marie");
    assert_eq!(added.password.unwrap().expose().len(), 23);
    for (operation, standing) in [("lock", "locked"), ("unlock", "provisional")] {
        let path = format!("/v1/accounts/{operation}");
        let _: Done = client.post(&path, &one("acme/marie")).await.unwrap();
        let shown: Account = client
            .post("/v1/accounts/show", &one("acme/marie"))
            .await
            .unwrap();
        assert_eq!(shown.standing, standing, "{operation}");
    }
    let _: Done = client
        .post("/v1/accounts/delete", &one("acme/marie"))
        .await
        .unwrap();
    let gone = client
        .post::<_, Account>("/v1/accounts/show", &one("acme/marie"))
        .await;
    assert!(matches!(gone, Err(CallError::Refused(_))), "{gone:?}");

    let request = JournalRequest::default();
    let page: JournalLines = client.post("/v1/journal/search", &request).await.unwrap();
    let own = format!("os:{}", rustix::process::getuid().as_raw());
    let kinds: Vec<&str> = page
        .lines
        .iter()
        .filter(|line| line.actor == own)
        .map(|line| line.kind.as_str())
        .collect();
    for kind in [
        "account_created",
        "account_locked",
        "account_unlocked",
        "account_erased",
    ] {
        assert!(kinds.contains(&kind), "{kind} is not in {kinds:?}");
    }
}

#[tokio::test]
async fn roles_are_replaced_and_rights_on_other_tenants_lent_and_taken_back() {
    let world = World::new().await;
    let client = in_process(&world);
    world.account("acme", "marie").await;
    world.account("globex", "paul").await;
    let wishes = [
        (
            "roles",
            json!({ "account": "acme/marie", "roles": ["it", "rh"] }),
        ),
        (
            "grant",
            json!({ "account": "acme/marie", "tenant": "globex", "roles": ["support"], "hours": 8 }),
        ),
    ];
    for (operation, wish) in wishes {
        let path = format!("/v1/accounts/{operation}");
        let _: Done = client.post(&path, &wish).await.unwrap();
    }
    let shown: Account = client
        .post("/v1/accounts/show", &one("acme/marie"))
        .await
        .unwrap();
    assert_eq!(shown.roles, ["it", "rh"]);
    assert_eq!(shown.grants[0].tenant, "globex");
    assert_eq!(shown.grants[0].roles, ["support"]);
    let end = json!({ "account": "acme/marie", "tenant": "globex", "roles": [], "hours": null });
    let _: Done = client.post("/v1/accounts/grant", &end).await.unwrap();
    let shown: Account = client
        .post("/v1/accounts/show", &one("acme/marie"))
        .await
        .unwrap();
    assert!(shown.grants.is_empty());
    let request = JournalRequest::default();
    let page: JournalLines = client.post("/v1/journal/search", &request).await.unwrap();
    let kinds: Vec<&str> = page.lines.iter().map(|line| line.kind.as_str()).collect();
    assert_eq!(
        kinds[..3],
        ["grants_changed", "grants_changed", "roles_changed"]
    );
    assert_eq!(page.lines[0].account.as_deref(), Some("acme/marie"));
    let id = page.lines[0].account_id.clone().unwrap();
    let _: Done = client
        .post("/v1/accounts/delete", &one("acme/marie"))
        .await
        .unwrap();
    let page: JournalLines = client.post("/v1/journal/search", &request).await.unwrap();
    let lines = page.lines.iter();
    let mut of_marie = lines.filter(|line| line.account_id.as_ref() == Some(&id));
    let erased = of_marie.next().unwrap();
    assert_eq!(
        (erased.kind.as_str(), &erased.account),
        ("account_erased", &None)
    );
    assert!(of_marie.all(|line| line.account.is_none()));
}

#[tokio::test]
async fn whoever_reads_the_journal_is_written_into_it_first() {
    let world = World::new().await;
    let client = in_process(&world);
    let request = JournalRequest::default();
    let _: JournalLines = client.post("/v1/journal/search", &request).await.unwrap();
    let page: JournalLines = client.post("/v1/journal/search", &request).await.unwrap();
    assert_eq!(page.lines[0].kind, "journal_read");
    assert_eq!(page.lines[0].fields["purpose"], json!("search"));
    let verify = VerifyRequest { witness: None };
    let verified: Verified = client.post("/v1/journal/verify", &verify).await.unwrap();
    assert!(verified.intact, "{verified:?}");
    let witness = VerifyRequest {
        witness: Some("1:00".to_owned()),
    };
    let verified: Verified = client.post("/v1/journal/verify", &witness).await.unwrap();
    assert!(!verified.intact, "{verified:?}");
}

#[tokio::test]
async fn an_invitation_adds_who_is_new_and_bears_the_link_in_letter_and_sheet() {
    let world = World::new().await;
    let client = in_process(&world);
    let request = InviteRequest {
        new: new_account("globex/marie"),
        hours: 72,
    };
    let first: Invitation = client.post("/v1/accounts/invite", &request).await.unwrap();
    let second: Invitation = client.post("/v1/accounts/invite", &request).await.unwrap();
    assert_ne!(first.link, second.link);
    let place = "https://login.localhost:8443/.octroi/invitation?token=";
    assert!(second.link.starts_with(place), "{}", second.link);
    assert!(second.letter.contains(&second.link));
    assert!(
        second
            .sheet
            .contains(second.link.trim_start_matches("https://"))
    );
    assert!(!format!("{second}").contains(&first.link));
}

#[tokio::test]
async fn a_tenant_is_made_only_where_that_was_asked_for() {
    let world = World::new().await;
    let client = in_process(&world);
    let mut request = InviteRequest {
        new: new_account("initech/marie"),
        hours: 72,
    };
    let refused = client
        .post::<_, Invitation>("/v1/accounts/invite", &request)
        .await;
    assert!(
        matches!(&refused, Err(CallError::Refused(why)) if why.contains("--new-tenant")),
        "{:?}",
        refused.err()
    );
    request.new.new_tenant = true;
    let made = client
        .post::<_, Invitation>("/v1/accounts/invite", &request)
        .await;
    assert!(made.is_ok(), "{:?}", made.err());
}

#[tokio::test]
async fn an_operator_ends_sessions_of_one_account() {
    let world = World::new().await;
    world.ready("acme", "paul").await;
    let signed_in = world.try_in("acme/paul", PASSWORD).await;
    drop(signed_in);
    let client = in_process(&world);
    let all = RevokeRequest::Account("acme/paul".to_owned());
    let revoked: Revoked = client.post("/v1/sessions/revoke", &all).await.unwrap();
    assert_eq!(revoked.ended, 1);
    let revoked: Revoked = client.post("/v1/sessions/revoke", &all).await.unwrap();
    assert_eq!(revoked.ended, 0);
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_refused_with_the_reason() {
    let world = World::new().await;
    let client = in_process(&world);
    world.account("acme", "paul").await;
    let cases = [
        (
            "/v1/accounts/show",
            json!({ "account": "acme/nobody" }),
            "no such account",
        ),
        (
            "/v1/accounts/reset",
            json!({ "account": "acme/paul", "password": "short" }),
            "10 characters short of 15",
        ),
        (
            "/v1/accounts/grant",
            json!({ "account": "acme/paul", "tenant": "initech", "roles": [], "hours": 1 }),
            "no such tenant",
        ),
        (
            "/v1/accounts/grant",
            json!({ "account": "acme/paul", "tenant": "globex", "roles": [], "hours": 8761 }),
            "1 to 8760 hours",
        ),
        (
            "/v1/accounts/grant",
            json!({ "account": "acme/paul", "tenant": "globex", "roles": [], "hours": 0 }),
            "1 to 8760 hours",
        ),
        (
            "/v1/accounts/roles",
            json!({ "account": "acme/paul", "roles": ["a,b"] }),
            "role \"a,b\"",
        ),
        (
            "/v1/sessions/revoke",
            json!({ "session": "x" }),
            "identifier",
        ),
        (
            "/v1/journal/search",
            json!({ "since": "yesterday", "export": false }),
            "no time",
        ),
        (
            "/v1/journal/search",
            json!({ "kind": "nothing", "export": false }),
            "no kind",
        ),
        (
            "/v1/journal/verify",
            json!({ "witness": "x" }),
            "SEQUENCE:CODE",
        ),
        ("/v1/reload", json!({}), "no gateway runs"),
    ];
    for (path, wish, why) in cases {
        match client.post::<_, Value>(path, &wish).await {
            Err(CallError::Refused(said)) => assert!(said.contains(why), "{path}: {said}"),
            other => panic!("{path}: {other:?}"),
        }
    }
}
