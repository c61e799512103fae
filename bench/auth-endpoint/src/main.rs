//! Answers nginx's `auth_request`: 204 with the account when the session cookie is known, 401 when it is not.
//!
//! It does the least that an honest session check can do: find the cookie, hash it, look the hash
//! up among as many sessions as the gateway under test holds. One thread, keep-alive connections,
//! no framework.
//!
//! Usage: `auth-endpoint ADDRESS TOKEN_FILE SESSIONS` – the file holds the one token that is sent;
//! the rest of the map is filled with hashes of numbers.

use std::{collections::HashMap, env, fs, io, rc::Rc};

use aws_lc_rs::digest::{SHA256, digest};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::LocalSet,
};

type Sessions = HashMap<[u8; 32], String>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut arguments = env::args().skip(1);
    let mut argument = |what: &str| arguments.next().ok_or_else(|| io::Error::other(format!("missing argument: {what}")));
    let (address, token_file, count) = (argument("ADDRESS")?, argument("TOKEN_FILE")?, argument("SESSIONS")?);
    let token = fs::read_to_string(token_file)?;
    let count: u32 = count.parse().map_err(io::Error::other)?;
    let mut sessions = Sessions::new();
    for number in 1..count {
        sessions.insert(hash(&number.to_le_bytes()), format!("account-{number}"));
    }
    sessions.insert(hash(token.trim().as_bytes()), "account-0".to_owned());
    let sessions = Rc::new(sessions);
    let listener = TcpListener::bind(address).await?;
    println!("{}", listener.local_addr()?);
    let tasks = LocalSet::new();
    tasks
        .run_until(async {
            loop {
                let (stream, _) = listener.accept().await?;
                let sessions = Rc::clone(&sessions);
                tokio::task::spawn_local(async move {
                    // A connection that breaks is nginx's to reopen.
                    let _ = serve(stream, &sessions).await;
                });
            }
        })
        .await
}

async fn serve(mut stream: TcpStream, sessions: &Sessions) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(8192);
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let answer = match cookie(&buffer[..end]).and_then(|token| sessions.get(&hash(token))) {
            Some(account) => format!("HTTP/1.1 204 No Content\r\nRemote-User: {account}\r\n\r\n"),
            None => "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n".to_owned(),
        };
        buffer.drain(..end);
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// The value of the cookie `__Host-octroi` in a request's head.
fn cookie(head: &[u8]) -> Option<&[u8]> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, values) = line.split_at_checked(7)?;
        if !name.eq_ignore_ascii_case(b"cookie:") {
            return None;
        }
        values
            .split(|byte| *byte == b';')
            .find_map(|pair| pair.trim_ascii().strip_prefix(b"__Host-octroi="))
    })
}

fn hash(token: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, token).as_ref());
    bytes
}
