//! Sockets: what counts as an upgrade, and the door's part filled in.

use std::{io, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, Method, Response, StatusCode, Version, header};
use octroi_policy::{decision::RouteIndex, id::RequestId};
use pingora::{http::RequestHeader, proxy::Session};

use super::{
    GateParts,
    answer::answer,
    context::{Context, Record},
    refusal::Refusal,
    response,
    site::Site,
};
use crate::listener::{
    limits::TunnelLimits,
    tunnel::{
        Dial, Takeover, TunnelEnd, TunnelFault, TunnelOutcome, TunnelWatch, UpstreamStream,
        WebSocketKey, connection_upgrades,
    },
};

/// A well-formed opening handshake (RFC 6455, section 4.2.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Handshake(WebSocketKey);

/// Whether a request asks for a WebSocket.
///
/// # Errors
///
/// [`Refusal::Upgrade`] when it asks for another protocol ("h2c" among them, by which a request is
/// smuggled past whoever does not speak it), or for a WebSocket in a way that is none.
pub(super) fn asked(head: &RequestHeader) -> Result<Option<Handshake>, Refusal> {
    let headers = &head.headers;
    if head.version == Version::HTTP_2 || !headers.contains_key(header::UPGRADE) {
        return Ok(None);
    }
    let only = |name: header::HeaderName| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value.as_bytes().trim_ascii()),
            _ => None,
        }
    };
    let is_websocket = head.version == Version::HTTP_11
        && head.method == Method::GET
        && only(header::UPGRADE).is_some_and(|value| value.eq_ignore_ascii_case(b"websocket"))
        && only(header::SEC_WEBSOCKET_VERSION) == Some(b"13")
        && connection_upgrades(headers)
        && !headers.contains_key(header::TRANSFER_ENCODING)
        && only(header::CONTENT_LENGTH).is_none_or(|length| length == b"0");
    let key = only(header::SEC_WEBSOCKET_KEY).and_then(WebSocketKey::parse);
    match key {
        Some(key) if is_websocket => Ok(Some(Handshake(key))),
        _ => Err(Refusal::Upgrade),
    }
}

/// Leaves the connection to the door, with all that it needs to reach the service.
///
/// # Errors
///
/// When the head cannot be made.
pub(super) fn hand_over(
    gate: &Arc<GateParts>,
    session: &mut Session,
    context: &mut Context,
    handshake: Handshake,
) -> Result<(), Refusal> {
    let forwarding = context.forwarding.take().ok_or(Refusal::Invariant)?;
    let record = &mut context.record;
    let site = Arc::clone(&record.site);
    let (Some(way), Some(settings)) = (
        site.way(forwarding.route()),
        site.settings(forwarding.route()),
    ) else {
        return Err(Refusal::Invariant);
    };
    let request = forwarding.upgrade_request(&site, session.req_header())?;
    let open = record.open().ok_or(Refusal::Fault)?;
    let limits = TunnelLimits {
        dial_timeout: way.service.patience(),
        answer_timeout: settings.timeouts.response,
        idle_timeout: settings.timeouts.idle,
        ..TunnelLimits::default()
    };
    // The door takes the connection back only where it may be used again.
    session.set_keepalive(Some(HAND_OVER_KEEPALIVE_SECONDS));
    open.take_over(Takeover {
        dial: Box::new(ServiceDial {
            site: Arc::clone(&site),
            route: forwarding.route(),
            request: record.id(),
        }),
        request,
        key: handshake.0,
        limits,
        watch: Box::new(Watch {
            gate: Arc::clone(gate),
            bears_identity: forwarding.bears_identity(),
            record: record.hand_over(),
        }),
    });
    Ok(())
}

/// The way to a service, by the configuration under which the request was let in.
struct ServiceDial {
    site: Arc<Site>,
    route: RouteIndex,
    /// By which the log names the request.
    request: RequestId,
}

#[async_trait::async_trait]
impl Dial for ServiceDial {
    async fn dial(&self) -> io::Result<Box<dyn UpstreamStream>> {
        let way = self.site.way(self.route).ok_or(io::ErrorKind::NotFound)?;
        way.service.connect(self.request).await
    }
}

/// The record of a request that has become a WebSocket: its access line comes when the socket is gone.
struct Watch {
    gate: Arc<GateParts>,
    bears_identity: bool,
    record: Record,
}

impl TunnelWatch for Watch {
    fn answer(&mut self, status: StatusCode, headers: &mut HeaderMap) {
        self.record.status = Some(status);
        response::filter(headers, &self.record, self.bears_identity);
    }

    fn refuse(&mut self, fault: TunnelFault) -> Response<Bytes> {
        let refusal = match fault {
            TunnelFault::Unreachable => Refusal::UpstreamUnreachable,
            TunnelFault::TimedOut => Refusal::UpstreamTooSlow,
            TunnelFault::BadAnswer => Refusal::UpstreamBroken,
            TunnelFault::EarlyBytes => Refusal::Upgrade,
        };
        self.record.refusal = Some(refusal);
        let answer = answer(&self.gate, &self.record, None, refusal);
        self.record.status = Some(answer.status);
        answer.into_response()
    }

    fn finished(&mut self, outcome: &TunnelOutcome) {
        self.record.status = outcome.status;
        self.record.bytes_in = outcome.bytes_from_client;
        self.record.bytes_out = outcome.bytes_to_client;
        self.record.tunnel_ended = match outcome.end {
            TunnelEnd::Idle => Some("idle"),
            TunnelEnd::Ended(reason) => Some(reason.as_str()),
            TunnelEnd::Refused(_) | TunnelEnd::Answered | TunnelEnd::Closed => None,
        };
    }
}

const HAND_OVER_KEEPALIVE_SECONDS: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 4] = [
        ("upgrade", "WebSocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    fn head(fields: &[(&'static str, &'static str)]) -> RequestHeader {
        let mut head = RequestHeader::build("GET", b"/", None).unwrap();
        for (name, value) in fields {
            head.append_header(*name, *value).unwrap();
        }
        head
    }

    fn ask(fields: &[(&'static str, &'static str)]) -> Result<bool, Refusal> {
        asked(&head(fields)).map(|handshake| handshake.is_some())
    }

    #[test]
    fn only_a_well_formed_handshake_upgrades() {
        assert_eq!(ask(&[]), Ok(false));
        assert_eq!(ask(&GOOD), Ok(true));
        for missing in 1..GOOD.len() {
            let mut fields = GOOD.to_vec();
            fields.remove(missing);
            assert_eq!(ask(&fields), Err(Refusal::Upgrade), "{fields:?}");
        }
        for (place, value) in [
            (0, "h2c"),
            (0, "websocket, h2c"),
            (1, "close"),
            (2, "8"),
            (3, "short"),
        ] {
            let mut fields = GOOD.to_vec();
            fields[place].1 = value;
            assert_eq!(ask(&fields), Err(Refusal::Upgrade), "{fields:?}");
        }
        for added in [
            ("upgrade", "h2c"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("content-length", "5"),
            ("transfer-encoding", "chunked"),
        ] {
            let mut fields = GOOD.to_vec();
            fields.push(added);
            assert_eq!(ask(&fields), Err(Refusal::Upgrade), "{fields:?}");
        }
    }
}
