//! The HTTP/1.1 loop: read a whole head under its limits, let Pingora answer, take the connection back.

use std::{future::poll_fn, io, sync::Arc, time::Duration};

use bytes::Bytes;
use http::Response;
use octroi_policy::request::{DeclaredBody, Malformed, read_http1_head};
use pingora::{protocols::http::ServerSession, proxy::ProxyHttp};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use super::{
    answer::{Answered, Worker},
    connection::Connection,
    head,
    limits::Limits,
    open_requests::{EndReason, OpenRequest},
    refusal::DoorRefusal,
    tunnel::{self, Takeover},
};

/// Serves one connection to its end.
pub(super) async fn serve<A>(connection: Connection, worker: &Worker<A>)
where
    A: ProxyHttp + Send + Sync + 'static,
    A::CTX: Send + Sync,
{
    let mut connection = Box::new(connection);
    loop {
        let head = match next_head(&mut connection, worker).await {
            Ok(head) => head,
            Err(NoHead::Closed) => return goodbye(connection).await,
            Err(NoHead::Refused(refusal)) => {
                return Box::pin(refuse(connection, refusal, worker)).await;
            }
        };
        // Boxed, so that a connection at rest does not keep room for a request.
        match Box::pin(exchange(connection, head, worker)).await {
            Next::Request(returned) => connection = returned,
            Next::Tunnel(connection, takeover, open) => {
                let write_timeout = worker.limits.write_timeout;
                let shutdown = worker.shutdown.clone();
                let tunnel = tunnel::run(connection, *takeover, &open, write_timeout, shutdown);
                return Box::pin(tunnel).await;
            }
            Next::Nothing => return,
        }
    }
}

/// A request head that stands whole and judged at the front of the connection.
struct Head {
    bytes: usize,
    body: DeclaredBody,
    /// What is wrong with it if Pingora refuses it all the same: it looks at the host once more.
    otherwise: Malformed,
}

/// What a connection does after a request.
enum Next {
    /// It takes another one.
    Request(Box<Connection>),
    /// It becomes a WebSocket.
    Tunnel(Box<Connection>, Box<Takeover>, Arc<OpenRequest>),
    /// It is over.
    Nothing,
}

/// Why there is no further request.
enum NoHead {
    /// The client went away, was idle for too long, or the gateway stops.
    Closed,
    /// The head cannot be served.
    Refused(DoorRefusal),
}

async fn next_head<A>(connection: &mut Connection, worker: &Worker<A>) -> Result<Head, NoHead> {
    let limits = &worker.limits;
    let mut shutdown = worker.shutdown.clone();
    if connection.ahead().is_empty() {
        connection.rest();
        if *shutdown.borrow_and_update() {
            return Err(NoHead::Closed);
        }
        let first = poll_fn(|cx| connection.poll_ahead(cx));
        let first = timeout(limits.idle_timeout, first);
        tokio::select! {
            read = first => match read {
                Ok(Ok(1..)) => {}
                Ok(Ok(0) | Err(_)) | Err(_) => return Err(NoHead::Closed),
            },
            _ = shutdown.changed() => return Err(NoHead::Closed),
        }
    }
    match timeout(limits.head_timeout, whole_head(connection, limits)).await {
        Ok(head) => head,
        Err(_) => Err(NoHead::Refused(DoorRefusal::HeadTooSlow)),
    }
}

async fn whole_head(connection: &mut Connection, limits: &Limits) -> Result<Head, NoHead> {
    let mut searched = 0;
    let mut skipped = 0;
    loop {
        let empty = head::empty_lines(connection.ahead());
        if searched == 0 && empty > 0 {
            connection.discard_ahead(empty);
            skipped += empty;
        }
        let ahead = connection.ahead();
        let end = head::end(ahead, searched);
        if end.unwrap_or(ahead.len()) + skipped > limits.head_bytes_max {
            return Err(NoHead::Refused(DoorRefusal::HeadTooLarge));
        }
        if let Some(head) = end.and_then(|end| ahead.get(..end)) {
            let body = judge(head, limits.head_fields_max).map_err(NoHead::Refused)?;
            let bytes = head.len();
            let otherwise = if target_is_path(head) {
                Malformed::Host
            } else {
                Malformed::HostDisagrees
            };
            return Ok(Head {
                bytes,
                body,
                otherwise,
            });
        }
        // A lone CR may be the first half of an empty line: searched from the start again.
        searched = if ahead == b"\r" { 0 } else { ahead.len() };
        match poll_fn(|cx| connection.poll_ahead(cx)).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return Err(NoHead::Closed),
        }
    }
}

/// Judges what Pingora would otherwise refuse, or take, without a word of ours.
fn judge(head: &[u8], fields_max: usize) -> Result<DeclaredBody, DoorRefusal> {
    let read = read_http1_head(head).map_err(DoorRefusal::Malformed)?;
    if read.fields > fields_max {
        return Err(DoorRefusal::HeadTooLarge);
    }
    if head.starts_with(b"CONNECT ") {
        return Err(DoorRefusal::Malformed(Malformed::Method));
    }
    Ok(read.body)
}

fn target_is_path(head: &[u8]) -> bool {
    let mut words = head.split(|byte| *byte == b' ');
    words.nth(1).is_some_and(|target| target.starts_with(b"/"))
}

/// Answers one request, or finds that a WebSocket is to come of it.
async fn exchange<A>(mut connection: Box<Connection>, head: Head, worker: &Worker<A>) -> Next
where
    A: ProxyHttp + Send + Sync + 'static,
    A::CTX: Send + Sync,
{
    let open = OpenRequest::new(Arc::clone(connection.facts()));
    let exchange = Arc::clone(connection.exchange());
    connection.begin_request(head.bytes, head.body, Arc::clone(&open));
    let has_body = head.body != DeclaredBody::Absent;
    let mut session = ServerSession::new_http1(connection);
    session.set_keepalive(Some(worker.limits.idle_timeout.as_secs().max(1)));
    worker.limit(&mut session);
    let answered = worker.answer(session, &open, has_body, || exchange.ask_back());
    let answered = answered.await;
    // Taken whatever became of the answer: left in the request, it would keep the request, itself
    // and their place in the registry alive for ever.
    let takeover = open.take_takeover();
    let stream = match answered {
        Answered::Done(Some(stream)) => stream,
        Answered::Done(None) => {
            // Pingora's own answer went nowhere.
            if !open.is_taken() && exchange.has_answer_begun() {
                let refusal = DoorRefusal::Malformed(head.otherwise);
                let answer = worker.refusals.refuse(&open.facts, refusal);
                if let Some(remains) = exchange.take_remains() {
                    send_and_linger(&mut remains.into_stream(), &bytes_of(&answer)).await;
                }
            }
            return Next::Nothing;
        }
        Answered::CutOff(reason) => {
            let Some(remains) = exchange.take_remains() else {
                return Next::Nothing;
            };
            if reason == EndReason::BodyTooSlow && !exchange.has_answer_begun() {
                // Worded where the request's reference is known; a request that nobody had taken
                // on has none.
                let answer = open.take_last_answer().unwrap_or_else(|| {
                    let refusal = DoorRefusal::BodyTooSlow;
                    worker.refusals.refuse(&open.facts, refusal)
                });
                send_and_linger(&mut remains.into_stream(), &bytes_of(&answer)).await;
            } else {
                remains.close(CLOSE_TIMEOUT).await;
            }
            return Next::Nothing;
        }
    };
    let (stream, _settings) = stream.consume();
    match (stream.into_any().downcast::<Connection>(), takeover) {
        (Ok(connection), Some(takeover)) => Next::Tunnel(connection, Box::new(takeover), open),
        (Ok(connection), None) => Next::Request(connection),
        (Err(_), _) => Next::Nothing,
    }
}

/// Ends a connection on which nothing is under way.
async fn goodbye(mut connection: Box<Connection>) {
    // Told or not, the client finds the connection closed.
    let _ = timeout(CLOSE_TIMEOUT, connection.shutdown()).await;
}

/// Answers what Pingora never sees.
async fn refuse<A>(mut connection: Box<Connection>, refusal: DoorRefusal, worker: &Worker<A>) {
    connection.begin_raw();
    let answer = worker.refusals.refuse(connection.facts(), refusal);
    send_and_linger(&mut *connection, &bytes_of(&answer)).await;
}

/// The last answer of a connection, as HTTP/1.1 writes it.
fn bytes_of(answer: &Response<Bytes>) -> Vec<u8> {
    let status = answer.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in answer.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"connection: close\r\n\r\n");
    bytes.extend_from_slice(answer.body());
    bytes
}

/// Sends a last answer, then waits a little for the client to read it: closing on bytes that are
/// still coming would reset the connection and take the answer with it (RFC 9112, section 9.6).
pub(super) async fn send_and_linger<S>(stream: &mut S, answer: &[u8])
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let spoken = async {
        stream.write_all(answer).await?;
        stream.shutdown().await?;
        let mut rest = stream.take(LINGER_BYTES_MAX);
        let mut space = [0; 1024];
        while rest.read(&mut space).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // A client that does not listen has had its chance.
    let _ = timeout(LINGER_TIMEOUT, spoken).await;
}

/// How long a client has to take the last bytes of a connection that ends.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a refused client is listened to, so that it can read why.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);
/// How much of what it sends meanwhile is thrown away.
const LINGER_BYTES_MAX: u64 = 256 * 1024;
