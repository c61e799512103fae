//! A world of people for tests: identity over a store in memory, a clock that is moved by hand.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    num::NonZeroUsize,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use octroi_policy::{
    host::Host,
    id::{AccountId, RequestId, Role, SessionId},
    password::policies::Policies,
    session::Computer,
    time::Timestamp,
};

use super::{
    Identity, IdentityParts, IdentitySettings, SessionEnder,
    accounts::NewAccount,
    client::{ClientFacts, Operator},
    hashing_pool::HashingCapacity,
    invitations::{InvitationAnswer, InvitationLife, InvitationOutcome},
    password_hash::HashCost,
    secret::{SessionToken, TypedPassword},
    sessions::{PendingSession, Presence, SignedIn},
    sign_in::{NewSession, SignInAttempt, SignInOutcome},
};
use crate::{
    clock::{Clock, ManualClock},
    entropy::{Entropy, SystemEntropy},
    keyring::Keyring,
    store::{Stores, memory, sqlite},
};

/// The time at which each world begins.
pub(crate) const START: Timestamp = Timestamp::from_unix_millis(1_800_000_000_000);

/// A password that meets the rules for everybody here.
pub(crate) const PASSWORD: &str = "agrafe bougie lavoir";
/// Another one.
pub(crate) const OTHER_PASSWORD: &str = "tunnel citron plume";

/// Identity and what it rests on.
pub(crate) struct World {
    pub(crate) identity: Identity,
    pub(crate) stores: Stores,
    pub(crate) clock: ManualClock,
    pub(crate) ended: Arc<Ended>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) settings: Arc<ArcSwap<IdentitySettings>>,
}

/// The sessions whose open requests were ended.
#[derive(Default)]
pub(crate) struct Ended(Mutex<Vec<SessionId>>);

impl Ended {
    /// In the order in which they were.
    pub(crate) fn all(&self) -> Vec<SessionId> {
        self.0.lock().unwrap().clone()
    }
}

impl SessionEnder for Ended {
    fn end_session(&self, session: SessionId) {
        self.0.lock().unwrap().push(session);
    }
}

impl World {
    /// Two tenants, `acme` (the default) and `globex`, and nobody in them.
    pub(crate) async fn new() -> Self {
        Self::over(|stores| stores).await
    }

    /// The same over stores that are wrapped.
    pub(crate) async fn over(wrap: impl FnOnce(Stores) -> Stores) -> Self {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let keyring = Arc::new(Keyring::ephemeral(entropy.as_ref()).unwrap());
        let stores = wrap(memory::open(Arc::clone(&keyring), entropy));
        Self::on(stores, keyring).await
    }

    /// The same over the embedded store, in a directory that is not there yet.
    pub(crate) async fn embedded(data: PathBuf) -> Self {
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let keyring = Arc::new(Keyring::ephemeral(entropy.as_ref()).unwrap());
        let mut options = sqlite::OpenOptions::new(data, START);
        options.reserve_len = 4096;
        let stores = sqlite::open(options, Arc::clone(&keyring), entropy).await;
        Self::on(stores.unwrap(), keyring).await
    }

    async fn on(stores: Stores, keyring: Arc<Keyring>) -> Self {
        let clock = ManualClock::at(START);
        let ended = Arc::<Ended>::default();
        let mut settings = IdentitySettings {
            portal: host("portail.exemple.fr"),
            default_tenant: None,
            tenant_of_host: HashMap::new(),
            passwords: Policies::shipped(),
            session_life: Duration::from_hours(24),
            idle_private: Duration::from_hours(8),
            idle_public: Duration::from_mins(15),
        };
        settings.default_tenant = Some("acme".parse().unwrap());
        settings
            .tenant_of_host
            .insert(host("paie.globex.test"), "globex".parse().unwrap());
        let settings = Arc::new(ArcSwap::from_pointee(settings));
        let identity = Identity::start(IdentityParts {
            stores: stores.clone(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SystemEntropy),
            settings: Arc::clone(&settings),
            keyring: Arc::clone(&keyring),
            hashing: HashingCapacity {
                threads: NonZeroUsize::MIN,
                waiting_max: 128,
            },
            cost: HashCost::for_tests(64),
            ender: ended.clone(),
        })
        .unwrap();
        for (name, display_name) in [("acme", "Acme Industrie"), ("globex", "Globex")] {
            let name = name.parse().unwrap();
            identity
                .add_tenant(Operator::System, name, display_name.to_owned())
                .await
                .unwrap();
        }
        Self {
            identity,
            stores,
            clock,
            ended,
            keyring,
            settings,
        }
    }

    /// An account without a password.
    pub(crate) async fn account(&self, tenant: &str, login: &str) -> AccountId {
        let new = NewAccount {
            tenant: tenant.parse().unwrap(),
            login: login.to_owned(),
            name: Some("Camille Roussel".to_owned()),
            email: Some(format!("{login}@{tenant}.test")),
            language: None,
            roles: vec![role("rh")],
        };
        self.identity
            .add_account(Operator::System, new)
            .await
            .unwrap()
    }

    /// An account whose person took an invitation and chose [`PASSWORD`].
    pub(crate) async fn ready(&self, tenant: &str, login: &str) -> AccountId {
        let account = self.account(tenant, login).await;
        let life = InvitationLife::DEFAULT;
        let issued = self
            .identity
            .invite(Operator::System, account, life)
            .await
            .unwrap();
        let answer = InvitationAnswer {
            token: issued.token,
            password: typed(PASSWORD),
            computer: Computer::Private,
            replaces: None,
        };
        let outcome = self
            .identity
            .accept_invitation(&client(), answer)
            .await
            .unwrap();
        assert!(matches!(outcome, InvitationOutcome::Accepted(_)));
        self.identity
            .revoke_sessions_of(Operator::System, account)
            .await
            .unwrap();
        account
    }

    /// An account with [`PASSWORD`] as a provisional password.
    pub(crate) async fn provisional(&self, tenant: &str, login: &str) -> AccountId {
        let account = self.account(tenant, login).await;
        let password = typed(PASSWORD);
        self.identity
            .reset_password(Operator::System, account, password)
            .await
            .unwrap();
        account
    }

    /// What comes of a login and a password from the usual place.
    pub(crate) async fn try_in(&self, login: &str, password: &str) -> SignInOutcome {
        self.try_from_place(&client(), login, password).await
    }

    /// What comes of a login and a password.
    pub(crate) async fn try_from_place(
        &self,
        client: &ClientFacts,
        login: &str,
        password: &str,
    ) -> SignInOutcome {
        self.identity
            .sign_in(client, attempt(login, password))
            .await
            .unwrap()
    }

    /// Signs in, which has to work.
    pub(crate) async fn signed_in(&self, login: &str) -> (SessionToken, SignedIn) {
        let session = opened(self.try_in(login, PASSWORD).await);
        let signed_in = self.full(&session.token).await;
        (session.token, signed_in)
    }

    /// Who stands behind a token on the portal.
    pub(crate) async fn presence(&self, token: &SessionToken) -> Presence {
        self.identity
            .presence(Some(token), &portal())
            .await
            .unwrap()
    }

    /// The full session behind a token, which has to be there.
    pub(crate) async fn full(&self, token: &SessionToken) -> SignedIn {
        match self.presence(token).await {
            Presence::SignedIn(signed_in) => signed_in,
            Presence::NotPresented | Presence::MustChangePassword(_) => panic!("not signed in"),
            Presence::Rejected(rejection) => panic!("rejected: {rejection:?}"),
        }
    }

    /// The pending session behind a token, which has to be there.
    pub(crate) async fn pending(&self, token: &SessionToken) -> PendingSession {
        match self.presence(token).await {
            Presence::MustChangePassword(pending) => pending,
            Presence::NotPresented | Presence::Rejected(_) | Presence::SignedIn(_) => {
                panic!("no pending session")
            }
        }
    }

    /// Why a token is not accepted on the portal.
    pub(crate) async fn rejection(
        &self,
        token: &SessionToken,
    ) -> octroi_policy::session::Rejection {
        match self.presence(token).await {
            Presence::Rejected(rejection) => rejection,
            Presence::NotPresented | Presence::MustChangePassword(_) | Presence::SignedIn(_) => {
                panic!("the token is accepted")
            }
        }
    }

    /// The time now.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The session of a sign-in that worked.
pub(crate) fn opened(outcome: SignInOutcome) -> NewSession {
    match outcome {
        SignInOutcome::SignedIn(session) | SignInOutcome::PasswordChangeRequired(session, _) => {
            session
        }
        SignInOutcome::InvalidCredentials => panic!("invalid credentials"),
        SignInOutcome::TooManyAttempts { .. } => panic!("too many attempts"),
        SignInOutcome::Busy { .. } => panic!("busy"),
    }
}

/// An attempt on a private computer.
pub(crate) fn attempt(login: &str, password: &str) -> SignInAttempt {
    SignInAttempt {
        login: login.to_owned(),
        password: typed(password),
        tenant: None,
        computer: Computer::Private,
        host_asked: None,
        replaces: None,
    }
}

/// A browser at the usual place.
pub(crate) fn client() -> ClientFacts {
    client_at(Ipv4Addr::new(192, 0, 2, 1).into())
}

/// A browser elsewhere.
pub(crate) fn client_at(address: IpAddr) -> ClientFacts {
    ClientFacts {
        address,
        user_agent: Some("Mozilla/5.0 (test)".into()),
        request: RequestId::from_random([9; 16]),
    }
}

/// What somebody typed.
pub(crate) fn typed(password: &str) -> TypedPassword {
    TypedPassword::new(password.to_owned())
}

/// The portal.
pub(crate) fn portal() -> Host {
    host("portail.exemple.fr")
}

/// A host.
pub(crate) fn host(name: &str) -> Host {
    name.parse().unwrap()
}

/// A role.
pub(crate) fn role(name: &str) -> Role {
    name.parse().unwrap()
}

/// What comes of as many calls at the same time.
pub(crate) async fn in_parallel<T, F>(calls: impl IntoIterator<Item = F>) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let running: tokio::task::JoinSet<T> = calls.into_iter().collect();
    running.join_all().await
}
