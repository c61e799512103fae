//! A door with a tiny application behind it, and clients for it.

use std::{
    net::{IpAddr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use octroi_certs::{
    bundle::BundleSource,
    dev_authority::DevelopmentAuthority,
    reload,
    resolver::Resolver,
    tickets,
    tls::{self, Profile},
};
use octroi_policy::id::SessionId;
use pingora::{
    http::ResponseHeader,
    proxy::{ProxyHttp, Session, http_proxy},
    server::configuration::ServerConf,
    upstreams::peer::HttpPeer,
};
use rustls::{ClientConfig, RootCertStore, crypto::aws_lc_rs};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::upstream;
use crate::listener::{
    Caps, Closing, Entrance,
    facts::ConnectionFacts,
    limits::{Limits, TunnelLimits},
    open_requests::{self, EndReason, OpenLabel, OpenRequest, OpenRequests, Registration, Tenure},
    refusal::{DoorRefusal, DoorRefusals},
    serve_https, sockets,
    tunnel::{
        Takeover, TunnelEnd, TunnelFault, TunnelOutcome, TunnelWatch, WebSocketKey,
        dial::{DirectDial, UpstreamAddress},
    },
};

/// Everything that one test needs.
pub(super) struct World {
    pub(super) address: SocketAddr,
    pub(super) open: Arc<OpenRequests>,
    pub(super) caps: Arc<Caps>,
    pub(super) seen: Arc<Seen>,
    pub(super) resolver: Arc<Resolver>,
    pub(super) sources: Vec<BundleSource>,
    pub(super) authority: DevelopmentAuthority,
    pub(super) folder: tempfile::TempDir,
    stop: watch::Sender<bool>,
    cut: watch::Sender<bool>,
    served: JoinHandle<std::io::Result<()>>,
    pub(super) roots: RootCertStore,
}

/// Says only what was refused.
struct PlainRefusals;

impl DoorRefusals for PlainRefusals {
    fn refuse(&self, facts: &Arc<ConnectionFacts>, refusal: DoorRefusal) -> Response<Bytes> {
        let status = match refusal {
            DoorRefusal::Malformed(_) => StatusCode::BAD_REQUEST,
            DoorRefusal::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            DoorRefusal::HeadTooSlow | DoorRefusal::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
        };
        let text = format!("{refusal:?} to {}", facts.client.ip());
        let answer = Response::builder()
            .status(status)
            .header("content-length", text.len());
        answer.body(text.into()).unwrap()
    }

    fn refused_unseen(&self, _facts: &Arc<ConnectionFacts>) {}
}

/// What a test may change before the door opens.
pub(super) struct Plan {
    pub(super) limits: Limits,
    pub(super) tunnel: TunnelLimits,
    pub(super) profile: Profile,
    pub(super) has_default_certificate: bool,
    pub(super) proxy_header_from: Vec<IpAddr>,
    pub(super) eager_upstream: bool,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            tunnel: TunnelLimits::default(),
            profile: Profile::Intermediate,
            has_default_certificate: false,
            proxy_header_from: Vec::new(),
            eager_upstream: false,
        }
    }
}

/// What the application saw.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) requests: Mutex<Vec<String>>,
    pub(super) contexts_dropped: Mutex<usize>,
    pub(super) tunnels: Mutex<Vec<TunnelEnd>>,
    pub(super) tunnel_bytes: Mutex<u64>,
    pub(super) watches_dropped: Mutex<usize>,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = Plan::default();
        change(&mut plan);
        let upstream = if plan.eager_upstream {
            upstream::start_eager().await
        } else {
            upstream::start().await
        };
        let folder = tempfile::tempdir().unwrap();
        let authority = DevelopmentAuthority::create(&["test.example"], now()).unwrap();
        let sources = vec![
            source(
                &authority,
                folder.path(),
                &["app.localhost", "*.wild.localhost"],
                false,
            ),
            source(
                &authority,
                folder.path(),
                &["other.localhost"],
                plan.has_default_certificate,
            ),
        ];
        let resolver = Resolver::new(&reload::load_all(&sources).unwrap());
        let limits = Arc::new(plan.limits);
        let (caps, tickets) = (caps(&limits), tickets::rotating().unwrap());
        let entrance = Arc::new(Entrance {
            tls: tls::server_config(Arc::clone(&resolver), tickets, plan.profile).unwrap(),
            certificates: Arc::clone(&resolver),
            proxy_header_from: plan.proxy_header_from.into_iter().map(Into::into).collect(),
            caps: Arc::clone(&caps),
            limits: Arc::clone(&limits),
            refusals: Arc::new(PlainRefusals),
        });
        let open = OpenRequests::new();
        let seen = Arc::new(Seen::default());
        let app = App {
            upstream,
            open: Arc::clone(&open),
            seen: Arc::clone(&seen),
            tunnel: plan.tunnel,
        };
        let proxy = Arc::new(http_proxy(&Arc::new(ServerConf::default()), app));
        let listener = sockets::bind("127.0.0.1:0".parse().unwrap(), 1)
            .unwrap()
            .remove(0);
        let address = listener.local_addr().unwrap();
        let (stop, shutdown) = watch::channel(false);
        let cut = watch::Sender::new(false);
        let serving = serve_https(listener, proxy, entrance, closing(shutdown, &cut));
        let served = tokio::spawn(serving);
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(authority.certificate_pem().as_bytes()).unwrap();
        roots.add(root).unwrap();
        Self {
            address,
            open,
            caps,
            seen,
            resolver,
            sources,
            authority,
            folder,
            stop,
            cut,
            served,
            roots,
        }
    }

    /// TLS settings of a client that trusts the world's authority.
    pub(super) fn client(&self, protocols: &[&str]) -> ClientConfig {
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(self.roots.clone())
                .with_no_client_auth();
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        config
    }

    pub(super) async fn connect_as(
        &self,
        name: &str,
        config: ClientConfig,
    ) -> std::io::Result<Client> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        self.secure(stream, name, config).await
    }

    pub(super) async fn secure(
        &self,
        stream: TcpStream,
        name: &str,
        config: ClientConfig,
    ) -> std::io::Result<Client> {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await?;
        Ok(Client {
            stream,
            read: Vec::new(),
        })
    }

    /// A connection on which HTTP/1.1 is spoken.
    pub(super) async fn http1(&self) -> Client {
        self.connect_as("app.localhost", self.client(&["http/1.1"]))
            .await
            .unwrap()
    }

    /// A connection on which HTTP/2 is spoken.
    pub(super) async fn http2(&self) -> h2::client::SendRequest<Bytes> {
        let client = self
            .connect_as("app.localhost", self.client(&["h2"]))
            .await
            .unwrap();
        let (send, connection) = h2::client::handshake(client.stream).await.unwrap();
        tokio::spawn(connection);
        send.ready().await.unwrap()
    }

    /// A WebSocket of a session, after its 101.
    pub(super) async fn websocket(&self, path: &str, session: u8) -> Client {
        let mut client = self.http1().await;
        client.send(&upgrade(path, session)).await;
        let head = client.read_head().await;
        assert!(
            head.starts_with("HTTP/1.1 101 Switching Protocols\r\n"),
            "{head}"
        );
        client
    }

    /// Ends all that a session has open.
    pub(super) fn end_session(&self, session: u8) -> usize {
        self.open
            .end_session(session_id(session), EndReason::SessionEnded)
    }

    /// Tells the door to stop; gives what `serve_https` gives.
    pub(super) async fn stop(self) -> std::io::Result<()> {
        self.begin_to_stop();
        self.served.await.unwrap()
    }

    pub(super) fn begin_to_stop(&self) {
        self.stop.send_replace(true);
    }

    /// Tells the door to stop, and to cut what is open.
    pub(super) async fn cut(self) -> std::io::Result<()> {
        self.begin_to_stop();
        self.cut.send_replace(true);
        self.served.await.unwrap()
    }
}

fn closing(shutdown: watch::Receiver<bool>, cut: &watch::Sender<bool>) -> Closing {
    let cut = cut.subscribe();
    Closing { shutdown, cut }
}

/// A client's side of a connection.
pub(super) struct Client {
    pub(super) stream: TlsStream<TcpStream>,
    read: Vec<u8>,
}

impl Client {
    pub(super) async fn send(&mut self, bytes: &str) {
        self.stream.write_all(bytes.as_bytes()).await.unwrap();
    }

    /// Sends what may come too late.
    pub(super) async fn try_send(&mut self, bytes: &str) {
        // What the door answers is what a test looks at.
        let _ = self.stream.write_all(bytes.as_bytes()).await;
    }

    /// Reads `count` bytes.
    pub(super) async fn read_exactly(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            assert!(self.read_some().await > 0, "closed early: {:?}", self.read);
        }
        let rest = self.read.split_off(count);
        std::mem::replace(&mut self.read, rest)
    }

    /// Reads up to the empty line.
    pub(super) async fn read_head(&mut self) -> String {
        loop {
            if let Some(end) = super::super::head::end(&self.read, 0) {
                return String::from_utf8(self.read_exactly(end).await).unwrap();
            }
            assert!(self.read_some().await > 0, "closed early: {:?}", self.read);
        }
    }

    /// Reads a whole answer with `Content-Length`.
    pub(super) async fn read_answer(&mut self) -> (String, String) {
        let head = self.read_head().await;
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase()
                .strip_prefix("content-length: ")?
                .parse()
                .ok()
        });
        let body = self.read_exactly(length.unwrap()).await;
        (head, String::from_utf8(body).unwrap())
    }

    /// Reads to the end, be it clean or not.
    pub(super) async fn read_to_end(&mut self) -> Vec<u8> {
        while self.read_some().await > 0 {}
        std::mem::take(&mut self.read)
    }

    /// Reads to the end, which must come with TLS's own goodbye.
    pub(super) async fn read_to_clean_end(&mut self) -> Vec<u8> {
        self.stream.read_to_end(&mut self.read).await.unwrap();
        std::mem::take(&mut self.read)
    }

    async fn read_some(&mut self) -> usize {
        let read = self.stream.read_buf(&mut self.read);
        let read = timeout(Duration::from_secs(10), read).await;
        read.expect("nothing came for 10 s").unwrap_or(0)
    }
}

pub(super) fn now() -> UnixTime {
    UnixTime::now()
}

pub(super) fn session_id(session: u8) -> SessionId {
    SessionId::from_bytes([session; 16])
}

pub(super) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: app.localhost\r\n\r\n")
}

pub(super) fn upgrade(path: &str, session: u8) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: app.localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\nX-Session: {session}\r\n\r\n",
        upstream::KEY
    )
}

/// Writes a certificate for `names`; a later call for the same first name replaces it.
pub(super) fn source(
    authority: &DevelopmentAuthority,
    folder: &Path,
    names: &[&str],
    is_default: bool,
) -> BundleSource {
    let issued = authority.issue(names, now()).unwrap();
    let (chain, key) = (
        folder.join(format!("{}.pem", names[0])),
        folder.join(format!("{}.key", names[0])),
    );
    std::fs::write(&chain, issued.chain_pem).unwrap();
    std::fs::write(&key, issued.key_pem.as_bytes()).unwrap();
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    BundleSource {
        names: names.iter().map(|name| name.parse().unwrap()).collect(),
        chain,
        key,
        is_default,
    }
}

fn caps(limits: &Limits) -> Arc<Caps> {
    Caps::new(
        limits.connections_max,
        limits.connections_per_client_max,
        limits.streams_per_client_max,
    )
}

struct App {
    upstream: SocketAddr,
    open: Arc<OpenRequests>,
    seen: Arc<Seen>,
    tunnel: TunnelLimits,
}

struct Context {
    open: Option<Arc<OpenRequest>>,
    registration: Option<Registration>,
    seen: Arc<Seen>,
}

impl Drop for Context {
    fn drop(&mut self) {
        *self.seen.contexts_dropped.lock().unwrap() += 1;
    }
}

#[async_trait::async_trait]
impl ProxyHttp for App {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        Context {
            open: open_requests::current(),
            registration: None,
            seen: Arc::clone(&self.seen),
        }
    }

    async fn request_filter(
        &self,
        session: &mut Session,
        ctx: &mut Context,
    ) -> pingora::Result<bool> {
        let head = session.req_header();
        let path = head.uri.path().to_owned();
        self.seen.requests.lock().unwrap().push(path.clone());
        let open = ctx
            .open
            .clone()
            .expect("the door's loop sets the current request");
        if path == "/facts" {
            let facts = &open.facts;
            let text = format!(
                "{} {:?} {:?} {:?} {}",
                facts.client.ip(),
                facts.tls.server_name,
                facts.protocol,
                facts.tls.version,
                facts.tls.cipher_suite,
            );
            let mut answer = ResponseHeader::build(200, None)?;
            answer.insert_header("Content-Length", text.len())?;
            session
                .write_response_header(Box::new(answer), false)
                .await?;
            session.write_response_body(Some(text.into()), true).await?;
            return Ok(true);
        }
        if let Some(number) = head.headers.get("x-session") {
            let label = OpenLabel {
                session: session_id(number.to_str().unwrap().parse().unwrap()),
                tenure: Arc::new(ForEver),
            };
            ctx.registration = Some(self.open.register(label, Arc::clone(&open)));
        }
        if head.headers.contains_key("expect") {
            open.body.hold_back();
        }
        if session.is_upgrade_req() {
            open.take_over(self.takeover(session, ctx));
            return Ok(true);
        }
        Ok(false)
    }

    async fn request_body_filter(
        &self,
        _session: &mut Session,
        body: &mut Option<Bytes>,
        is_last: bool,
        ctx: &mut Context,
    ) -> pingora::Result<()> {
        let length = body.as_ref().map_or(0, Bytes::len);
        ctx.open.as_ref().unwrap().body.received(length, is_last);
        Ok(())
    }

    async fn upstream_response_filter(
        &self,
        _session: &mut Session,
        answer: &mut ResponseHeader,
        ctx: &mut Context,
    ) -> pingora::Result<()> {
        let body = &ctx.open.as_ref().unwrap().body;
        if answer.status.is_informational() {
            body.told_to_go_on();
        } else {
            body.answer_began();
        }
        Ok(())
    }

    fn response_body_filter(
        &self,
        _session: &mut Session,
        _body: &mut Option<Bytes>,
        is_last: bool,
        ctx: &mut Context,
    ) -> pingora::Result<Option<Duration>> {
        if is_last {
            ctx.open.as_ref().unwrap().body.answer_over();
        }
        Ok(None)
    }

    async fn upstream_peer(
        &self,
        _: &mut Session,
        _: &mut Context,
    ) -> pingora::Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.upstream, false, String::new())))
    }
}

impl App {
    fn takeover(&self, session: &Session, ctx: &mut Context) -> Takeover {
        let head = session.req_header();
        let mut request = http::Request::get(head.uri.path()).body(()).unwrap();
        for name in [
            "host",
            "upgrade",
            "connection",
            "sec-websocket-version",
            "sec-websocket-key",
        ] {
            let value = head.headers.get(name).unwrap().clone();
            request
                .headers_mut()
                .insert(http::HeaderName::from_static(name), value);
        }
        Takeover {
            dial: Box::new(DirectDial {
                address: UpstreamAddress::Inet(self.upstream),
                tls: None,
            }),
            key: WebSocketKey::parse(head.headers["sec-websocket-key"].as_bytes()).unwrap(),
            request,
            limits: self.tunnel,
            watch: Box::new(Watch {
                seen: Arc::clone(&self.seen),
                _registration: ctx.registration.take(),
            }),
        }
    }
}

struct Watch {
    seen: Arc<Seen>,
    _registration: Option<Registration>,
}

impl TunnelWatch for Watch {
    fn answer(&mut self, _status: StatusCode, headers: &mut HeaderMap) {
        headers.insert("x-filtered", "yes".parse().unwrap());
    }

    fn refuse(&mut self, fault: TunnelFault) -> Response<Bytes> {
        let answer = Response::builder().status(StatusCode::BAD_GATEWAY);
        answer.body(format!("{fault:?}").into()).unwrap()
    }

    fn finished(&mut self, outcome: &TunnelOutcome) {
        *self.seen.tunnel_bytes.lock().unwrap() += outcome.bytes_to_client;
        self.seen.tunnels.lock().unwrap().push(outcome.end);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.seen.watches_dropped.lock().unwrap() += 1;
    }
}

/// Waits until something holds that other tasks bring about.
pub(super) async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("did not come about: {what}");
}

/// No configuration changes here.
struct ForEver;

impl Tenure for ForEver {
    fn holds(&self) -> bool {
        true
    }
}
