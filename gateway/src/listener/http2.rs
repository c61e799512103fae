//! The HTTP/2 loop: one driver a connection, one task a stream.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use bytes::Bytes;
use http::{Method, Response, header};
use octroi_policy::request::Malformed;
use pingora::{
    http::ResponseHeader,
    protocols::{
        Digest, GetSocketDigest, Ssl, Stream,
        http::{
            ServerSession,
            v2::server::{self, H2Accept, H2Options, HttpSession},
        },
    },
    proxy::ProxyHttp,
};
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until, timeout},
};
use tracing::debug;

use super::{
    answer::Worker,
    caps::{ClientStreams, StreamSlot},
    connection::{Connection, shared::SharedConnection},
    limits::Limits,
    open_requests::OpenRequest,
    refusal::DoorRefusal,
};

pub(super) mod frames;
mod head;

use frames::{FrameFault, FrameWatch};
use head::BodyOverHttp2;

/// Serves one connection to its end.
pub(super) async fn serve<A>(
    mut connection: Connection,
    worker: &Worker<A>,
    of_client: &Arc<ClientStreams>,
) where
    A: ProxyHttp + Send + Sync + 'static,
    A::CTX: Send + Sync,
{
    connection.frames = Some(FrameWatch::new(worker.limits.http2));
    let io = SharedConnection::new(connection);
    let mut turns = pin!(drive(io.clone(), worker, of_client));
    // Everything that one turn writes goes out at once.
    poll_fn(|cx| {
        let turn = turns.as_mut().poll(cx);
        let sent = io.lock().poll_send(cx);
        match sent {
            Poll::Ready(Err(_)) => Poll::Ready(()),
            Poll::Ready(Ok(())) | Poll::Pending => turn,
        }
    })
    .await;
    let farewell = poll_fn(|cx| io.lock().poll_send(cx));
    // The client may not listen any more.
    let _ = timeout(FAREWELL_TIMEOUT, farewell).await;
}

type H2 = h2::server::Connection<Stream, Bytes>;

/// What the driver does next.
#[expect(
    clippy::large_enum_variant,
    reason = "lives on the stack for a moment; a box would be an allocation for each request"
)]
enum Event {
    Accepted(pingora::Result<Option<H2Accept>>),
    Flood(FrameFault),
    DeadlinePassed,
    Drained,
    Stopping,
}

async fn drive<A>(io: SharedConnection, worker: &Worker<A>, of_client: &Arc<ClientStreams>)
where
    A: ProxyHttp + Send + Sync + 'static,
    A::CTX: Send + Sync,
{
    let limits = &worker.limits;
    let digest = digest_of(&io);
    // Boxed, as the two ends below are: a connection at rest keeps no room for them.
    let handshake = Box::pin(server::handshake(
        Box::new(io.clone()),
        Some(options(limits)),
    ));
    let Ok(Ok(mut h2)) = timeout(limits.head_timeout, handshake).await else {
        return;
    };
    let mut pace = Pace::new(io.clone(), Arc::clone(limits));
    let mut shutdown = worker.shutdown.clone();
    loop {
        let accept = HttpSession::from_h2_conn(&mut h2, Arc::clone(&digest));
        let event = tokio::select! {
            biased;
            event = pace.next(accept) => event,
            _ = shutdown.changed(), if !pace.is_closing() => Event::Stopping,
        };
        match pace.take(event, &mut h2, worker, of_client) {
            Turn::On => {}
            Turn::Over => return,
            Turn::Abort => return Box::pin(abort(h2, limits)).await,
        }
    }
}

/// What becomes of the connection after an event.
enum Turn {
    On,
    Over,
    Abort,
}

/// When a connection must do something, and when it has done nothing for too long.
struct Pace {
    io: SharedConnection,
    limits: Arc<Limits>,
    active: Arc<Active>,
    connected_at: Instant,
    has_requested: bool,
    idle_since: Instant,
    is_closing: bool,
    rejected_left: usize,
}

impl Pace {
    fn new(io: SharedConnection, limits: Arc<Limits>) -> Self {
        let now = Instant::now();
        let rejected_left = limits.http2.rejected_streams_max;
        Self {
            io,
            limits,
            active: Arc::default(),
            connected_at: now,
            has_requested: false,
            idle_since: now,
            is_closing: false,
            rejected_left,
        }
    }

    const fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Acts on an event. A function of its own, so that the driver keeps no room for one while it
    /// waits for the next.
    fn take<A>(
        &mut self,
        event: Event,
        h2: &mut H2,
        worker: &Worker<A>,
        of_client: &Arc<ClientStreams>,
    ) -> Turn
    where
        A: ProxyHttp + Send + Sync + 'static,
        A::CTX: Send + Sync,
    {
        match event {
            Event::Accepted(Ok(Some(H2Accept::Session(session)))) => {
                self.has_requested = true;
                match of_client.enter() {
                    Some(place) => {
                        let stream = self.active.begin(place);
                        spawn_stream(session, &self.io, worker.clone(), stream);
                    }
                    None => refuse(session),
                }
                Turn::On
            }
            Event::Accepted(Ok(Some(H2Accept::Rejected))) => {
                let Some(left) = self.rejected_left.checked_sub(1) else {
                    return Turn::Abort;
                };
                self.rejected_left = left;
                let facts = Arc::clone(self.io.lock().facts());
                worker.refusals.refused_unseen(&facts);
                Turn::On
            }
            Event::Flood(fault) => {
                let client = self.io.lock().facts().client;
                debug!(%client, ?fault, "connection ended: it only costs");
                Turn::Abort
            }
            Event::Accepted(Ok(None) | Err(_)) => Turn::Over,
            Event::DeadlinePassed if self.is_closing => Turn::Over,
            Event::DeadlinePassed | Event::Stopping => {
                h2.graceful_shutdown();
                self.close();
                Turn::On
            }
            Event::Drained => Turn::On,
        }
    }

    /// GOAWAY has been said: what is being answered may end, then the client has a moment to close.
    fn close(&mut self) {
        self.is_closing = true;
        self.idle_since = Instant::now();
    }

    /// Waits for the next stream, or for what comes before it.
    async fn next(
        &mut self,
        accept: impl Future<Output = pingora::Result<Option<H2Accept>>>,
    ) -> Event {
        let active = Arc::clone(&self.active);
        let mut accept = pin!(accept);
        let mut drained = pin!(active.drained.notified());
        let mut sleep = pin!(sleep_until(self.idle_since));
        poll_fn(|cx| {
            if let Poll::Ready(accepted) = accept.as_mut().poll(cx) {
                return Poll::Ready(Event::Accepted(accepted));
            }
            if let Some(fault) = self.fault() {
                return Poll::Ready(Event::Flood(fault));
            }
            if drained.as_mut().poll(cx).is_ready() {
                self.idle_since = Instant::now();
                return Poll::Ready(Event::Drained);
            }
            let Some(deadline) = self.deadline() else {
                return Poll::Pending;
            };
            if sleep.deadline() != deadline {
                sleep.as_mut().reset(deadline);
            }
            sleep.as_mut().poll(cx).map(|()| Event::DeadlinePassed)
        })
        .await
    }

    fn fault(&self) -> Option<FrameFault> {
        self.io.lock().frames.as_ref()?.fault()
    }

    fn unfinished_block_since(&self) -> Option<Instant> {
        self.io.lock().frames.as_ref()?.unfinished_block_since()
    }

    fn deadline(&self) -> Option<Instant> {
        if let Some(since) = self.unfinished_block_since() {
            return Some(since + self.limits.head_timeout);
        }
        if self.active.is_some() {
            return None;
        }
        Some(if self.is_closing {
            self.idle_since + FAREWELL_TIMEOUT
        } else if self.has_requested {
            self.idle_since + self.limits.idle_timeout
        } else {
            self.connected_at + self.limits.head_timeout
        })
    }
}

/// The streams that are being answered.
#[derive(Default)]
struct Active {
    count: AtomicUsize,
    drained: Notify,
}

impl Active {
    fn begin(self: &Arc<Self>, place: StreamSlot) -> ActiveStream {
        self.count.fetch_add(1, Ordering::Relaxed);
        ActiveStream {
            of: Arc::clone(self),
            _place: place,
        }
    }

    fn is_some(&self) -> bool {
        self.count.load(Ordering::Relaxed) > 0
    }
}

/// Counts as one until it is dropped.
struct ActiveStream {
    of: Arc<Active>,
    /// Its place among all streams of its client.
    _place: StreamSlot,
}

impl Drop for ActiveStream {
    fn drop(&mut self) {
        if self.of.count.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.of.drained.notify_one();
        }
    }
}

fn spawn_stream<A>(
    session: HttpSession,
    io: &SharedConnection,
    worker: Worker<A>,
    active: ActiveStream,
) where
    A: ProxyHttp + Send + Sync + 'static,
    A::CTX: Send + Sync,
{
    let open = OpenRequest::new(Arc::clone(io.lock().facts()));
    tokio::spawn(async move {
        let mut session = ServerSession::new_http2(session);
        let refusal = match judge(&mut session, &worker.limits) {
            None => settle_empty_body(&mut session, &worker.limits).await,
            refused => refused,
        };
        if let Some(refusal) = refusal {
            let answer = worker.refusals.refuse(&open.facts, refusal);
            // The client may have reset the stream: then there is nobody to tell.
            let _ = respond(&mut session, answer).await;
        } else {
            let has_body = !session.is_body_empty();
            worker.limit(&mut session);
            // A stream that is cut off is reset when its session is dropped; the others go on.
            worker.answer(session, &open, has_body, || ()).await;
        }
        drop(active);
    });
}

/// Judges what Pingora would refuse, or take, without a word of ours.
fn judge(session: &mut ServerSession, limits: &Limits) -> Option<DoorRefusal> {
    let body = if session.is_body_empty() {
        BodyOverHttp2::Absent
    } else {
        BodyOverHttp2::MayCome
    };
    let head = session.req_header();
    if head.headers.len() > limits.head_fields_max {
        return Some(DoorRefusal::HeadTooLarge);
    }
    if head.method == Method::CONNECT {
        return Some(DoorRefusal::Malformed(Malformed::Method));
    }
    let checked = head::check(head.uri.scheme_str(), &head.headers, body);
    checked.err().map(DoorRefusal::Malformed)
}

/// A body of which the head says that it is empty, and whose end has not come with the head, must
/// end before the proxy acts on the head: DATA that follows would make the request malformed
/// (RFC 9113, section 8.1.1) when a service has long served it.
async fn settle_empty_body(session: &mut ServerSession, limits: &Limits) -> Option<DoorRefusal> {
    let length = session.req_header().headers.get(header::CONTENT_LENGTH)?;
    let is_empty = length.as_bytes().iter().all(|digit| *digit == b'0');
    if !is_empty {
        return None;
    }
    // Read whatever the session says: it believes the head.
    let end = async {
        loop {
            match session.read_request_body().await {
                Ok(Some(data)) if data.is_empty() => {}
                Ok(None) => return None,
                // The library has reset the stream where it counted along.
                Ok(Some(_)) | Err(_) => return Some(DoorRefusal::Malformed(Malformed::Framing)),
            }
        }
    };
    timeout(limits.head_timeout, end)
        .await
        .unwrap_or(Some(DoorRefusal::HeadTooSlow))
}

/// Gives a stream back untouched (RFC 9113, section 8.7): the client may ask again later.
fn refuse(mut session: HttpSession) {
    debug!("stream refused: its client's cap of streams is reached");
    session.shutdown_with_reason(h2::Reason::REFUSED_STREAM);
}

async fn respond(session: &mut ServerSession, answer: Response<Bytes>) -> pingora::Result<()> {
    let (head, body) = answer.into_parts();
    let head = Box::new(ResponseHeader::from(head));
    session.write_response_header(head).await?;
    session.write_response_body(body, true).await
}

/// Ends the connection and all its streams at once.
async fn abort(mut h2: H2, limits: &Limits) {
    h2.abrupt_shutdown(h2::Reason::ENHANCE_YOUR_CALM);
    let closed = poll_fn(|cx| h2.poll_closed(cx));
    // An error is as much the end as a clean one.
    let _ = timeout(FAREWELL_TIMEOUT.min(limits.head_timeout), closed).await;
}

fn options(limits: &Limits) -> H2Options {
    let mut options = server::default_h2_options();
    let http2 = &limits.http2;
    options
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .max_concurrent_streams(http2.streams_max)
        .max_pending_accept_reset_streams(http2.pending_resets_max)
        .initial_window_size(http2.stream_window_bytes)
        .initial_connection_window_size(http2.connection_window_bytes);
    options
}

fn digest_of(io: &SharedConnection) -> Arc<Digest> {
    Arc::new(Digest {
        ssl_digest: io.get_ssl_digest(),
        timing_digest: Vec::new(),
        proxy_digest: None,
        socket_digest: io.get_socket_digest(),
    })
}

/// How long a client has to take GOAWAY and close.
const FAREWELL_TIMEOUT: Duration = Duration::from_secs(1);
