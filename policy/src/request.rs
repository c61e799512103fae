//! The one reading of a request that policy, journal, limits and the upstream share.

mod client_address;
mod head;
mod malformed;

#[cfg(test)]
mod tests;

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue, Method, header, uri::PathAndQuery};

use crate::{
    host::Host,
    path::{self, CanonicalPath},
};

pub use self::{
    client_address::client_address,
    head::{DeclaredBody, Http1Head, read_http1_head},
    malformed::{Malformed, MalformedKind},
};

/// A request in canonical form: two requests that an upstream could take for the same one have the
/// same canonical request, and what is forwarded is this and not the bytes that arrived.
#[derive(Clone, Debug)]
pub struct CanonicalRequest {
    scheme: Scheme,
    host: Host,
    port: Option<u16>,
    method: Method,
    target: PathAndQuery,
    client: IpAddr,
}

/// What a listener knows of a request, as it arrived. Every byte of it is hostile.
#[derive(Clone, Copy, Debug)]
pub struct RequestParts<'a> {
    /// The scheme of the listener, never what the client says.
    pub scheme: Scheme,
    /// The method.
    pub method: &'a Method,
    /// The request target exactly as received: origin form, or absolute form (RFC 9112, section 3.2).
    pub target: &'a [u8],
    /// The same, as far as the listener parsed it already; saves a copy when it is canonical.
    pub parsed_target: Option<&'a PathAndQuery>,
    /// The pseudo-header `:authority` of HTTP/2.
    pub authority: Option<&'a str>,
    /// All fields but the pseudo-headers.
    pub headers: &'a HeaderMap,
    /// The name that the client asked for in the TLS handshake.
    pub server_name: Option<&'a str>,
    /// The client's address, as [`client_address()`] tells it.
    pub client: IpAddr,
}

/// How a request reached the listener.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scheme {
    /// Over plain TCP.
    Http,
    /// Over TLS.
    Https,
}

impl CanonicalRequest {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// The first thing found about it that has more than one reading, or none.
    pub fn from_parts(parts: &RequestParts<'_>) -> Result<Self, Malformed> {
        check_method(parts.method)?;
        check_field_names(parts.headers)?;
        check_expectation(parts.headers)?;
        let (authority, target) = split_absolute_form(parts)?;
        let (host, port) = read_authority(parts, authority)?;
        check_server_name(parts.server_name, &host)?;
        let target = path::canonical_target(target, parts.parsed_target)?;
        Ok(Self {
            scheme: parts.scheme,
            host,
            port,
            method: parts.method.clone(),
            target,
            client: parts.client,
        })
    }

    /// The scheme of the listener that it came in by.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host asked for.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port that the client named, unless it is the scheme's own. It selects nothing: it is
    /// kept for comparing an `Origin` and for telling the upstream.
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// The method.
    pub const fn method(&self) -> &Method {
        &self.method
    }

    /// The path.
    pub fn path(&self) -> CanonicalPath<'_> {
        CanonicalPath::trusted(self.target.path())
    }

    /// The query, without its `?`, as the client wrote it.
    pub fn query(&self) -> Option<&str> {
        self.target.query()
    }

    /// Path and query in origin form: what is forwarded.
    pub const fn target(&self) -> &PathAndQuery {
        &self.target
    }

    /// The client's address.
    pub const fn client(&self) -> IpAddr {
        self.client
    }

    /// Whether `origin`, the value of an `Origin` field, is the origin of this very request
    /// (RFC 6454, section 5). `null` is nobody's.
    pub fn is_same_origin(&self, origin: &str) -> bool {
        let Some(rest) = origin
            .strip_prefix(self.scheme.as_str())
            .and_then(|rest| rest.strip_prefix("://"))
        else {
            return false;
        };
        match read_host_and_port(rest, self.scheme) {
            Ok((host, port)) => host == self.host && port == self.port,
            Err(_) => false,
        }
    }
}

impl Scheme {
    /// The scheme as URLs and `X-Forwarded-Proto` write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that goes without saying (RFC 9110, sections 4.2.1 and 4.2.2).
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// TRACE and its alias echo a request, credentials and all, to whoever can read the answer
/// (RFC 9110, section 9.3.8); CONNECT would make the gateway a tunnel.
fn check_method(method: &Method) -> Result<(), Malformed> {
    if *method == Method::TRACE
        || *method == Method::CONNECT
        || method.as_str() == "TRACK"
        || method.as_str().len() > Malformed::METHOD_BYTES_MAX
    {
        return Err(Malformed::Method);
    }
    Ok(())
}

/// `X_Auth_User` and `X.Auth.User` become the same variable as `X-Auth-User` in CGI, WSGI and
/// others behind us (attack class A6).
fn check_field_names(headers: &HeaderMap) -> Result<(), Malformed> {
    for name in headers.keys() {
        if name
            .as_str()
            .bytes()
            .any(|byte| matches!(byte, b'_' | b'.'))
        {
            return Err(Malformed::FieldName);
        }
    }
    Ok(())
}

/// What else a client may expect, neither we nor the upstream can be known to keep.
fn check_expectation(headers: &HeaderMap) -> Result<(), Malformed> {
    let kept = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if headers.get_all(header::EXPECT).iter().all(kept) {
        Ok(())
    } else {
        Err(Malformed::Expectation)
    }
}

/// Takes an absolute-form target apart (RFC 9112, section 3.2.2).
fn split_absolute_form<'a>(
    parts: &RequestParts<'a>,
) -> Result<(Option<&'a str>, &'a [u8]), Malformed> {
    if parts.target.first() == Some(&b'/') {
        return Ok((None, parts.target));
    }
    let target = std::str::from_utf8(parts.target).map_err(|_| Malformed::TargetForm)?;
    let (scheme, rest) = target.split_once("://").ok_or(Malformed::TargetForm)?;
    if !scheme.eq_ignore_ascii_case(parts.scheme.as_str()) {
        return Err(Malformed::TargetForm);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(end).ok_or(Malformed::TargetForm)?;
    match path.as_bytes().first() {
        Some(b'/') => Ok((Some(authority), path.as_bytes())),
        None => Ok((Some(authority), b"/")),
        Some(_) => Err(Malformed::TargetForm),
    }
}

/// One host, however often it is said: `Host`, `:authority` and the target must agree.
fn read_authority(
    parts: &RequestParts<'_>,
    target_authority: Option<&str>,
) -> Result<(Host, Option<u16>), Malformed> {
    let mut fields = parts.headers.get_all(header::HOST).iter();
    let field = match fields.next() {
        Some(value) => Some(value.to_str().map_err(|_| Malformed::Host)?),
        None => None,
    };
    if fields.next().is_some() {
        return Err(Malformed::HostRepeated);
    }
    let named = [parts.authority, target_authority, field];
    let mut named = named.into_iter().flatten();
    let first = named.next().ok_or(Malformed::HostMissing)?;
    let read = read_host_and_port(first, parts.scheme)?;
    for other in named {
        if other != first && read_host_and_port(other, parts.scheme)? != read {
            return Err(Malformed::HostDisagrees);
        }
    }
    Ok(read)
}

fn read_host_and_port(text: &str, scheme: Scheme) -> Result<(Host, Option<u16>), Malformed> {
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, Some(read_port(port)?)),
        None => (text, None),
    };
    let host = name.parse().map_err(|_| Malformed::Host)?;
    Ok((host, port.filter(|port| *port != scheme.default_port())))
}

fn read_port(text: &str) -> Result<u16, Malformed> {
    let plain =
        !text.is_empty() && !text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit());
    if plain {
        text.parse().map_err(|_| Malformed::Host)
    } else {
        Err(Malformed::Host)
    }
}

/// A browser may send requests for any name of our certificate over one HTTP/2 connection; each
/// name has its own rules and perhaps its own client certificates, so it is told to use another
/// connection (RFC 9110, section 15.5.20).
fn check_server_name(server_name: Option<&str>, host: &Host) -> Result<(), Malformed> {
    let Some(name) = server_name else {
        return Ok(());
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.eq_ignore_ascii_case(host.as_str()) {
        Ok(())
    } else {
        Err(Malformed::Misdirected)
    }
}
