//! An upstream that writes down exactly what reached it: the witness of every attack.
//!
//! It speaks HTTP/1.1 (over TCP, TLS or a Unix socket) or HTTP/2 (with TLS or without), and answers by a script. A request counts from
//! the moment its head arrived, whether or not its body ever does.

mod http1;
mod http2;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

use crate::answer::Response;
use crate::hpack::Field;

/// One request as it arrived.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// HTTP/1.1: the head, byte for byte. Empty on HTTP/2.
    pub raw: Vec<u8>,
    /// Method.
    pub method: String,
    /// Target, as on the request line or in `:path`.
    pub target: String,
    /// Fields in order of arrival, names as they were sent; on HTTP/2 with the pseudo-fields.
    pub fields: Vec<Field>,
    /// Content without transfer coding, as far as it came.
    pub body: Vec<u8>,
    /// Trailers.
    pub trailers: Vec<Field>,
    /// Whether the request arrived to its end.
    pub is_complete: bool,
}

impl Seen {
    /// All values of this field, in any case of its name.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.fields
            .iter()
            .filter(|(have, _)| have.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The only value of this field: `None` where there is none or more than one.
    pub fn only(&self, name: &str) -> Option<&str> {
        match self.all(name).as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    /// Everything that arrived, as one text: to be searched for what must not be in it.
    pub fn everything(&self) -> String {
        let first = format!("{} {}", self.method, self.target);
        let fields = self.fields.iter().chain(&self.trailers);
        let lines: Vec<String> = fields
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        [
            first,
            lines.join("\n"),
            String::from_utf8_lossy(&self.body).into_owned(),
        ]
        .join("\n")
    }
}

/// A stream that a script may go on talking over.
pub trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// What an upstream does with a request.
pub enum Reply {
    /// An ordinary response; the connection stays open.
    Response(Response),
    /// The script answered by itself; the connection ends.
    Taken,
}

type Script = dyn Fn(&Seen, &mut dyn Stream) -> Reply + Send + Sync;

/// A running upstream; its threads end with the test.
#[derive(Clone)]
pub struct Recorder {
    place: Place,
    notes: Notes,
}

#[derive(Clone)]
enum Place {
    Tcp(SocketAddr, &'static str),
    Unix(PathBuf),
}

/// What arrived, shared by the connections.
#[derive(Clone, Default)]
struct Notes {
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<Mutex<usize>>,
    resumed: Arc<Mutex<usize>>,
}

impl Notes {
    fn push(&self, seen: Seen) -> usize {
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(seen);
        all.len() - 1
    }

    fn update(&self, number: usize, seen: &Seen) {
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = all.get_mut(number) {
            place.clone_from(seen);
        }
    }

    fn connected(&self) {
        *self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner) += 1;
    }
}

impl Recorder {
    /// An HTTP/1.1 upstream that answers 200.
    pub fn start() -> Self {
        Self::scripted(plain)
    }

    /// An HTTP/1.1 upstream that does as the script says.
    pub fn scripted(
        script: impl Fn(&Seen, &mut dyn Stream) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listening("http", move |stream, notes| {
            stream.set_read_timeout(Some(Duration::from_mins(1))).ok();
            http1::serve(stream, notes, &script);
        })
    }

    /// An upstream over TLS with these settings: HTTP/2 where a client agreed on it, or else HTTP/1.1 by the script. A
    /// request counts only where the handshake was completed by both sides.
    pub fn over_tls(
        settings: Arc<ServerConfig>,
        script: impl Fn(&Seen, &mut dyn Stream) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::listening("https", move |stream, notes| {
            stream.set_read_timeout(Some(Duration::from_mins(1))).ok();
            let session = ServerConnection::new(Arc::clone(&settings)).expect("a session");
            serve_over_tls(StreamOwned::new(session, stream), notes, &script);
        })
    }

    /// An upstream that serves each connection on a thread of its own.
    fn listening(
        scheme: &'static str,
        serve: impl Fn(TcpStream, &Notes) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let place = Place::Tcp(listener.local_addr().expect("an address"), scheme);
        let notes = Notes::default();
        let (kept, serve) = (notes.clone(), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let (notes, serve) = (kept.clone(), Arc::clone(&serve));
                thread::spawn(move || serve(stream, &notes));
            }
        });
        Self { place, notes }
    }

    /// An HTTP/1.1 upstream on a Unix socket that answers 200.
    pub fn on_unix_socket(path: &Path) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let notes = Notes::default();
        let kept = notes.clone();
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let notes = kept.clone();
                thread::spawn(move || http1::serve(stream, &notes, &plain));
            }
        });
        Self {
            place: Place::Unix(path.to_path_buf()),
            notes,
        }
    }

    /// An upstream that speaks HTTP/2 without TLS, and answers 200 with trailers.
    pub fn speaking_h2c() -> Self {
        Self::listening("h2c", http2::serve)
    }

    /// The upstream as a route names it.
    pub fn url(&self) -> String {
        match &self.place {
            Place::Tcp(address, scheme) => format!("{scheme}://{address}"),
            Place::Unix(path) => format!("unix://{}", path.display()),
        }
    }

    /// Everything that arrived so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.notes
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How many requests arrived so far.
    pub fn count(&self) -> usize {
        self.notes
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// How many connections were opened so far.
    pub fn connections(&self) -> usize {
        *self
            .notes
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The last request that arrived.
    #[track_caller]
    pub fn last(&self) -> Seen {
        self.seen().pop().expect("the upstream saw a request")
    }

    /// How many of its TLS connections were resumed from an earlier one.
    pub fn resumed(&self) -> usize {
        *self
            .notes
            .resumed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what arrived.
    pub fn forget(&self) {
        self.notes
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

fn serve_over_tls(
    mut tls: StreamOwned<ServerConnection, TcpStream>,
    notes: &Notes,
    script: &Script,
) {
    while tls.conn.is_handshaking() {
        if tls.conn.complete_io(&mut tls.sock).is_err() {
            return;
        }
    }
    if tls.conn.handshake_kind() == Some(HandshakeKind::Resumed) {
        *notes.resumed.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }
    match tls.conn.alpn_protocol() {
        Some(b"h2") => http2::serve(tls, notes),
        _ => http1::serve(tls, notes, script),
    }
}

fn plain(_: &Seen, _: &mut dyn Stream) -> Reply {
    Reply::Response(ok("the upstream answers\n"))
}

/// A plain 200.
pub fn ok(text: &str) -> Response {
    Response {
        status: 200,
        fields: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: text.into(),
    }
}
