//! Reading a request: what Pingora parsed becomes the one canonical request, or is refused.

use http::Version;
use octroi_policy::request::{CanonicalRequest, Malformed, RequestParts, Scheme, client_address};
use pingora::proxy::Session;

use super::{context::Record, refusal::Refusal};

/// The canonical request, with the client's address by the trust list. The bytes of an HTTP/1 head
/// were judged by the door, before Pingora parsed them.
///
/// # Errors
///
/// What is malformed, another port than people see among it; [`Refusal::Fault`] for a request that did not come through the door.
pub(super) fn admit(session: &Session, record: &Record) -> Result<CanonicalRequest, Refusal> {
    let facts = record.facts().ok_or(Refusal::Fault)?;
    let head = session.req_header();
    let trusted = record.site.trusted_proxies();
    let client = client_address(facts.client.ip(), trusted, &head.headers);
    let authority = match head.version {
        Version::HTTP_2 => head.uri.authority().map(http::uri::Authority::as_str),
        _ => None,
    };
    let over_h2 = head.version == Version::HTTP_2;
    let target = match (over_h2, head.uri.path_and_query()) {
        (true, Some(target)) => target.as_str().as_bytes(),
        (true, None) => return Err(Refusal::Malformed(Malformed::TargetForm)),
        (false, _) => head.raw_path(),
    };
    let request = CanonicalRequest::from_parts(&RequestParts {
        scheme: Scheme::Https,
        method: &head.method,
        target,
        parsed_target: head.uri.path_and_query(),
        authority,
        headers: &head.headers,
        server_name: facts.tls.server_name.as_deref(),
        client: client.map_err(Refusal::Malformed)?,
    })
    .map_err(Refusal::Malformed)?;
    // A service makes links of what it is told of the port, for other people too.
    if request
        .port()
        .is_some_and(|port| port != record.site.public_port())
    {
        return Err(Refusal::Malformed(Malformed::Misdirected));
    }
    Ok(request)
}
