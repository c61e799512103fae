//! Plain HTTP: sends people to HTTPS, and lets an ACME client answer its authority. Nothing else.

use std::{
    io::{self, Read},
    net::{IpAddr, SocketAddr},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use octroi_policy::{host::Host, request::read_http1_head};
use pingora::server::ShutdownWatch;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
    time::timeout,
};

use super::{accept::accept, caps::Caps, head, limits::Limits};

/// What the plain listener knows.
pub(crate) struct PlainEntrance {
    /// Whether a host is one of ours; changes with a reload.
    pub(crate) is_ours: Box<dyn Fn(&Host) -> bool + Send + Sync>,
    /// The port at which people reach HTTPS.
    pub(crate) public_https_port: u16,
    /// Where an ACME client puts its answers; only `/.well-known/acme-challenge/<token>` is served
    /// of it.
    pub(crate) acme_webroot: Option<PathBuf>,
    /// Counts an answer to an address, or says how long it has to wait for the next: whoever asks
    /// here is not signed in.
    pub(crate) count_answer: Box<dyn Fn(IpAddr) -> Result<(), Duration> + Send + Sync>,
    /// Counts connections, those of HTTPS too.
    pub(crate) caps: Arc<Caps>,
    /// Every limit.
    pub(crate) limits: Arc<Limits>,
}

/// Serves plain HTTP until `shutdown` turns true.
///
/// # Errors
///
/// When the socket cannot be used.
pub(crate) async fn serve(
    listener: std::net::TcpListener,
    entrance: Arc<PlainEntrance>,
    mut shutdown: ShutdownWatch,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            Some(_) = connections.join_next() => continue,
            _ = shutdown.wait_for(|stops| *stops) => return Ok(()),
        };
        connections.spawn(answer_one(stream, peer, Arc::clone(&entrance)));
    }
}

/// One request a connection: whoever is sent to HTTPS has nothing more to ask here.
async fn answer_one(mut stream: TcpStream, peer: SocketAddr, entrance: Arc<PlainEntrance>) {
    let (Some(_slot), Some(_place)) = (entrance.caps.enter(), entrance.caps.enter_as(peer.ip()))
    else {
        return;
    };
    let limits = &entrance.limits;
    let head = timeout(limits.head_timeout, read_head(&mut stream, limits)).await;
    if matches!(head, Ok(Err(_))) {
        return;
    }
    let answer = match ((entrance.count_answer)(peer.ip()), head) {
        (Err(wait), _) => Answer::TooMany(wait),
        (_, Ok(Ok(Some(head)))) => answer(&head, &entrance),
        (_, Ok(_)) => Answer::Status("431 Request Header Fields Too Large"),
        (_, Err(_)) => Answer::Status("408 Request Timeout"),
    };
    let bytes = answer.into_bytes(limits.head_timeout).await;
    let told = async {
        stream.write_all(&bytes).await?;
        stream.shutdown().await?;
        // The client may still be sending; closing on it would take the answer away.
        tokio::io::copy(
            &mut (&mut stream).take(LINGER_BYTES_MAX),
            &mut tokio::io::sink(),
        )
        .await
    };
    // A client that does not listen has had its chance.
    let _ = timeout(limits.head_timeout, told).await;
}

/// A whole head; `None` if it is too long.
async fn read_head(stream: &mut TcpStream, limits: &Limits) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    loop {
        let searched = bytes.len();
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match head::end(&bytes, searched) {
            Some(end) if end <= limits.head_bytes_max => {
                bytes.truncate(end);
                return Ok(Some(bytes));
            }
            Some(_) => return Ok(None),
            None if bytes.len() > limits.head_bytes_max => return Ok(None),
            None => {}
        }
    }
}

/// What a request gets.
#[derive(Debug, Eq, PartialEq)]
enum Answer {
    Status(&'static str),
    Redirect(String),
    /// The content of this file.
    Challenge(PathBuf),
    TooMany(Duration),
}

fn answer(head: &[u8], entrance: &PlainEntrance) -> Answer {
    let bad = Answer::Status("400 Bad Request");
    if read_http1_head(head).is_err() {
        return bad;
    }
    let Some((target, host)) = parse(head, entrance.limits.head_fields_max) else {
        return bad;
    };
    if let Some(token) = target.strip_prefix(ACME_PREFIX)
        && let Some(webroot) = &entrance.acme_webroot
    {
        return challenge(webroot, token)
            .map_or(Answer::Status("404 Not Found"), Answer::Challenge);
    }
    if !(entrance.is_ours)(&host) {
        return bad;
    }
    let port = match entrance.public_https_port {
        443 => String::new(),
        port => format!(":{port}"),
    };
    Answer::Redirect(format!("https://{host}{port}{target}"))
}

/// The target in origin form and the one host of a request.
fn parse(head: &[u8], fields_max: usize) -> Option<(String, Host)> {
    let mut fields = vec![httparse::EMPTY_HEADER; fields_max];
    let mut request = httparse::Request::new(&mut fields);
    request
        .parse(head)
        .ok()
        .filter(httparse::Status::is_complete)?;
    let target = request.path?;
    // `//host` would lead elsewhere if anything resolved it as a reference.
    let is_plain = target.starts_with('/')
        && !target.starts_with("//")
        && target
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let mut hosts = request
        .headers
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("host"));
    let host = std::str::from_utf8(hosts.next()?.value).ok()?;
    if !is_plain || hosts.next().is_some() {
        return None;
    }
    let name = match host.rsplit_once(':') {
        Some((name, port)) => port.parse::<u16>().ok().map(|_| name)?,
        None => host,
    };
    Some((target.to_owned(), name.parse().ok()?))
}

/// The file in which an ACME client puts its answer for this token (RFC 8555, section 8.3).
fn challenge(webroot: &Path, token: &str) -> Option<PathBuf> {
    let is_token = (1..=TOKEN_BYTES_MAX).contains(&token.len())
        && token
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_token.then(|| webroot.join(".well-known/acme-challenge").join(token))
}

/// What an ACME client put into this file; `None` where there is none.
fn content_of(file: &Path) -> Option<Vec<u8>> {
    let no_link = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).ok()?;
    let no_wait = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).ok()?;
    let file = std::fs::File::options()
        .read(true)
        .custom_flags(no_link | no_wait)
        .open(file)
        .ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut content = Vec::new();
    file.take(CHALLENGE_BYTES_MAX)
        .read_to_end(&mut content)
        .ok()?;
    Some(content)
}

/// Readings of challenges. The folder may be on another machine: no thread that carries others waits
/// for it, and where it hangs, few threads do. Anybody may ask for any token.
struct Readings(Semaphore);

impl Readings {
    /// What `read` gives; `None` where that is not known within `patience`.
    async fn read<T: Send + 'static>(
        &'static self,
        patience: Duration,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let result = async {
            let place = self.0.acquire().await.ok()?;
            let reading = spawn_blocking(move || {
                // Held by the thread, which may wait for longer than the client does.
                let _place = place;
                read()
            });
            reading.await.ok()
        };
        timeout(patience, result).await.ok().flatten()
    }
}

static READINGS: Readings = Readings(Semaphore::const_new(READINGS_MAX));

impl Answer {
    /// As it is sent; a file is waited for no longer than `patience`.
    async fn into_bytes(self, patience: Duration) -> Vec<u8> {
        let (status, fields, body) = match self {
            Self::Status(status) => (status, String::new(), Vec::new()),
            Self::Redirect(to) => (
                "308 Permanent Redirect",
                format!("Location: {to}\r\n"),
                Vec::new(),
            ),
            Self::TooMany(wait) => (
                "429 Too Many Requests",
                // Rounded up: who comes back at the time that was told is answered.
                format!("Retry-After: {}\r\n", wait.as_millis().div_ceil(1000)),
                Vec::new(),
            ),
            Self::Challenge(file) => match READINGS.read(patience, move || content_of(&file)).await
            {
                Some(Some(content)) => (
                    "200 OK",
                    "Content-Type: text/plain\r\nCache-Control: no-store\r\n".to_owned(),
                    content,
                ),
                Some(None) => ("404 Not Found", String::new(), Vec::new()),
                None => ("503 Service Unavailable", String::new(), Vec::new()),
            },
        };
        let length = body.len();
        let mut bytes = format!(
            "HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        .into_bytes();
        bytes.extend(body);
        bytes
    }
}

/// RFC 8555, section 8.3.
const ACME_PREFIX: &str = "/.well-known/acme-challenge/";
/// Tokens have at least 128 bits in base64url (RFC 8555, section 8.3); this is far more.
const TOKEN_BYTES_MAX: usize = 128;
/// A key authorization is some 90 bytes long.
const CHALLENGE_BYTES_MAX: u64 = 4096;
/// Some more than the perspectives from which an authority looks at once.
const READINGS_MAX: usize = 16;
/// How much of what a client still sends is thrown away.
const LINGER_BYTES_MAX: u64 = 64 * 1024;

#[cfg(test)]
mod tests;
