//! Why a request is refused before anybody asks who sent it.

/// What is wrong with a request. Closed: each reason has an id that a client, a log and the manual can quote.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum Malformed {
    /// `\` in the path, raw or encoded: a separator to some servers.
    Backslash,
    /// A line of the head that ends in LF alone, or has a CR without LF.
    BareLineEnd,
    /// A control byte, raw or encoded, NUL among them.
    ControlByte,
    /// A segment `.` or `..`, raw or encoded.
    DotSegment,
    /// A `%` that, once decoded, makes another encoded byte.
    DoubleEncoding,
    /// Two slashes in a row.
    EmptySegment,
    /// `%2F`: one server's separator, another's character.
    EncodedSlash,
    /// A `%` without two hexadecimal digits, or bytes that decode to no UTF-8.
    Encoding,
    /// An `Expect` other than `100-continue` (RFC 9110, section 10.1.1).
    Expectation,
    /// A header name with `_` or `.`, or with what is no token (RFC 9110, section 5.6.2).
    FieldName,
    /// A header line folded over two lines (RFC 9112, section 5.2).
    FoldedLine,
    /// An `X-Forwarded-For` of a trusted proxy that cannot be read.
    ForwardedFor,
    /// A raw `#` in the target.
    Fragment,
    /// A body whose length can be read in two ways (RFC 9112, sections 6.1 and 6.3).
    Framing,
    /// A host that is no name.
    Host,
    /// `Host`, `:authority` and an absolute target that do not agree.
    HostDisagrees,
    /// No host at all.
    HostMissing,
    /// More than one `Host`.
    HostRepeated,
    /// A head of HTTP/2 that the library beneath us has refused by itself: hosts or lengths that do
    /// not agree, no host, or a byte that a target must not hold. It does not tell which.
    Http2Head,
    /// A method that is never served: TRACE, CONNECT, or one over [`Malformed::METHOD_BYTES_MAX`].
    Method,
    /// A host other than the one of the TLS handshake.
    Misdirected,
    /// `;` in the path: parameters to some servers, text to others.
    PathParameter,
    /// A request line that is not method, target and version with one space between.
    RequestLine,
    /// A byte that a target must not hold unencoded.
    TargetByte,
    /// A target that is neither a path nor a URL of this host.
    TargetForm,
    /// A target over [`Malformed::TARGET_BYTES_MAX`].
    TargetTooLong,
}

/// What kind of answer a malformed request gets.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MalformedKind {
    /// It has no reading, or more than one.
    Unreadable,
    /// Its method is not served.
    MethodNotAllowed,
    /// It is too long.
    TooLong,
    /// It expects what nobody here promises.
    ExpectationUnmet,
    /// It came over a connection that was made for another host.
    Misdirected,
}

impl Malformed {
    /// The longest request target in bytes. RFC 9112, section 3, asks for at least 8,000.
    pub const TARGET_BYTES_MAX: usize = 8192;

    /// The longest method in bytes. The longest that is registered has 17 (`UPDATEREDIRECTREF`);
    /// the access line holds methods whole.
    pub const METHOD_BYTES_MAX: usize = 32;

    /// The stable id used in answers, logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backslash => "request_backslash",
            Self::BareLineEnd => "request_bare_line_end",
            Self::ControlByte => "request_control_byte",
            Self::DotSegment => "request_dot_segment",
            Self::DoubleEncoding => "request_double_encoding",
            Self::EmptySegment => "request_empty_segment",
            Self::EncodedSlash => "request_encoded_slash",
            Self::Encoding => "request_encoding",
            Self::Expectation => "request_expectation",
            Self::FieldName => "request_field_name",
            Self::FoldedLine => "request_folded_line",
            Self::ForwardedFor => "request_forwarded_for",
            Self::Fragment => "request_fragment",
            Self::Framing => "request_framing",
            Self::Host => "request_host",
            Self::HostDisagrees => "request_host_disagrees",
            Self::HostMissing => "request_host_missing",
            Self::HostRepeated => "request_host_repeated",
            Self::Http2Head => "request_http2_head",
            Self::Method => "request_method",
            Self::Misdirected => "request_misdirected",
            Self::PathParameter => "request_path_parameter",
            Self::RequestLine => "request_line",
            Self::TargetByte => "request_target_byte",
            Self::TargetForm => "request_target_form",
            Self::TargetTooLong => "request_target_too_long",
        }
    }

    /// What kind of answer it gets.
    pub const fn kind(self) -> MalformedKind {
        match self {
            Self::Method => MalformedKind::MethodNotAllowed,
            Self::Misdirected => MalformedKind::Misdirected,
            Self::Expectation => MalformedKind::ExpectationUnmet,
            Self::TargetTooLong => MalformedKind::TooLong,
            Self::Backslash
            | Self::BareLineEnd
            | Self::ControlByte
            | Self::DotSegment
            | Self::DoubleEncoding
            | Self::EmptySegment
            | Self::EncodedSlash
            | Self::Encoding
            | Self::FieldName
            | Self::FoldedLine
            | Self::ForwardedFor
            | Self::Fragment
            | Self::Framing
            | Self::Host
            | Self::HostDisagrees
            | Self::HostMissing
            | Self::HostRepeated
            | Self::Http2Head
            | Self::PathParameter
            | Self::RequestLine
            | Self::TargetByte
            | Self::TargetForm => MalformedKind::Unreadable,
        }
    }

    /// Every reason, for tables and their tests.
    pub const ALL: [Self; 25] = [
        Self::Backslash,
        Self::BareLineEnd,
        Self::ControlByte,
        Self::DotSegment,
        Self::DoubleEncoding,
        Self::EmptySegment,
        Self::EncodedSlash,
        Self::Encoding,
        Self::Expectation,
        Self::FieldName,
        Self::FoldedLine,
        Self::ForwardedFor,
        Self::Fragment,
        Self::Framing,
        Self::Host,
        Self::HostDisagrees,
        Self::HostMissing,
        Self::HostRepeated,
        Self::Method,
        Self::Misdirected,
        Self::PathParameter,
        Self::RequestLine,
        Self::TargetByte,
        Self::TargetForm,
        Self::TargetTooLong,
    ];
}
