//! Bytes both ways until one side closes, both are silent, or the gateway ends it.

use std::{
    future::poll_fn,
    io,
    mem::MaybeUninit,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use http::StatusCode;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::{Instant, Sleep, sleep_until, timeout},
};

use super::{TunnelEnd, TunnelOutcome, UpstreamStream, server_frames::ServerFrames};
use crate::listener::{connection::Connection, limits::TunnelLimits, open_requests::EndReason};

/// A WebSocket under way.
pub(super) struct Splice {
    client: Box<Connection>,
    upstream: Box<dyn UpstreamStream>,
    up: Flow,
    down: Flow,
    /// Follows what has been written to the client.
    frames: ServerFrames,
    /// What of `down` is the answer's head and no frame.
    head_left: usize,
    limits: TunnelLimits,
    active_at: Instant,
}

/// How far both directions have come.
enum Carried {
    On,
    HalfOver,
    Over,
}

/// One direction.
#[derive(Default)]
struct Flow {
    /// Read and not yet written; no memory is held while it is empty.
    pending: BytesMut,
    is_unflushed: bool,
    is_at_end: bool,
    bytes: u64,
}

impl Splice {
    /// Begins with the head of the 101 for the client and what the upstream sent right after its own.
    pub(super) fn new(
        client: Box<Connection>,
        upstream: Box<dyn UpstreamStream>,
        head: &[u8],
        first: &[u8],
        limits: TunnelLimits,
    ) -> Self {
        let mut down = Flow::default();
        down.pending.extend_from_slice(head);
        down.pending.extend_from_slice(first);
        let now = Instant::now();
        Self {
            client,
            upstream,
            up: Flow::default(),
            down,
            frames: ServerFrames::default(),
            head_left: head.len(),
            limits,
            active_at: now,
        }
    }

    /// Carries bytes until the end, which `ended` may call.
    pub(super) async fn run(mut self, ended: impl Future<Output = EndReason>) -> TunnelOutcome {
        let end = tokio::select! {
            end = self.carry() => end,
            reason = ended => TunnelEnd::Ended(reason),
        };
        match end {
            TunnelEnd::Ended(EndReason::Stopping) | TunnelEnd::Idle => {
                self.say_close(GOING_AWAY).await;
            }
            TunnelEnd::Ended(_) => self.say_close(POLICY_VIOLATION).await,
            TunnelEnd::Closed | TunnelEnd::Answered | TunnelEnd::Refused(_) => self.shut().await,
        }
        TunnelOutcome {
            status: Some(StatusCode::SWITCHING_PROTOCOLS),
            bytes_from_client: self.up.bytes,
            bytes_to_client: self.down.bytes,
            end,
        }
    }

    async fn carry(&mut self) -> TunnelEnd {
        let mut idle = pin!(sleep_until(self.active_at + self.limits.idle_timeout));
        let mut closing = pin!(sleep_until(self.active_at));
        let mut is_half_closed = false;
        poll_fn(|cx| {
            match self.poll_both(cx) {
                Carried::Over => return Poll::Ready(TunnelEnd::Closed),
                Carried::HalfOver if !is_half_closed => {
                    // The other side has a moment to close too.
                    is_half_closed = true;
                    let deadline = Instant::now() + self.limits.close_timeout;
                    closing.as_mut().reset(deadline);
                }
                Carried::HalfOver | Carried::On => {}
            }
            if is_half_closed && closing.as_mut().poll(cx).is_ready() {
                return Poll::Ready(TunnelEnd::Closed);
            }
            self.poll_idle(cx, idle.as_mut())
        })
        .await
    }

    fn poll_both(&mut self, cx: &mut Context<'_>) -> Carried {
        let before = (self.up.bytes, self.down.bytes);
        let up = self.poll_up(cx);
        let down = self.poll_down(cx);
        if before != (self.up.bytes, self.down.bytes) {
            self.active_at = Instant::now();
        }
        match (up, down) {
            (Poll::Pending, Poll::Pending) => Carried::On,
            (Poll::Ready(Ok(())), Poll::Pending) | (Poll::Pending, Poll::Ready(Ok(()))) => {
                Carried::HalfOver
            }
            // Both ends came, or one side is broken.
            (Poll::Ready(_), _) | (_, Poll::Ready(_)) => Carried::Over,
        }
    }

    /// The timer is moved only when it fires, not with every byte.
    fn poll_idle(&self, cx: &mut Context<'_>, mut idle: Pin<&mut Sleep>) -> Poll<TunnelEnd> {
        loop {
            ready!(idle.as_mut().poll(cx));
            let deadline = self.active_at + self.limits.idle_timeout;
            if deadline <= Instant::now() {
                return Poll::Ready(TunnelEnd::Idle);
            }
            idle.as_mut().reset(deadline);
        }
    }

    fn poll_up(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let upstream = Pin::new(&mut *self.upstream);
        self.up
            .poll(cx, Pin::new(&mut *self.client), upstream, |_| {})
    }

    fn poll_down(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (frames, head_left) = (&mut self.frames, &mut self.head_left);
        self.down.poll(
            cx,
            Pin::new(&mut *self.upstream),
            Pin::new(&mut *self.client),
            |written| follow(frames, head_left, written),
        )
    }

    /// Ends the socket in words that the client understands, if it can be done in time.
    async fn say_close(&mut self, code: u16) {
        let limit = self.limits.close_timeout;
        if !matches!(timeout(limit, self.speak_close(code)).await, Ok(Ok(()))) {
            return self.client.cut();
        }
        // Closing on bytes that nobody read would reset the connection and take our words with it.
        let _ = timeout(limit, self.hear_out()).await;
    }

    /// Throws away what the client still says, until it closes.
    async fn hear_out(&mut self) -> io::Result<()> {
        let mut space = [0; 1024];
        while self.client.read(&mut space).await? > 0 {}
        Ok(())
    }

    async fn speak_close(&mut self, code: u16) -> io::Result<()> {
        self.finish_frame().await?;
        if !self.frames.has_closed() {
            let [high, low] = code.to_be_bytes();
            self.client.write_all(&[0x88, 2, high, low]).await?;
        }
        self.client.flush().await?;
        self.client.shutdown().await
    }

    /// Writes on to the end of the frame that has begun, and not a byte further.
    async fn finish_frame(&mut self) -> io::Result<()> {
        while self.head_left > 0 || !self.frames.is_between_frames() {
            if self.down.pending.is_empty() {
                self.read_upstream().await?;
            }
            let wanted = if self.head_left > 0 {
                self.head_left.min(self.down.pending.len())
            } else {
                self.frames.rest_of_frame(&self.down.pending)
            };
            let bytes = self.down.pending.split_to(wanted);
            self.client.write_all(&bytes).await?;
            follow(&mut self.frames, &mut self.head_left, &bytes);
        }
        Ok(())
    }

    async fn read_upstream(&mut self) -> io::Result<()> {
        let mut space = [0; 1024];
        let count = self.upstream.read(&mut space).await?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let came = space.get(..count).unwrap_or_default();
        self.down.pending.extend_from_slice(came);
        Ok(())
    }

    async fn shut(&mut self) {
        // Either side may be gone; a moment is enough to tell the other.
        let _ = timeout(self.limits.close_timeout, self.client.shutdown()).await;
        let _ = timeout(Duration::from_millis(100), self.upstream.shutdown()).await;
    }
}

fn follow(frames: &mut ServerFrames, head_left: &mut usize, written: &[u8]) {
    let of_head = written.len().min(*head_left);
    *head_left -= of_head;
    frames.pass(written.get(of_head..).unwrap_or_default());
}

impl Flow {
    /// Carries what there is; ready once the source has ended and that has been told.
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        mut from: Pin<&mut R>,
        mut to: Pin<&mut W>,
        mut on_written: impl FnMut(&[u8]),
    ) -> Poll<io::Result<()>>
    where
        R: AsyncRead + ?Sized,
        W: AsyncWrite + ?Sized,
    {
        loop {
            ready!(self.poll_write(cx, to.as_mut(), &mut on_written))?;
            if self.is_at_end {
                return to.as_mut().poll_shutdown(cx);
            }
            let mut space = [MaybeUninit::<u8>::uninit(); READ_BYTES];
            let mut buffer = ReadBuf::uninit(&mut space);
            let read = from.as_mut().poll_read(cx, &mut buffer);
            if self.is_unflushed && read.is_pending() {
                ready!(to.as_mut().poll_flush(cx))?;
                self.is_unflushed = false;
            }
            ready!(read)?;
            let came = buffer.filled();
            self.is_at_end = came.is_empty();
            self.bytes += u64::try_from(came.len()).unwrap_or(0);
            self.pending.extend_from_slice(came);
        }
    }

    fn poll_write<W: AsyncWrite + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        mut to: Pin<&mut W>,
        on_written: &mut impl FnMut(&[u8]),
    ) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let count = ready!(to.as_mut().poll_write(cx, &self.pending))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            on_written(self.pending.get(..count).unwrap_or_default());
            self.pending.advance(count);
            self.is_unflushed = true;
        }
        self.pending = BytesMut::new();
        Poll::Ready(Ok(()))
    }
}

/// One read, on the stack.
const READ_BYTES: usize = 8 * 1024;
/// RFC 6455, section 7.4.1.
const GOING_AWAY: u16 = 1001;
/// RFC 6455, section 7.4.1.
const POLICY_VIOLATION: u16 = 1008;
