//! One client's TLS connection, as Pingora and our own loops read and write it.
//!
//! An idle connection holds no buffer of ours: bytes land on the stack and are kept only when there
//! are some. Writes are gathered until they are flushed, so that a response costs one TLS record
//! and one system call and not one for each of its parts.

use std::{
    fmt, io,
    mem::MaybeUninit,
    os::fd::AsRawFd,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use octroi_policy::request::DeclaredBody;
use pingora::protocols::{SocketDigest, tls::SslDigest};
use rustix::net::sockopt::set_socket_linger;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::server::TlsStream;

use super::{facts::ConnectionFacts, http2::frames::FrameWatch, open_requests::OpenRequest};

mod pingora_io;
pub(super) mod shared;

/// A client's connection after its handshake.
pub(super) struct Connection {
    /// `None` only after it was handed back.
    io: Option<Box<TlsStream<TcpStream>>>,
    /// Read from the client, not yet handed out.
    ahead: BytesMut,
    /// Written for the client, not yet sent.
    out: Vec<u8>,
    /// What may be handed out of what the client sends.
    reading: Reading,
    facts: Arc<ConnectionFacts>,
    exchange: Arc<Exchange>,
    /// The request that is handed out, until the proxy has taken it on.
    untaken: Option<Arc<OpenRequest>>,
    /// The request whose body is handed out.
    receiving: Option<Arc<OpenRequest>>,
    ssl_digest: Arc<SslDigest>,
    socket_digest: Arc<SocketDigest>,
    /// On HTTP/2: counts the frames that pass.
    pub(super) frames: Option<FrameWatch>,
}

/// What of the client's bytes belongs to the request being answered. A byte of the next request
/// waits for our own loop to judge it. Only after a chunked body, whose end the proxy finds itself,
/// can one be handed out with it: the proxy then closes the connection and reads it as nothing.
enum Reading {
    /// Everything, as it comes: HTTP/2, and what follows an upgrade.
    Raw,
    /// So many bytes of head are still to be handed out.
    Head(usize, DeclaredBody),
    /// The body.
    Body(DeclaredBody),
}

/// What the loop and the connection that it lent to Pingora tell each other.
#[derive(Default)]
pub(super) struct Exchange {
    wants_back: AtomicBool,
    answer_began: AtomicBool,
    returned: Mutex<Option<Remains>>,
}

/// What is left of a connection whose request was cut off.
pub(super) struct Remains {
    io: Box<TlsStream<TcpStream>>,
    out: Vec<u8>,
}

impl Exchange {
    /// Asks the connection to leave its stream here when it is dropped.
    pub(super) fn ask_back(&self) {
        self.wants_back.store(true, Ordering::Relaxed);
    }

    /// Whether a byte of a final answer has been written since the last request began.
    pub(super) fn has_answer_begun(&self) -> bool {
        self.answer_began.load(Ordering::Relaxed)
    }

    /// What the dropped connection left.
    pub(super) fn take_remains(&self) -> Option<Remains> {
        self.wants_back.store(false, Ordering::Relaxed);
        let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
        returned.take()
    }
}

impl Remains {
    /// Sends what had been written and closes; resets the connection if the client does not take it
    /// in time, so that nothing more of the answer reaches it.
    pub(super) async fn close(mut self, within: Duration) {
        let farewell = async {
            self.io.write_all(&self.out).await?;
            self.io.shutdown().await
        };
        if !matches!(timeout(within, farewell).await, Ok(Ok(()))) {
            reset_on_close(self.io.get_ref().0);
        }
    }

    /// The stream alone, when nothing of an answer had been written.
    pub(super) fn into_stream(self) -> TlsStream<TcpStream> {
        *self.io
    }
}

impl Connection {
    /// A connection whose handshake is done.
    pub(super) fn new(io: TlsStream<TcpStream>, facts: ConnectionFacts) -> Self {
        let socket = SocketDigest::from_raw_fd(io.get_ref().0.as_raw_fd());
        // Settled here, so that Pingora does not ask the system, and sees the client behind a
        // listed peer.
        let _ = socket.peer_addr.set(Some(facts.client.into()));
        let tls = &facts.tls;
        let ssl = SslDigest::new(
            tls.cipher_suite,
            tls.version.as_str(),
            None,
            None,
            Vec::new(),
        );
        Self {
            io: Some(Box::new(io)),
            ahead: BytesMut::new(),
            out: Vec::new(),
            reading: Reading::Raw,
            facts: Arc::new(facts),
            exchange: Arc::default(),
            untaken: None,
            receiving: None,
            ssl_digest: Arc::new(ssl),
            socket_digest: Arc::new(socket),
            frames: None,
        }
    }

    /// What is known of this connection.
    pub(super) fn facts(&self) -> &Arc<ConnectionFacts> {
        &self.facts
    }

    /// The side of the loop.
    pub(super) fn exchange(&self) -> &Arc<Exchange> {
        &self.exchange
    }

    /// What the client sent that belongs to no request yet.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.ahead
    }

    /// Forgets the first `count` bytes of [`Self::ahead`].
    pub(super) fn discard_ahead(&mut self, count: usize) {
        self.ahead.advance(count.min(self.ahead.len()));
    }

    /// Reads more into [`Self::ahead`]; gives how many bytes came, 0 at the end.
    pub(super) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let mut space = [MaybeUninit::<u8>::uninit(); READ_BYTES];
        let mut buffer = ReadBuf::uninit(&mut space);
        ready!(Pin::new(self.io_mut()?).poll_read(cx, &mut buffer))?;
        self.ahead.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(buffer.filled().len()))
    }

    /// From here on, hands out one request: `head` bytes of [`Self::ahead`], then its body.
    ///
    /// Nothing is written, and the stream stays open, until the proxy has taken `open` on.
    pub(super) fn begin_request(
        &mut self,
        head: usize,
        body: DeclaredBody,
        open: Arc<OpenRequest>,
    ) {
        self.reading = Reading::Head(head, body);
        self.receiving = (body != DeclaredBody::Absent).then(|| {
            open.body.measure_waits();
            Arc::clone(&open)
        });
        self.untaken = Some(open);
        self.exchange.answer_began.store(false, Ordering::Relaxed);
    }

    /// From here on, hands out whatever comes.
    pub(super) fn begin_raw(&mut self) {
        self.untaken = None;
        self.receiving = None;
        self.reading = Reading::Raw;
    }

    /// Gives back the memory of what has been sent.
    pub(super) fn rest(&mut self) {
        if self.out.is_empty() {
            self.out = Vec::new();
        }
        if self.ahead.is_empty() {
            self.ahead = BytesMut::new();
        }
    }

    /// Closes without a goodbye: what the client has not taken yet is thrown away.
    pub(super) fn cut(&self) {
        if let Some(io) = &self.io {
            reset_on_close(io.get_ref().0);
        }
    }

    /// Sends what has been gathered.
    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(io) = &mut self.io else {
            return Poll::Ready(Ok(()));
        };
        let mut sent = 0;
        while let Some(rest) = self.out.get(sent..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut **io).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => {
                    self.out.clear();
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                Poll::Ready(Ok(count)) => sent += count,
                Poll::Ready(Err(error)) => {
                    self.out.clear();
                    return Poll::Ready(Err(error));
                }
                Poll::Pending => {
                    self.out.drain(..sent);
                    return Poll::Pending;
                }
            }
        }
        if sent == 0 {
            return Pin::new(&mut **io).poll_flush(cx);
        }
        if self.out.capacity() > KEPT_BYTES || self.facts.is_http2() {
            self.out = Vec::new();
        } else {
            self.out.clear();
        }
        Pin::new(&mut **io).poll_flush(cx)
    }

    fn io_mut(&mut self) -> io::Result<&mut TlsStream<TcpStream>> {
        let io = self.io.as_deref_mut();
        io.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Hands out bytes of [`Self::ahead`], at most `count`.
    fn hand_out(&mut self, count: usize, buffer: &mut ReadBuf<'_>) -> usize {
        let count = count.min(self.ahead.len()).min(buffer.remaining());
        let bytes = self.ahead.split_to(count);
        buffer.put_slice(&bytes);
        count
    }

    /// Reads straight into `buffer`, at most `count` bytes.
    fn poll_direct(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        count: usize,
    ) -> Poll<io::Result<usize>> {
        if count >= buffer.remaining() {
            // Whatever comes may be handed out, so that nothing has to be held off or zeroed.
            let before = buffer.filled().len();
            ready!(Pin::new(self.io_mut()?).poll_read(cx, buffer))?;
            return Poll::Ready(Ok(buffer.filled().len() - before));
        }
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(count));
        ready!(Pin::new(self.io_mut()?).poll_read(cx, &mut part))?;
        let came = part.filled().len();
        buffer.advance(came);
        Poll::Ready(Ok(came))
    }

    /// The request is read to its end. Pingora reads on to learn whether the client goes away; what
    /// comes is the next request and stays here.
    fn poll_after_request(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.ahead.len() < AHEAD_BYTES_MAX {
            if ready!(self.poll_ahead(cx))? == 0 {
                return Poll::Ready(Ok(()));
            }
        }
        Poll::Pending
    }

    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        left: u64,
    ) -> Poll<io::Result<usize>> {
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let came = if self.ahead.is_empty() {
            self.poll_direct(cx, buffer, left)
        } else {
            Poll::Ready(Ok(self.hand_out(left, buffer)))
        };
        if let Some(open) = &self.receiving {
            open.body.note_read(came.is_pending());
        }
        came
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = self.poll_request(cx, buffer);
        // Pingora flushes an answer whose length it knows only at its end. It reads when it has
        // nothing more to write: a service that pauses must not keep back what it has said already.
        if read.is_pending()
            && matches!(self.reading, Reading::Body(_))
            && let Poll::Ready(Err(gone)) = self.poll_send(cx)
        {
            return Poll::Ready(Err(gone));
        }
        read
    }
}

impl Connection {
    /// Hands out what belongs to the request.
    fn poll_request(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self;
        match this.reading {
            Reading::Head(left, body) => {
                let given = this.hand_out(left, buffer);
                this.reading = match left.saturating_sub(given) {
                    0 => Reading::Body(body),
                    left => Reading::Head(left, body),
                };
                Poll::Ready(Ok(()))
            }
            Reading::Body(DeclaredBody::Absent) => this.poll_after_request(cx),
            Reading::Body(DeclaredBody::Sized(left)) => {
                let came = ready!(this.poll_body(cx, buffer, left))?;
                let left = left.saturating_sub(u64::try_from(came).unwrap_or(u64::MAX));
                if left == 0 {
                    this.reading = Reading::Body(DeclaredBody::Absent);
                } else {
                    this.reading = Reading::Body(DeclaredBody::Sized(left));
                }
                Poll::Ready(Ok(()))
            }
            Reading::Body(DeclaredBody::Chunked) | Reading::Raw => {
                let before = buffer.filled().len();
                ready!(this.poll_body(cx, buffer, u64::MAX))?;
                if let (Some(frames), Some(came)) =
                    (&mut this.frames, buffer.filled().get(before..))
                {
                    frames.observe(came);
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.note_answer(bytes);
        if self.is_untaken() {
            return Poll::Ready(Ok(bytes.len()));
        }
        if self.out.is_empty() && bytes.len() >= DIRECT_BYTES {
            return Pin::new(self.io_mut()?).poll_write(cx, bytes);
        }
        if self.out.len() >= GATHERED_BYTES_MAX {
            ready!(self.poll_send(cx))?;
        }
        self.out.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.out.len() >= GATHERED_BYTES_MAX {
            ready!(self.poll_send(cx))?;
        }
        let mut taken = 0;
        let is_untaken = self.is_untaken();
        for bytes in slices {
            self.note_answer(bytes);
            if !is_untaken {
                self.out.extend_from_slice(bytes);
            }
            taken += bytes.len();
        }
        Poll::Ready(Ok(taken))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // On HTTP/2 the driver sends once after each of its turns.
        if self.facts.is_http2() {
            return Poll::Ready(Ok(()));
        }
        self.poll_send(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_untaken() {
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_send(cx))?;
        Pin::new(self.io_mut()?).poll_shutdown(cx)
    }
}

impl Connection {
    /// Whether the request that is handed out has not been taken on yet.
    fn is_untaken(&mut self) -> bool {
        if self.untaken.as_ref().is_some_and(|open| open.is_taken()) {
            self.untaken = None;
        }
        self.untaken.is_some()
    }

    /// Notes the beginning of a final answer; interim ones (RFC 9110, section 15.2) do not count.
    fn note_answer(&mut self, bytes: &[u8]) {
        if let Some(frames) = &mut self.frames {
            frames.note_written(bytes.len());
        } else if !bytes.is_empty() && !bytes.starts_with(b"HTTP/1.1 1") {
            self.exchange.answer_began.store(true, Ordering::Relaxed);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.exchange.wants_back.load(Ordering::Relaxed) && !self.is_untaken() {
            return;
        }
        if let Some(io) = self.io.take() {
            let out = std::mem::take(&mut self.out);
            let returned = &self.exchange.returned;
            *returned.lock().unwrap_or_else(PoisonError::into_inner) = Some(Remains { io, out });
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("facts", &self.facts)
            .finish_non_exhaustive()
    }
}

/// Closing then resets the connection instead of sending what the client has not taken.
fn reset_on_close(socket: &TcpStream) {
    // A socket that the system has closed already has nothing left to lose.
    let _ = set_socket_linger(socket, Some(Duration::ZERO));
}

/// One read: half of the largest TLS record, on the stack.
const READ_BYTES: usize = 8 * 1024;
/// Writes of this size go out as they are: gathering them would only copy.
const DIRECT_BYTES: usize = 16 * 1024;
/// When so much has been gathered it is sent before more is taken.
const GATHERED_BYTES_MAX: usize = 32 * 1024;
/// A buffer larger than this is given back between two answers.
const KEPT_BYTES: usize = 4 * 1024;
/// How much of the next requests is read while one is answered.
const AHEAD_BYTES_MAX: usize = 32 * 1024;
