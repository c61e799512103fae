//! A person at a browser, as far as HTTP shows it: a cookie jar that obeys RFC 6265bis, redirects across hosts, the fields
//! that Chromium sends. What needs a real browser is in `browser/`.

use serde_json::{Value, json};

use crate::answer::{Answer, Response};
use crate::wire::Door;
use crate::{h1, h2};

/// Longest chain of redirects.
const REDIRECTS_MAX: usize = 12;

/// The version of HTTP a visitor speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.1.
    H1,
    /// HTTP/2.
    H2,
}

/// Both versions: attacks run over each.
pub const VERSIONS: [Version; 2] = [Version::H1, Version::H2];

/// One cookie of the jar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// The host it belongs to; no cookie of ours has a Domain.
    pub host: String,
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
    /// The whole `Set-Cookie` line it came with.
    pub line: String,
}

/// Someone with a browser.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// The gateway.
    pub door: Door,
    /// The version spoken.
    pub version: Version,
    /// What the jar holds.
    pub cookies: Vec<Cookie>,
    /// `Accept-Language`.
    pub language: &'static str,
    /// `User-Agent`.
    pub agent: &'static str,
}

/// One step of a journey: the address asked for and its response.
#[derive(Clone, Debug)]
pub struct Hop {
    /// The address.
    pub url: String,
    /// The response.
    pub response: Response,
}

impl Visitor {
    /// A visitor with an empty jar who speaks HTTP/1.1.
    pub fn at(door: &Door) -> Self {
        Self {
            door: door.clone(),
            version: Version::H1,
            cookies: Vec::new(),
            language: "en",
            agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
        }
    }

    /// The same visitor, speaking another version.
    #[must_use]
    pub fn speaking(mut self, version: Version) -> Self {
        self.version = version;
        self
    }

    /// A navigation: typed into the address bar.
    pub fn get(&mut self, url: &str) -> Response {
        self.ask("GET", url, &navigation("none"), b"").response()
    }

    /// A navigation that follows redirects to their end, over all hosts. Gives each hop; the last one is where it ended.
    pub fn follow(&mut self, url: &str) -> Vec<Hop> {
        let first = self.get(url);
        self.go_on(url, first)
    }

    /// Follows the redirects of a response already got.
    pub fn go_on(&mut self, url: &str, first: Response) -> Vec<Hop> {
        let mut hops = vec![Hop {
            url: url.to_owned(),
            response: first,
        }];
        while let Some(next) = hops
            .last()
            .and_then(|hop| redirect(&hop.url, &hop.response))
        {
            assert!(
                hops.len() <= REDIRECTS_MAX,
                "too many redirects: {:?}",
                addresses(&hops)
            );
            let from = hops
                .last()
                .map(|hop| host_of(&hop.url).to_owned())
                .unwrap_or_default();
            let site = if from == host_of(&next) {
                "same-origin"
            } else {
                "same-site"
            };
            let response = self.ask("GET", &next, &navigation(site), b"").response();
            hops.push(Hop {
                url: next,
                response,
            });
        }
        hops
    }

    /// The page where a navigation ends.
    pub fn visit(&mut self, url: &str) -> Hop {
        self.follow(url).pop().expect("at least one hop")
    }

    /// Submits a form of a page on the same host.
    pub fn submit(&mut self, url: &str, fields: &[(&str, &str)]) -> Response {
        self.post_form(url, fields).response()
    }

    /// The same, whatever becomes of it: a gateway that dies meanwhile gives no response.
    pub fn post_form(&mut self, url: &str, fields: &[(&str, &str)]) -> Answer {
        let body = fields
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
            .collect::<Vec<_>>()
            .join("&");
        let origin = format!("https://{}", authority_of(url));
        let mut headers = navigation("same-origin");
        headers.push(("Origin".to_owned(), origin));
        headers.push((
            "Content-Type".to_owned(),
            "application/x-www-form-urlencoded".to_owned(),
        ));
        self.ask("POST", url, &headers, body.as_bytes())
    }

    /// Posts JSON, as a script without a browser does.
    pub fn post_json(&mut self, url: &str, body: &Value) -> Response {
        let headers = [("Content-Type".to_owned(), "application/json".to_owned())];
        self.ask("POST", url, &headers, body.to_string().as_bytes())
            .response()
    }

    /// Signs in over the JSON interface of the portal.
    pub fn sign_in(&mut self, portal: &str, login: &str, password: &str) -> Response {
        let url = format!("https://{portal}/.octroi/api/v1/login");
        self.post_json(
            &url,
            &json!({ "login": login, "password": password, "computer": "private" }),
        )
    }

    /// Any request with the jar's cookies; takes up the cookies of the answer.
    pub fn ask(
        &mut self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Answer {
        let authority = authority_of(url);
        let host = host_of(url);
        let target = url
            .split_once("://")
            .map_or(url, |(_, rest)| rest)
            .trim_start_matches(authority);
        let target = if target.is_empty() { "/" } else { target };
        let mut all = vec![
            ("User-Agent".to_owned(), self.agent.to_owned()),
            ("Accept-Language".to_owned(), self.language.to_owned()),
        ];
        all.extend_from_slice(headers);
        if let Some(cookies) = self.cookie_field(host) {
            all.push(("Cookie".to_owned(), cookies));
        }
        let request = Request {
            method,
            authority,
            host,
            target,
            fields: &all,
            body,
        };
        let answer = match self.version {
            Version::H1 => request.over_h1(&self.door),
            Version::H2 => request.over_h2(&self.door),
        };
        if let Answer::Response(response) = &answer {
            self.take_cookies(host, response);
        }
        answer
    }

    /// The value of a cookie of the jar.
    pub fn cookie(&self, host: &str, name: &str) -> Option<&str> {
        self.cookies
            .iter()
            .find(|cookie| cookie.host == host && cookie.name == name)
            .map(|cookie| cookie.value.as_str())
    }

    /// The `Cookie` field that a browser would send to this host.
    pub fn cookie_field(&self, host: &str) -> Option<String> {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .filter(|cookie| cookie.host == host)
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn take_cookies(&mut self, host: &str, response: &Response) {
        for line in response.all("set-cookie") {
            let Some((name, rest)) = line.split_once('=') else {
                continue;
            };
            let value = rest.split(';').next().unwrap_or_default();
            self.cookies
                .retain(|cookie| cookie.host != host || cookie.name != name);
            let lower = line.to_ascii_lowercase();
            let is_gone = lower.contains("max-age=0") || lower.contains("01 jan 1970");
            if !is_gone && is_acceptable(name, &lower) {
                self.cookies.push(Cookie {
                    host: host.to_owned(),
                    name: name.to_owned(),
                    value: value.to_owned(),
                    line: line.to_owned(),
                });
            }
        }
    }
}

/// A `__Host-` cookie that a browser would refuse is refused here.
fn is_acceptable(name: &str, lower_line: &str) -> bool {
    !name.starts_with("__Host-")
        || (lower_line.contains("; secure")
            && lower_line.contains("; path=/")
            && !lower_line.contains("domain="))
}

struct Request<'a> {
    method: &'a str,
    authority: &'a str,
    host: &'a str,
    target: &'a str,
    fields: &'a [(String, String)],
    body: &'a [u8],
}

impl Request<'_> {
    fn over_h1(&self, door: &Door) -> Answer {
        let Ok(mut client) = h1::Client::connect(door, self.host) else {
            return Answer::Closed;
        };
        let mut fields: Vec<(&[u8], &[u8])> = vec![(b"Host", self.authority.as_bytes())];
        fields.extend(
            self.fields
                .iter()
                .map(|(name, value)| (name.as_bytes(), value.as_bytes())),
        );
        fields.push((b"Connection", b"close"));
        client.exchange(&h1::request(
            self.method.as_bytes(),
            self.target.as_bytes(),
            &fields,
            self.body,
        ))
    }

    fn over_h2(&self, door: &Door) -> Answer {
        let Ok(mut client) = h2::Client::connect(door, self.host) else {
            return Answer::Closed;
        };
        let lower: Vec<(String, &str)> = self
            .fields
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()))
            .collect();
        let others: Vec<(&[u8], &[u8])> = lower
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
            .collect();
        let fields = h2::fields(
            self.method.as_bytes(),
            self.authority.as_bytes(),
            self.target.as_bytes(),
            &others,
        );
        client.exchange(&fields, self.body)
    }
}

/// What Chromium sends with a navigation.
pub fn navigation(site: &str) -> Vec<(String, String)> {
    [
        (
            "Accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        ),
        ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Site", site),
        ("Sec-Fetch-User", "?1"),
        ("Upgrade-Insecure-Requests", "1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

/// The addresses of a journey, for messages.
pub fn addresses(hops: &[Hop]) -> Vec<String> {
    hops.iter()
        .map(|hop| format!("{} {}", hop.response.status, hop.url))
        .collect()
}

/// Where a response sends the browser, made absolute.
pub fn redirect(url: &str, response: &Response) -> Option<String> {
    if !matches!(response.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = response.first("location")?;
    if to.contains("://") {
        return Some(to.to_owned());
    }
    Some(format!("https://{}{to}", authority_of(url)))
}

/// Host and port of an address.
pub fn authority_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// Host of an address, without port.
pub fn host_of(url: &str) -> &str {
    authority_of(url).split(':').next().unwrap_or_default()
}

/// Percent-encodes a value for a form or a query.
pub fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    escaped
}

fn hex(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16)
        .unwrap_or_default()
        .to_ascii_uppercase()
}
