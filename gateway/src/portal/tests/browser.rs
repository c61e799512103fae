//! As much of a browser as the tests need: cookies by host, forms, redirects followed one by one.

use std::{collections::BTreeMap, net::Ipv4Addr, sync::Arc};

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use octroi_policy::id::RequestId;
use tower::ServiceExt as _;

use super::{PORTAL, host};
use crate::{
    identity::{client::ClientFacts, secret::SessionToken},
    portal::{Routers, Visitor, cookies},
};

/// A browser with its cookies.
#[derive(Clone)]
pub(super) struct Browser {
    routers: Routers,
    language: &'static str,
    cookies: BTreeMap<(String, String), String>,
    /// Where it is.
    pub(super) address: Ipv4Addr,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
    host: String,
}

/// What is sent, beyond the browser's own fields.
pub(super) struct Sent<'a> {
    pub(super) method: Method,
    pub(super) host: &'a str,
    pub(super) target: &'a str,
    pub(super) headers: &'a [(&'static str, &'a str)],
    pub(super) body: String,
}

impl Browser {
    pub(super) fn new(routers: Routers, language: &'static str) -> Self {
        Self {
            routers,
            language,
            cookies: BTreeMap::new(),
            address: Ipv4Addr::new(192, 0, 2, 1),
        }
    }

    /// Goes to an address of ours.
    pub(super) async fn get(&mut self, host: &str, target: &str) -> Answer {
        let headers = [("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")];
        self.send(Sent {
            method: Method::GET,
            host,
            target,
            headers: &headers,
            body: String::new(),
        })
        .await
    }

    /// Goes to an address as it stands in `Location` or a link.
    pub(super) async fn follow(&mut self, from: &Answer, address: &str) -> Answer {
        match address.strip_prefix("https://") {
            Some(rest) => {
                let (host, target) = rest.split_at(rest.find('/').unwrap());
                self.get(host, target).await
            }
            None => self.get(&from.host, address).await,
        }
    }

    /// Fills in and sends the page's form that goes to `action`.
    pub(super) async fn submit(
        &mut self,
        page: &Answer,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let headers = [
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let body = page.form(action, fields);
        self.send(Sent {
            method: Method::POST,
            host: &page.host.clone(),
            target: action,
            headers: &headers,
            body,
        })
        .await
    }

    /// Sends a request as it is, with the cookies of its host, and keeps what is set.
    pub(super) async fn send(&mut self, sent: Sent<'_>) -> Answer {
        let mut request = Request::builder()
            .method(sent.method)
            .uri(sent.target)
            .header(header::ACCEPT_LANGUAGE, self.language);
        for (name, value) in sent.headers {
            request = request.header(*name, *value);
        }
        let held = self.cookie_field(sent.host);
        if !held.is_empty() {
            request = request.header(header::COOKIE, held);
        }
        let mut request = request.body(Body::from(sent.body)).unwrap();
        let token = self.cookie(sent.host, cookies::SESSION);
        request.extensions_mut().insert(Visitor {
            client: ClientFacts {
                address: self.address.into(),
                user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Firefox/145.0".into()),
                request: RequestId::from_random([7; 16]),
            },
            host: host(sent.host),
            token: token
                .and_then(|text| SessionToken::parse(text.as_bytes()))
                .map(Arc::new),
        });
        let router = if sent.host == PORTAL {
            self.routers.portal.clone()
        } else {
            self.routers.application.clone()
        };
        let response = router.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        self.keep(sent.host, &parts.headers);
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
            host: sent.host.to_owned(),
        }
    }

    /// The cookie of this host and name.
    pub(super) fn cookie(&self, host: &str, name: &str) -> Option<String> {
        self.cookies
            .get(&(host.to_owned(), name.to_owned()))
            .cloned()
    }

    /// The names of a host's cookies.
    pub(super) fn cookie_names(&self, host: &str) -> Vec<&str> {
        self.cookies
            .keys()
            .filter(|(owner, _)| owner == host)
            .map(|(_, name)| name.as_str())
            .collect()
    }

    /// Puts a cookie in place, as a thief would.
    pub(super) fn plant(&mut self, host: &str, name: &str, value: &str) {
        self.cookies
            .insert((host.to_owned(), name.to_owned()), value.to_owned());
    }

    fn cookie_field(&self, host: &str) -> String {
        let pairs: Vec<String> = self
            .cookies
            .iter()
            .filter(|((owner, _), _)| owner == host)
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn keep(&mut self, host: &str, headers: &HeaderMap) {
        for field in headers.get_all(header::SET_COOKIE) {
            let text = field.to_str().unwrap();
            for demanded in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(text.contains(demanded), "{text}");
            }
            assert!(!text.contains("Domain"), "{text}");
            let (pair, attributes) = text.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            assert!(name.starts_with("__Host-"), "{text}");
            let key = (host.to_owned(), name.to_owned());
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Where the answer sends the browser.
    pub(super) fn location(&self) -> &str {
        self.header("location")
            .unwrap_or_else(|| panic!("{}: {}", self.status, self.body))
    }

    /// Where the page sends the browser by itself.
    pub(super) fn refresh(&self) -> Option<String> {
        let (_, rest) = self
            .body
            .split_once("http-equiv=\"refresh\" content=\"0;url=")?;
        rest.split('"').next().map(unescaped)
    }

    /// Whether the page says this; templates escape as they must.
    pub(super) fn says(&self, words: &str) -> bool {
        unescaped(&self.body).contains(words)
    }

    /// The page's form for `action` as it would be sent, with `fields` filled in.
    pub(super) fn form(&self, action: &str, fields: &[(&str, &str)]) -> String {
        let opening = format!("action=\"{action}\"");
        let (_, rest) = self
            .body
            .split_once(&opening)
            .unwrap_or_else(|| panic!("no form for {action} in {}", self.body));
        let (form, _) = rest.split_once("</form>").unwrap();
        let mut pairs = Vec::new();
        for input in form.split("<input type=\"hidden\" ").skip(1) {
            pairs.push((
                attribute(input, "name"),
                unescaped(&attribute(input, "value")),
            ));
        }
        for (name, value) in fields {
            pairs.push(((*name).to_owned(), (*value).to_owned()));
        }
        encoded(&pairs)
    }

    /// The value of the hidden field `name` in the form for `action`.
    pub(super) fn hidden(&self, action: &str, name: &str) -> String {
        let form = self.form(action, &[]);
        form.split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value.to_owned())
            .unwrap()
    }

    /// The cookies that the answer sets, as sent.
    pub(super) fn set_cookies(&self) -> Vec<&str> {
        self.headers
            .get_all(header::SET_COOKIE)
            .into_iter()
            .map(|field| field.to_str().unwrap())
            .collect()
    }
}

/// A body of `application/x-www-form-urlencoded`.
pub(super) fn encoded(pairs: &[(String, String)]) -> String {
    let encode = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect()
    };
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

fn attribute(tag: &str, name: &str) -> String {
    let (_, rest) = tag.split_once(&format!("{name}=\"")).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn unescaped(text: &str) -> String {
    [
        ("&#38;", "&"),
        ("&#39;", "'"),
        ("&#34;", "\""),
        ("&#60;", "<"),
        ("&#62;", ">"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}
