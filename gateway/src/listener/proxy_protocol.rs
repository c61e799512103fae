//! The PROXY protocol, versions 1 and 2: a load balancer tells whom it speaks for.
//!
//! Written from the specification of `HAProxy` (proxy-protocol.txt, 2020). Only peers that the operator
//! lists are asked, and those must send it: else a client could choose its own address.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::io::{AsyncRead, AsyncReadExt};

/// Why a header is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProxyHeaderFault {
    /// It did not come, or not to its end.
    #[error("no PROXY header came: {0}")]
    Missing(#[from] io::Error),
    /// It is not as specified, or longer than is borne.
    #[error("malformed PROXY header")]
    Malformed,
}

/// Reads a header and not a byte more. `None` means that the peer speaks for itself, as load
/// balancers do when they ask whether we are alive.
pub(super) async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
) -> Result<Option<SocketAddr>, ProxyHeaderFault> {
    let mut start = [0; SIGNATURE.len()];
    stream.read_exact(&mut start).await?;
    if start == *SIGNATURE {
        read_binary(stream).await
    } else if start.starts_with(b"PROXY ") {
        read_text(stream, &start).await
    } else {
        Err(ProxyHeaderFault::Malformed)
    }
}

async fn read_binary<S: AsyncRead + Unpin>(
    stream: &mut S,
) -> Result<Option<SocketAddr>, ProxyHeaderFault> {
    let mut fixed = [0; 4];
    stream.read_exact(&mut fixed).await?;
    let [command, family, high, low] = fixed;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > HEADER_BYTES_MAX - SIGNATURE.len() - fixed.len() {
        return Err(ProxyHeaderFault::Malformed);
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match (command, family) {
        (LOCAL, _) => Ok(None),
        (PROXY, TCP_V4) => {
            let (address, port) = ends::<4>(&rest)?;
            Ok(Some((Ipv4Addr::from(address), port).into()))
        }
        (PROXY, TCP_V6) => {
            let (address, port) = ends::<16>(&rest)?;
            Ok(Some((Ipv6Addr::from(address), port).into()))
        }
        _ => Err(ProxyHeaderFault::Malformed),
    }
}

/// The source's address and port out of an address block; extensions after it are not looked at.
fn ends<const N: usize>(block: &[u8]) -> Result<([u8; N], u16), ProxyHeaderFault> {
    let fault = ProxyHeaderFault::Malformed;
    let Some((address, rest)) = block.split_first_chunk::<N>() else {
        return Err(fault);
    };
    let Some((_destination, rest)) = rest.split_first_chunk::<N>() else {
        return Err(fault);
    };
    let Some(([high, low, _, _], _extensions)) = rest.split_first_chunk::<4>() else {
        return Err(fault);
    };
    Ok((*address, u16::from_be_bytes([*high, *low])))
}

async fn read_text<S: AsyncRead + Unpin>(
    stream: &mut S,
    start: &[u8],
) -> Result<Option<SocketAddr>, ProxyHeaderFault> {
    let mut line = start.to_vec();
    // Byte by byte: the first byte after the line belongs to TLS.
    while !line.ends_with(b"\r\n") {
        if line.len() == LINE_BYTES_MAX {
            return Err(ProxyHeaderFault::Malformed);
        }
        line.push(stream.read_u8().await?);
    }
    parse_text(&line).ok_or(ProxyHeaderFault::Malformed)
}

#[expect(
    clippy::option_option,
    reason = "malformed, speaks for itself, speaks for another: three different things"
)]
fn parse_text(line: &[u8]) -> Option<Option<SocketAddr>> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let mut words = line.strip_prefix("PROXY ")?.split(' ');
    let family = words.next()?;
    if family == "UNKNOWN" {
        return Some(None);
    }
    let source: IpAddr = words.next()?.parse().ok()?;
    let destination: IpAddr = words.next()?.parse().ok()?;
    let source_port = parse_port(words.next()?)?;
    parse_port(words.next()?)?;
    let fits = match family {
        "TCP4" => source.is_ipv4() && destination.is_ipv4(),
        "TCP6" => source.is_ipv6() && destination.is_ipv6(),
        _ => false,
    };
    (fits && words.next().is_none()).then(|| Some(SocketAddr::new(source, source_port)))
}

/// Decimal digits without sign.
fn parse_port(text: &str) -> Option<u16> {
    let is_decimal = text.bytes().all(|byte| byte.is_ascii_digit());
    is_decimal.then(|| text.parse().ok())?
}

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Version 2 in the upper half, the command in the lower.
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;
/// The family in the upper half, the transport in the lower.
const TCP_V4: u8 = 0x11;
const TCP_V6: u8 = 0x21;
/// The longest line of version 1, line end included (section 2.1).
const LINE_BYTES_MAX: usize = 107;
/// The longest header that every sender may count on (section 2.2).
pub(super) const HEADER_BYTES_MAX: usize = 536;

#[cfg(test)]
mod tests;
