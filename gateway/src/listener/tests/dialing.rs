//! Upstreams over TLS and Unix sockets: only the one that proves its name is talked to.

use std::{path::Path, sync::Arc, time::Duration};

use octroi_certs::{
    client::{Authorities, ClientIdentity, ClientTls},
    dev_authority::DevelopmentAuthority,
    tls::Profile,
};
use rustls::{RootCertStore, ServerConfig, crypto::aws_lc_rs, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixListener},
};
use tokio_rustls::TlsAcceptor;

use super::world::{now, source};
use crate::listener::tunnel::{
    Dial,
    dial::{DirectDial, UpstreamAddress},
};

/// An upstream with a certificate for `up.localhost` that greets each connection; with an authority
/// of clients it wants a certificate of one.
async fn start(
    authority: &DevelopmentAuthority,
    clients: Option<&DevelopmentAuthority>,
) -> UpstreamAddress {
    let issued = authority
        .issue_for(
            vec!["up.localhost".to_owned()],
            now(),
            Duration::from_hours(1),
        )
        .unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            let root = CertificateDer::from_pem_slice(clients.certificate_pem().as_bytes());
            roots.add(root.unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let chain = CertificateDer::from_pem_slice(issued.chain_pem.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(
        builder.with_single_cert(vec![chain], key).unwrap(),
    ));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // A client that refuses us is what some tests are about.
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.write_all(b"hello").await;
                let _ = stream.shutdown().await;
            }
        }
    });
    UpstreamAddress::Inet(address)
}

/// What an upstream says to whoever trusts `authority` and asks for `name`.
async fn greeting(
    address: &UpstreamAddress,
    authority: &DevelopmentAuthority,
    name: &'static str,
    identity: Option<&ClientIdentity>,
) -> std::io::Result<String> {
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, authority.certificate_pem()).unwrap();
    let authorities = Authorities::of_file(&roots).unwrap();
    let tls = ClientTls::load(&authorities, identity, Profile::Intermediate).unwrap();
    let config = tls.config(&[b"http/1.1"]);
    let dial = DirectDial {
        address: address.clone(),
        tls: Some((config, ServerName::try_from(name).unwrap())),
    };
    let mut greeting = String::new();
    dial.dial().await?.read_to_string(&mut greeting).await?;
    Ok(greeting)
}

#[tokio::test]
async fn an_upstream_must_prove_its_name_to_an_authority_of_ours() {
    let authority = DevelopmentAuthority::create(&[], now()).unwrap();
    let stranger = DevelopmentAuthority::create(&[], now()).unwrap();
    let address = start(&authority, None).await;
    assert_eq!(
        greeting(&address, &authority, "up.localhost", None)
            .await
            .unwrap(),
        "hello"
    );
    assert!(
        greeting(&address, &authority, "other.localhost", None)
            .await
            .is_err()
    );
    assert!(
        greeting(&address, &stranger, "up.localhost", None)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn an_upstream_that_asks_for_a_certificate_is_shown_ours() {
    let authority = DevelopmentAuthority::create(&[], now()).unwrap();
    let address = start(&authority, Some(&authority)).await;
    let folder = tempfile::tempdir().unwrap();
    let identity = identity(&authority, folder.path());
    let greeted = greeting(&address, &authority, "up.localhost", Some(&identity)).await;
    assert_eq!(greeted.unwrap(), "hello");
    assert!(
        greeting(&address, &authority, "up.localhost", None)
            .await
            .is_err()
    );
}

fn identity(authority: &DevelopmentAuthority, folder: &Path) -> ClientIdentity {
    let source = source(authority, folder, &["gateway.localhost"], false);
    ClientIdentity {
        chain: source.chain,
        key: source.key,
    }
}

#[tokio::test]
async fn a_unix_socket_is_dialled_by_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("up.sock");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"hello").await.unwrap();
    });
    let dial = DirectDial {
        address: UpstreamAddress::Unix(path),
        tls: None,
    };
    let mut greeting = String::new();
    dial.dial()
        .await
        .unwrap()
        .read_to_string(&mut greeting)
        .await
        .unwrap();
    assert_eq!(greeting, "hello");
}

#[test]
fn without_an_authority_there_is_no_upstream() {
    let problem = Authorities::of_file(Path::new("/nowhere/roots.pem")).unwrap_err();
    assert!(
        problem
            .to_string()
            .starts_with("/nowhere/roots.pem: cannot be read")
    );
}
