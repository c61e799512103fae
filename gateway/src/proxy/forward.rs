//! What goes to a service: made once of a permit, borrowed by each attempt.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts, uri::PathAndQuery};
use octroi_config::settings::UpstreamProtocol;
use octroi_policy::{
    decision::{Permit, RouteIndex},
    identity_headers::{is_withheld, nominated},
};
use pingora::http::RequestHeader;

use super::{
    ascii::{push_address, push_hex, push_number},
    context::Record,
    cookies,
    refusal::Refusal,
    response::REQUEST_ID,
    site::Site,
};
use crate::{assertion::Passport, listener::facts::Protocol};

/// Evidence that this target may go to this route's service as this person. Made of a [`Permit`],
/// which it consumes; nothing reaches a service without one.
pub(super) struct Forwarding {
    target: PathAndQuery,
    index: RouteIndex,
    passport: Option<Arc<Passport>>,
    facts: ForwardedFacts,
}

/// What a service is told of the request's way here, as field values that share one buffer.
struct ForwardedFacts {
    host: HeaderValue,
    client: HeaderValue,
    request_id: HeaderValue,
    traceparent: HeaderValue,
    via: HeaderValue,
}

impl Forwarding {
    /// Consumes the permit.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a permit serves once: taking it is what makes the evidence of it"
    )]
    pub(super) fn new(
        permit: Permit<'_>,
        passport: Option<Arc<Passport>>,
        record: &Record,
    ) -> Self {
        let request = permit.request();
        Self {
            target: request.target().clone(),
            index: permit.route_index(),
            passport,
            facts: ForwardedFacts::new(&permit, record),
        }
    }

    /// The route.
    pub(super) const fn route(&self) -> RouteIndex {
        self.index
    }

    /// Whether the service is told who asks.
    pub(super) const fn bears_identity(&self) -> bool {
        self.passport.is_some()
    }

    /// Puts in the place of a copy of the client's head the one that the service gets: our target
    /// in origin form, none of the client's fields that would speak with our voice, and ours.
    ///
    /// # Errors
    ///
    /// When the route is not there any more; the request is then not sent.
    pub(super) fn apply(&self, site: &Site, head: &mut RequestHeader) -> Result<(), Refusal> {
        *head = RequestHeader::from(self.head(site, head)?);
        Ok(())
    }

    /// A WebSocket's upgrade request, finished (RFC 6455, section 4.1).
    ///
    /// # Errors
    ///
    /// As [`Self::apply`].
    pub(super) fn upgrade_request(
        &self,
        site: &Site,
        client: &RequestHeader,
    ) -> Result<http::Request<()>, Refusal> {
        let mut parts = self.head(site, client)?;
        parts.version = http::Version::HTTP_11;
        parts.headers.remove(header::CONTENT_LENGTH);
        parts.headers.insert(header::CONNECTION, UPGRADE);
        parts.headers.insert(header::UPGRADE, WEBSOCKET);
        Ok(http::Request::from_parts(parts, ()))
    }

    /// Made anew and not by taking away: one pass, and what no rule lets through is not there.
    fn head(&self, site: &Site, client: &RequestHeader) -> Result<Parts, Refusal> {
        let (Some(way), Some(settings)) = (site.way(self.index), site.settings(self.index)) else {
            return Err(Refusal::Invariant);
        };
        let (mut parts, ()) = http::Request::new(()).into_parts();
        parts.method = client.method.clone();
        parts.version = client.version;
        parts.uri = http::Uri::from(self.target.clone());
        let mut fields = HeaderMap::with_capacity(client.headers.len() + OWN_FIELDS_MAX);
        let nominated: Vec<HeaderName> = nominated(&client.headers).collect();
        for (name, value) in &client.headers {
            let passes = *name != header::HOST
                && *name != header::COOKIE
                && !is_withheld(name, |name| way.sets(name))
                && !nominated.contains(name);
            if passes {
                fields.append(name.clone(), value.clone());
            }
        }
        self.facts.put_into(&mut fields);
        if settings.protocol == UpstreamProtocol::Http2 && accepts_trailers(&client.headers) {
            fields.insert(header::TE, TRAILERS);
        }
        if let Some(cookie) = cookies::for_upstream(&client.headers)
            && !nominated.contains(&header::COOKIE)
        {
            fields.insert(header::COOKIE, cookie);
        }
        for (name, value) in self.passport.iter().flat_map(|passport| passport.fields()) {
            fields.insert(name.clone(), value.clone());
        }
        parts.headers = fields;
        Ok(parts)
    }
}

impl ForwardedFacts {
    fn put_into(&self, fields: &mut HeaderMap) {
        fields.insert(header::HOST, self.host.clone());
        fields.insert(header::VIA, self.via.clone());
        fields.insert(X_FORWARDED_FOR, self.client.clone());
        fields.insert(X_FORWARDED_HOST, self.host.clone());
        fields.insert(X_FORWARDED_PROTO, HTTPS);
        fields.insert(REQUEST_ID, self.request_id.clone());
        fields.insert(TRACEPARENT, self.traceparent.clone());
    }

    fn new(permit: &Permit<'_>, record: &Record) -> Self {
        let (request, id) = (permit.request(), record.id());
        let mut text = Vec::with_capacity(192);
        text.extend_from_slice(request.host().as_str().as_bytes());
        if let Some(port) = request.port() {
            text.push(b':');
            push_number(&mut text, port.into());
        }
        let host = text.len();
        push_address(&mut text, request.client());
        let client = text.len();
        text.extend_from_slice(&id.to_ascii());
        let request_id = text.len();
        text.extend_from_slice(b"00-");
        push_hex(&mut text, id.as_bytes());
        text.push(b'-');
        let parent = id.as_bytes().last_chunk::<8>().unwrap_or(&[1; 8]);
        push_hex(&mut text, parent);
        text.extend_from_slice(b"-00");
        let text = bytes::Bytes::from(text);
        let value = |from: usize, to: usize| {
            HeaderValue::from_maybe_shared(text.slice(from..to)).unwrap_or(UNKNOWN)
        };
        Self {
            host: value(0, host),
            client: value(host, client),
            request_id: value(client, request_id),
            traceparent: value(request_id, text.len()),
            via: match record.facts().map(|facts| facts.protocol) {
                Some(Protocol::Http2) => VIA_HTTP2,
                Some(Protocol::Http1) | None => VIA_HTTP1,
            },
        }
    }
}

fn accepts_trailers(headers: &HeaderMap) -> bool {
    headers.get_all(header::TE).iter().any(|value| {
        let mut codings = value.as_bytes().split(|byte| *byte == b',');
        codings.any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
    })
}

/// The most fields that [`Forwarding::head`] adds: room for them is made at once.
const OWN_FIELDS_MAX: usize = 16;
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const HTTPS: HeaderValue = HeaderValue::from_static("https");
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");
/// RFC 9110, section 7.6.3: the protocol in which the request came, and a pseudonym for us.
const VIA_HTTP1: HeaderValue = HeaderValue::from_static("1.1 octroi");
const VIA_HTTP2: HeaderValue = HeaderValue::from_static("2 octroi");
const UPGRADE: HeaderValue = HeaderValue::from_static("Upgrade");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UNKNOWN: HeaderValue = HeaderValue::from_static("-");
