//! One request through Pingora, which can be cut off at any moment.

use std::sync::Arc;

use pingora::{
    apps::{HttpServerApp, ReusedHttpStream},
    protocols::http::ServerSession,
    proxy::{HttpProxy, ProxyHttp},
    server::ShutdownWatch,
};

use super::{
    limits::Limits,
    open_requests::{self, EndReason, OpenRequest},
    refusal::DoorRefusals,
};

/// What one worker answers with.
pub(super) struct Worker<A> {
    pub(super) proxy: Arc<HttpProxy<A>>,
    pub(super) limits: Arc<Limits>,
    pub(super) refusals: Arc<dyn DoorRefusals>,
    pub(super) shutdown: ShutdownWatch,
}

impl<A> Clone for Worker<A> {
    fn clone(&self) -> Self {
        Self {
            proxy: Arc::clone(&self.proxy),
            limits: Arc::clone(&self.limits),
            refusals: Arc::clone(&self.refusals),
            shutdown: self.shutdown.clone(),
        }
    }
}

/// How Pingora's part of a request ended.
pub(super) enum Answered {
    /// Pingora is done; the connection comes back if it may be used again.
    Done(Option<ReusedHttpStream>),
    /// Pingora's future was dropped where it stood.
    CutOff(EndReason),
}

impl<A> Worker<A>
where
    A: ProxyHttp + Send + Sync + 'static,
    A::CTX: Send + Sync,
{
    /// Sets the limits that Pingora itself keeps.
    pub(super) fn limit(&self, session: &mut ServerSession) {
        session.set_write_timeout(Some(self.limits.write_timeout));
        session.set_total_drain_timeout(Some(self.limits.head_timeout));
    }

    /// Lets Pingora answer `session` until it is done or cut off; `on_cut` runs before Pingora's
    /// future, and with it the connection, is dropped.
    pub(super) async fn answer(
        &self,
        session: ServerSession,
        open: &Arc<OpenRequest>,
        has_body: bool,
        on_cut: impl Fn() + Copy,
    ) -> Answered {
        if has_body {
            open.body.expect();
        }
        let limits = &self.limits;
        let body = limits.body.over(open.facts.protocol);
        let proxied = self.proxy.process_new_http(session, &self.shutdown);
        let proxied = open_requests::within(Arc::clone(open), proxied);
        let ended = async {
            let reason = open.ended().await;
            on_cut();
            reason
        };
        let too_slow = async {
            if !has_body {
                std::future::pending::<()>().await;
            }
            open.body.too_slow(body, limits.head_timeout).await;
            // For the access line, which is written when Pingora's future is dropped.
            open.end(EndReason::BodyTooSlow);
            on_cut();
        };
        tokio::select! {
            biased;
            stream = proxied => Answered::Done(stream),
            reason = ended => Answered::CutOff(reason),
            () = too_slow => Answered::CutOff(EndReason::BodyTooSlow),
        }
    }
}
