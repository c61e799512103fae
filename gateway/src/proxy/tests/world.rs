//! A gate with its routes, a recording service behind it, and a client that writes bytes.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use axum::{Router, extract::Request, http::HeaderMap, response::IntoResponse};
use bytes::Bytes;
use octroi_certs::tls::Profile;
use octroi_policy::{
    assurance::Assurance,
    host::Host,
    id::{AccountId, SessionId, TenantId},
    request::read_http1_head,
    session::{Computer, SessionEpoch, SessionRecord, Stage, TokenFacts},
    time::Timestamp,
};
use pingora::{
    protocols::http::ServerSession, proxy::http_proxy, server::configuration::ServerConf,
};
use prometheus_client::metrics::counter::Counter;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::TcpListener,
};

use super::super::{
    Gate, GateParts,
    access_log::AccessLog,
    rate_limit::AddressLimit,
    refusal::{ErrorPage, ErrorPages, RenderedPage},
    request_id::RequestIds,
    site::Site,
    upstream::ServicesTls,
};
use crate::{
    assertion::{Passports, SigningKeys},
    clock::{Clock, ManualClock},
    entropy::{SystemEntropy, random},
    identity::secret::SessionToken,
    keyring::Keyring,
    listener::{
        facts::{ConnectionFacts, Protocol, TlsFacts, TlsVersion},
        open_requests::{OpenRequest, OpenRequests, within},
        refusal::{DoorRefusal, DoorRefusals},
    },
    metrics::Metrics,
    portal::{Routers, Visitor},
    store::{
        FaultText, StoreError, Stores,
        adversarial::{self, Weather},
        live::{AccountState, LiveSession, LiveToken},
        memory,
        sessions::{
            Cached, EndReason, NewToken, SessionEnding, SessionOpening, SessionStore, SessionView,
            TokenHash,
        },
    },
};

pub(super) const NOW: Timestamp = Timestamp::from_unix_millis(1_790_000_000_000);

/// What the services saw: each request's head and body, as text.
#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// The only request that was seen.
    pub(super) fn one(&self) -> String {
        let all = self.all();
        assert_eq!(all.len(), 1, "{all:#?}");
        all[0].clone()
    }
}

/// The values of a field in a head.
pub(super) fn fields<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": "))
        .filter(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

pub(super) struct World {
    pub(super) gate: Gate,
    pub(super) seen: Seen,
    pub(super) sessions: Arc<Sessions>,
    pub(super) clock: ManualClock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) keys: Arc<SigningKeys>,
    pub(super) passports: Arc<Passports>,
    /// What lies behind passports and, in a weather, behind sessions.
    pub(super) stores: Stores,
    pub(super) log: AccessLog,
}

impl World {
    /// A gate whose services answer with `answer`.
    pub(super) async fn answering(answer: &'static str) -> Self {
        let seen = Seen::default();
        let upstream = service(seen.clone(), answer).await;
        Self::before(upstream, seen).await
    }

    pub(super) async fn new() -> Self {
        Self::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await
    }

    /// A gate before a service at `upstream`.
    pub(super) async fn before(upstream: SocketAddr, seen: Seen) -> Self {
        Self::assemble(upstream, seen, None).await
    }

    /// A gate whose sessions and accounts lie in a store that suffers from `weather`.
    pub(super) async fn in_weather(weather: Weather) -> Self {
        let seen = Seen::default();
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let upstream = service(seen.clone(), answer).await;
        Self::assemble(upstream, seen, Some(weather)).await
    }

    async fn assemble(upstream: SocketAddr, seen: Seen, weather: Option<Weather>) -> Self {
        let clock = ManualClock::at(NOW);
        let entropy = Arc::new(SystemEntropy);
        let metrics = Metrics::new();
        let keyring = Arc::new(Keyring::ephemeral(&SystemEntropy).unwrap());
        let sessions = Arc::new(Sessions::default());
        let stores = memory::open(keyring, entropy.clone());
        let (stores, asked): (_, Arc<dyn SessionStore>) = match weather {
            Some(weather) => {
                let stores = adversarial::wrap(stores, weather);
                (stores.clone(), stores.sessions)
            }
            None => (stores, sessions.clone()),
        };
        let keys = SigningKeys::open(stores.signing_keys.clone(), NOW).await;
        let keys = Arc::new(keys.unwrap());
        let log = AccessLog::new(Counter::default());
        let text = CONFIGURATION.replace("UPSTREAM", &upstream.to_string());
        let settings = octroi_config::parse(&text, Path::new("/octroi.toml"))
            .unwrap_or_else(|problems| panic!("{problems:#?}"))
            .settings;
        let site = Site::new(
            &settings,
            &Arc::from([]),
            443,
            &ServicesTls::new(Profile::Intermediate, None),
            &metrics,
        )
        .unwrap();
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let (count, burst) = (1.try_into().unwrap(), 50.try_into().unwrap());
        let minute = Duration::from_mins(1);
        let limit = || AddressLimit::new(count, minute, burst).unwrap();
        let passports = Arc::new(Passports::new(
            keys.clone(),
            stores.accounts.clone(),
            shared.clone(),
            entropy.clone(),
        ));
        let gate = Gate::new(GateParts {
            site: Arc::new(ArcSwap::from_pointee(site)),
            sessions: asked,
            passports: passports.clone(),
            routers: routers(),
            error_pages: Arc::new(PlainPages),
            open_requests: OpenRequests::new(),
            limit: Arc::new(ArcSwap::from_pointee(limit())),
            public_limit: Arc::new(ArcSwap::from_pointee(limit())),
            request_ids: RequestIds::new(entropy),
            metrics: metrics.clone(),
            access_log: log.clone(),
            clock: shared,
        });
        Self {
            gate,
            seen,
            sessions,
            clock,
            metrics,
            keys,
            passports,
            stores,
            log,
        }
    }

    /// Sends bytes on a connection of their own; all that comes back until it is closed.
    pub(super) async fn send(&self, request: impl AsRef<[u8]>) -> String {
        self.send_as(None, request).await.0
    }

    /// The door is stood in for: what it refuses by its bytes never gets to Pingora.
    pub(super) async fn send_as(
        &self,
        server_name: Option<&str>,
        request: impl AsRef<[u8]>,
    ) -> (String, Arc<OpenRequest>) {
        let bytes = request.as_ref();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let head = end.and_then(|end| bytes.get(..end + 4)).unwrap_or(bytes);
        if let Err(malformed) = read_http1_head(head) {
            let open = OpenRequest::new(facts(server_name));
            let refusal = DoorRefusal::Malformed(malformed);
            let answer = DoorRefusals::refuse(&self.gate, &open.facts, refusal);
            return (format!("HTTP/1.1 {}\r\n\r\n", answer.status()), open);
        }
        let (mut client, ours) = tokio::io::duplex(1 << 20);
        client.write_all(request.as_ref()).await.unwrap();
        let open = OpenRequest::new(facts(server_name));
        self.serve(ours, open.clone()).await;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        (String::from_utf8_lossy(&answer).into_owned(), open)
    }

    /// Answers one request of a connection.
    pub(super) async fn serve(&self, stream: DuplexStream, open: Arc<OpenRequest>) {
        use pingora::apps::HttpServerApp;
        let conf = Arc::new(ServerConf::default());
        let proxy = Arc::new(http_proxy(&conf, self.gate.clone()));
        let (_stop, shutdown) = tokio::sync::watch::channel(false);
        let session = ServerSession::new_http1(Box::new(stream));
        let answered = within(open, proxy.process_new_http(session, &shutdown));
        drop(
            tokio::time::timeout(Duration::from_secs(20), answered)
                .await
                .unwrap(),
        );
    }

    /// The access lines until now.
    pub(super) fn access_lines(&self) -> Vec<serde_json::Value> {
        self.log.close();
        let mut written = Vec::new();
        self.log.write_to(&mut written);
        let text = String::from_utf8(written).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

pub(super) fn facts(server_name: Option<&str>) -> Arc<ConnectionFacts> {
    let address: SocketAddr = "192.0.2.7:4711".parse().unwrap();
    Arc::new(ConnectionFacts {
        client: address,
        protocol: Protocol::Http1,
        tls: TlsFacts {
            server_name: server_name.map(Arc::from),
            version: TlsVersion::Tls13,
            cipher_suite: "TLS13_AES_256_GCM_SHA384",
        },
    })
}

/// A service that writes down what it gets and answers always the same.
pub(super) async fn service(seen: Seen, answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(record(stream, seen.clone(), answer));
        }
    });
    address
}

async fn record(mut stream: tokio::net::TcpStream, seen: Seen, answer: &'static str) {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = stream.read(&mut piece).await {
        request.extend_from_slice(&piece[..read]);
        if is_whole(&request) {
            let text = String::from_utf8_lossy(&request).replace("\r\n", "\n");
            seen.0.lock().unwrap().push(text);
            request.clear();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_ascii_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with("0\r\n\r\n");
    }
    let length = head.split("content-length: ").nth(1);
    let length = length.and_then(|rest| rest.lines().next()?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

/// Pages that say what they were given.
fn routers() -> Routers {
    async fn page(request: Request) -> impl IntoResponse {
        let visitor = request.extensions().get::<Visitor>().cloned();
        let visitor = visitor.expect("each request bears a visitor");
        let what = format!(
            "{} {} on {} from {} token {}",
            request.method(),
            request.uri(),
            visitor.host,
            visitor.client.address,
            visitor.token.is_some(),
        );
        let body = axum::body::to_bytes(request.into_body(), usize::MAX)
            .await
            .unwrap();
        let mut headers = HeaderMap::new();
        headers.append("set-cookie", "a=b".parse().unwrap());
        headers.append("set-cookie", "c=d".parse().unwrap());
        (headers, format!("{what} body {}", body.len()))
    }
    async fn login(request: Request) -> impl IntoResponse {
        let location = format!(
            "https://login.example.com/from?{}",
            request.uri().query().unwrap()
        );
        (http::StatusCode::SEE_OTHER, [("location", location)])
    }
    let application = Router::new().route("/.octroi/login", axum::routing::get(login));
    Routers {
        portal: Router::new().fallback(page),
        application: application.route("/.octroi/session", axum::routing::any(page)),
    }
}

struct PlainPages;

impl ErrorPages for PlainPages {
    fn render(&self, page: &ErrorPage<'_>) -> RenderedPage {
        RenderedPage {
            body: Bytes::from(format!("<p>{:?} {}</p>", page.kind, page.request_id)),
            content_security_policy: "default-src 'none'".into(),
            language: "en",
        }
    }
}

/// What the sessions' memory answers.
#[derive(Default)]
pub(super) struct Sessions {
    known: Mutex<std::collections::HashMap<TokenHash, Arc<LiveToken>>>,
    /// How the store behind behaves.
    pub(super) behind: Mutex<Behind>,
}

#[derive(Clone, Copy, Default)]
pub(super) enum Behind {
    /// Everything is in memory.
    #[default]
    Embedded,
    /// Nothing is in memory, everything is behind.
    Remote,
    /// Nothing is in memory, and what is behind cannot be reached.
    Down,
}

impl Sessions {
    /// A session of marie's, with the roles, for one host; the cookie that bears its token.
    pub(super) fn open(
        &self,
        host: &str,
        roles: &[&str],
        computer: Computer,
    ) -> (String, Arc<LiveToken>) {
        let token = SessionToken::draw(&SystemEntropy).unwrap();
        let record = SessionRecord {
            id: SessionId::from_random(random(&SystemEntropy).unwrap()),
            account: AccountId::from_random([2; 16]),
            tenant_id: TenantId::from_random([3; 16]),
            tenant: "acme".parse().unwrap(),
            roles: roles.iter().map(|role| role.parse().unwrap()).collect(),
            grants: Box::default(),
            epoch: SessionEpoch(1),
            stage: Stage::Full,
            computer,
            started_at: NOW,
            authenticated_at: NOW,
            ends_at: NOW.after(Duration::from_hours(24)),
            idle_limit: Duration::from_hours(1),
        };
        let account = Arc::new(AccountState::at(SessionEpoch(1)));
        let hash = TokenHash(token.digest());
        let facts = TokenFacts {
            host: host.parse::<Host>().unwrap(),
            assurance: Assurance::Password,
            issued_at: NOW,
        };
        let session = Arc::new(LiveSession::new(record, NOW, account));
        let known = Arc::new(LiveToken::new(session, NewToken { hash, facts }));
        self.known.lock().unwrap().insert(hash, known.clone());
        (format!("__Host-octroi={}", *token.expose()), known)
    }
}

fn unavailable<T>() -> Result<T, StoreError> {
    Err(StoreError::Unavailable(FaultText::new("the store is down")))
}

#[async_trait::async_trait]
impl SessionStore for Sessions {
    fn cached(&self, token: &TokenHash) -> Cached {
        match *self.behind.lock().unwrap() {
            Behind::Embedded => match self.known.lock().unwrap().get(token) {
                Some(known) => Cached::Hit(known.clone()),
                None => Cached::KnownAbsent,
            },
            Behind::Remote | Behind::Down => Cached::Miss,
        }
    }

    async fn load(&self, token: &TokenHash) -> Result<Option<Arc<LiveToken>>, StoreError> {
        let behind = *self.behind.lock().unwrap();
        match behind {
            Behind::Down => unavailable(),
            Behind::Embedded | Behind::Remote => Ok(self.known.lock().unwrap().get(token).cloned()),
        }
    }

    async fn open(&self, _: SessionOpening) -> Result<Arc<LiveToken>, StoreError> {
        unavailable()
    }

    async fn end(&self, _: SessionEnding) -> Result<bool, StoreError> {
        unavailable()
    }

    async fn end_all(
        &self,
        _: AccountId,
        _: Option<SessionId>,
        _: EndReason,
    ) -> Result<Vec<SessionId>, StoreError> {
        unavailable()
    }

    fn live(&self, _: SessionId) -> Option<Arc<LiveSession>> {
        None
    }

    fn live_of(&self, _: AccountId) -> Vec<Arc<LiveSession>> {
        Vec::new()
    }

    async fn find(&self, _: SessionId) -> Result<Option<SessionView>, StoreError> {
        unavailable()
    }

    async fn of_account(&self, _: AccountId) -> Result<Vec<SessionView>, StoreError> {
        unavailable()
    }

    async fn past(&self, _: AccountId, _: u16) -> Result<Vec<SessionView>, StoreError> {
        unavailable()
    }

    async fn list(&self, _: u16) -> Result<Vec<SessionView>, StoreError> {
        unavailable()
    }

    async fn flush_last_used(&self) -> Result<(), StoreError> {
        unavailable()
    }

    async fn settle(&self) -> Result<(), StoreError> {
        unavailable()
    }

    async fn sweep(&self, _: Timestamp, _: Timestamp) -> Result<Vec<SessionId>, StoreError> {
        unavailable()
    }
}

pub(in crate::proxy) const CONFIGURATION: &str = r#"
[server]
https = "127.0.0.1:8443"
portal = "login.example.com"
data = "/var/lib/octroi"
keyring = "/etc/octroi/keyring"

[[certificate]]
names = ["*.example.com"]
chain = "/etc/octroi/chain.pem"
key_file = "/etc/octroi/key.pem"

[tenants]
default = "acme"

[[route]]
name = "paie"
host = "paie.example.com"
to = ["http://UPSTREAM"]
allow = { roles = ["rh"], tenants = ["acme"] }
sign_in = "password"

[[route]]
name = "named"
host = "paie.example.com"
path = "/named"
to = ["http://UPSTREAM"]
allow = { roles = ["rh"], tenants = ["acme"] }
sign_in = "password"
identity = { login = "X-Employee" }

[[route]]
name = "polled"
host = "paie.example.com"
path = "/polled"
to = ["http://UPSTREAM"]
allow = { roles = ["rh"], tenants = ["acme"] }
sign_in = "password"
background = true

[[route]]
name = "webhooks"
host = "paie.example.com"
path = "/webhooks/"
to = ["http://UPSTREAM"]
sign_in = "public"

[[route]]
name = "open"
host = "open.example.com"
path = "/public"
to = ["http://UPSTREAM"]
sign_in = "public"

[[route]]
name = "down"
host = "down.example.com"
to = ["http://127.0.0.1:1"]
sign_in = "public"

[[route]]
name = "half-down"
host = "half-down.example.com"
to = ["http://127.0.0.1:1", "http://UPSTREAM"]
sign_in = "public"

[[route]]
name = "slow"
host = "slow.example.com"
to = ["http://UPSTREAM"]
sign_in = "public"
timeouts = { response = "1s", idle = "2s" }
"#;
