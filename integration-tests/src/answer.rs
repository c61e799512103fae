//! What a client got: a response, or the way in which it got none.

use crate::hpack::Field;

/// The outcome of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A complete response.
    Response(Response),
    /// The connection ended before a complete response.
    Closed,
    /// HTTP/2: this stream was reset, with this error code.
    Reset(u32),
    /// HTTP/2: the connection was given up, with this error code.
    GoAway(u32),
    /// Nothing came within the patience of the client.
    Silence,
}

impl Answer {
    /// The response, where there must be one.
    #[track_caller]
    pub fn response(self) -> Response {
        match self {
            Self::Response(response) => response,
            Self::Closed | Self::Reset(_) | Self::GoAway(_) | Self::Silence => {
                panic!("a response was due, but: {self:?}")
            }
        }
    }

    /// The status, or 0 where no response came.
    pub fn status(&self) -> u16 {
        match self {
            Self::Response(response) => response.status,
            Self::Closed | Self::Reset(_) | Self::GoAway(_) | Self::Silence => 0,
        }
    }

    /// Whether the gateway refused: a client error, or the end of the stream or of the connection. Silence is no refusal.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Response(response) => (400..500).contains(&response.status),
            Self::Closed | Self::Reset(_) | Self::GoAway(_) => true,
            Self::Silence => false,
        }
    }

    /// Whether the gateway asks for a sign-in: a redirect to the portal for navigations, 401 for all else.
    pub fn is_challenge(&self) -> bool {
        match self {
            Self::Response(response) => {
                response.status == 401
                    || (response.status == 303
                        && response
                            .first("location")
                            .is_some_and(|to| to.contains("/.octroi/login")))
            }
            Self::Closed | Self::Reset(_) | Self::GoAway(_) | Self::Silence => false,
        }
    }
}

/// One HTTP response, whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// Fields in order of arrival, names in lower case.
    pub fields: Vec<Field>,
    /// Content, with any transfer coding removed.
    pub body: Vec<u8>,
}

impl Response {
    /// The value of the first field of this name.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of this name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.fields
            .iter()
            .filter(move |(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// The content as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The content as JSON; `Null` where it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Everything the client got, as one text: to be searched for what must not be in it.
    pub fn everything(&self) -> String {
        let mut text = format!("{}\n", self.status);
        for (name, value) in &self.fields {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push('\n');
        }
        text.push_str(&self.text());
        text
    }
}
