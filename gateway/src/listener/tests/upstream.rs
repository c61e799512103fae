//! An upstream that does as its path says.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// The key that all test clients send, and what accepts it.
pub(super) const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
pub(super) const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

pub(super) fn switching() -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\nX-From: upstream\r\n\r\n"
    )
}

/// Starts an upstream that reads a request and then behaves by its path.
pub(super) async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                // A client that goes away is no failure of the upstream.
                let _ = answer(stream).await;
            });
        }
    });
    address
}

/// Starts an upstream that says 101 before it has read a byte.
pub(super) async fn start_eager() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                stream.write_all(switching().as_bytes()).await?;
                read_head(&mut stream).await?;
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await
            });
        }
    });
    address
}

/// Longer than any limit of the tests that use it.
const PAUSE: std::time::Duration = std::time::Duration::from_secs(1);

async fn read_head(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8(head).unwrap())
}

async fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        let head = read_head(&mut stream).await?;
        let path = head.split(' ').nth(1).unwrap().to_owned();
        match path.split('?').next().unwrap() {
            "/events" => {
                let start = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\
                             Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";
                stream.write_all(start.as_bytes()).await?;
                return silence(&mut stream).await;
            }
            "/upload" => {
                let length = read_body(&mut stream, &head).await?;
                respond(&mut stream, &length.to_string()).await?;
            }
            path @ ("/early" | "/both-ways" | "/slow-upload" | "/continue" | "/flood"
            | "/stalled") => {
                at_its_own_pace(&mut stream, path, &head).await?;
            }
            "/ws" => {
                stream.write_all(switching().as_bytes()).await?;
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await?;
                return Ok(());
            }
            "/ws-half-frame" => {
                // The first 100 bytes of a frame of 1,000, and the rest when asked for.
                let start = [
                    &switching().into_bytes()[..],
                    &[0x82, 126, 3, 232],
                    &[7; 100],
                ];
                stream.write_all(&start.concat()).await?;
                tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                stream.write_all(&[7; 900]).await?;
                stream.write_all(&[0x81, 2, b'n', b'o']).await?;
                return silence(&mut stream).await;
            }
            "/ws-stuck-frame" => {
                let start = [
                    &switching().into_bytes()[..],
                    &[0x82, 126, 3, 232],
                    &[7; 100],
                ];
                stream.write_all(&start.concat()).await?;
                return silence(&mut stream).await;
            }
            "/ws-flood" => {
                stream.write_all(switching().as_bytes()).await?;
                let frame = [&[0x82, 126, 0x3f, 0xff][..], &[7; 16_383]].concat();
                loop {
                    stream.write_all(&frame).await?;
                }
            }
            "/ws-wrong-key" => {
                let wrong = switching().replace(ACCEPT, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
                stream.write_all(wrong.as_bytes()).await?;
                return silence(&mut stream).await;
            }
            "/ws-refused" => {
                let body = "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\nX-From: upstream\r\n\r\n\
                            4\r\nnope\r\n0\r\n\r\n";
                stream.write_all(body.as_bytes()).await?;
            }
            path => respond(&mut stream, path).await?,
        }
    }
}

/// One answer of a service that takes and gives in times of its own.
async fn at_its_own_pace(stream: &mut TcpStream, path: &str, head: &str) -> std::io::Result<()> {
    match path {
        "/early" => {
            // All is said before the body is read, and nothing is done with it after.
            respond(stream, "early").await?;
            silence(stream).await?;
        }
        "/both-ways" => {
            let start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegun\r\n";
            stream.write_all(start.as_bytes()).await?;
            let length = read_body(stream, head).await?.to_string();
            let end = format!("{:x}\r\n{length}\r\n0\r\n\r\n", length.len());
            stream.write_all(end.as_bytes()).await?;
        }
        "/slow-upload" | "/continue" => {
            tokio::time::sleep(PAUSE).await;
            if path == "/continue" {
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            }
            let length = read_body(stream, head).await?;
            respond(stream, &length.to_string()).await?;
        }
        "/flood" => {
            let start = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(start.as_bytes()).await?;
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x1_0000));
            loop {
                stream.write_all(chunk.as_bytes()).await?;
            }
        }
        _ => {
            let start = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf.";
            stream.write_all(start.as_bytes()).await?;
            silence(stream).await?;
        }
    }
    Ok(())
}

async fn respond(stream: &mut TcpStream, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await
}

async fn read_body(stream: &mut TcpStream, head: &str) -> std::io::Result<usize> {
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    if let Some(length) = length {
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        return Ok(length);
    }
    let mut chunks = Vec::new();
    while !chunks.ends_with(b"0\r\n\r\n") {
        chunks.push(stream.read_u8().await?);
    }
    Ok(chunks.len())
}

async fn silence(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut space = [0; 1024];
    while stream.read(&mut space).await? > 0 {}
    Ok(())
}
