//! Where a call comes from: a browser, an operator at the machine, or the system itself.

use std::net::IpAddr;

use octroi_policy::id::RequestId;

/// What the connection and its headers tell of the sender. Nothing in it is proved but the address.
#[derive(Clone, Debug)]
pub(crate) struct ClientFacts {
    /// The client's address, after the trust list.
    pub(crate) address: IpAddr,
    /// The `User-Agent` field as sent, cut by the caller to a bounded length.
    pub(crate) user_agent: Option<Box<str>>,
    /// The request, as told to the person and the journal.
    pub(crate) request: RequestId,
}

/// Who asks for an administrative change; the journal keeps it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operator {
    /// A user of the machine, at the command line (`os:<uid>`).
    Os(u32),
    /// The gateway itself: retention, demo.
    System,
}
