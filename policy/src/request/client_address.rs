//! Whose address a request counts for, when proxies stand in front of us.

use std::net::IpAddr;

use http::HeaderMap;
use ipnet::IpNet;

use super::Malformed;

/// The client's address: the peer's own, unless the peer is one of `trusted`. Then
/// `X-Forwarded-For` is read from the right, and the first address that is not trusted is the
/// client's: what stands left of it was written by the client and proves nothing (attack A5).
///
/// `trusted` is empty unless the operator says otherwise.
///
/// # Errors
///
/// [`Malformed::ForwardedFor`] when a trusted peer's field cannot be read: guessing would let the
/// client choose under which address it is counted.
pub fn client_address(
    peer: IpAddr,
    trusted: &[IpNet],
    headers: &HeaderMap,
) -> Result<IpAddr, Malformed> {
    let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let mut client = peer.to_canonical();
    if !is_trusted(&client) {
        return Ok(client);
    }
    for field in headers.get_all("x-forwarded-for").iter().rev() {
        let text = field.to_str().map_err(|_| Malformed::ForwardedFor)?;
        for hop in text.rsplit(',') {
            let hop: IpAddr = hop
                .trim_matches([' ', '\t'])
                .parse()
                .map_err(|_| Malformed::ForwardedFor)?;
            client = hop.to_canonical();
            if !is_trusted(&client) {
                return Ok(client);
            }
        }
    }
    Ok(client)
}
