//! TLS: names, versions, protocols, tickets, reload.

use std::{io, sync::Arc};

use octroi_certs::reload;
use rustls::{
    AlertDescription, ClientConfig, Error, HandshakeKind, NamedGroup, ProtocolVersion,
    client::Resumption,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::world::{Client, World, get, source};

fn alert(result: io::Result<Client>) -> AlertDescription {
    let Err(error) = result else {
        panic!("the handshake succeeded")
    };
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
    {
        Some(Error::AlertReceived(alert)) => *alert,
        other => panic!("no alert: {other:?}"),
    }
}

fn subject_of(client: &Client) -> Vec<u8> {
    client.stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

#[tokio::test]
async fn a_name_is_served_exactly_or_by_a_wildcard_of_one_label() {
    let world = World::new().await;
    let connect = async |name: &str| world.connect_as(name, world.client(&["http/1.1"])).await;
    assert!(connect("app.localhost").await.is_ok());
    assert!(connect("APP.localhost").await.is_ok());
    assert!(connect("any.wild.localhost").await.is_ok());
    let unknown = AlertDescription::UnrecognisedName;
    for name in [
        "nope.localhost",
        "two.any.wild.localhost",
        "wild.localhost",
        "localhost",
    ] {
        assert_eq!(alert(connect(name).await), unknown, "{name}");
    }
}

#[tokio::test]
async fn a_client_without_a_name_gets_the_default_certificate_or_none() {
    for (has_default, is_served) in [(true, true), (false, false)] {
        let world = World::with(|plan| plan.has_default_certificate = has_default).await;
        let mut config = world.client(&["http/1.1"]);
        config.enable_sni = false;
        let result = world.connect_as("other.localhost", config).await;
        assert_eq!(result.is_ok(), is_served);
        if !is_served {
            assert_eq!(alert(result), AlertDescription::UnrecognisedName);
        }
    }
}

#[tokio::test]
async fn a_client_that_speaks_neither_protocol_is_told_so() {
    let world = World::new().await;
    let result = world
        .connect_as("app.localhost", world.client(&["spdy/3"]))
        .await;
    assert_eq!(alert(result), AlertDescription::NoApplicationProtocol);
    assert!(
        world
            .connect_as("app.localhost", world.client(&[]))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn the_facts_of_a_connection_reach_its_requests() {
    let world = World::new().await;
    let mut client = world
        .connect_as("APP.localhost", world.client(&["http/1.1"]))
        .await
        .unwrap();
    client.send(&get("/facts")).await;
    assert_eq!(
        client.read_answer().await.1,
        "127.0.0.1 Some(\"app.localhost\") Http1 Tls13 TLS13_AES_256_GCM_SHA384"
    );
    let tls = client.stream.get_ref().1;
    assert_eq!(
        tls.negotiated_key_exchange_group().unwrap().name(),
        NamedGroup::X25519MLKEM768
    );
}

#[tokio::test]
async fn tls_1_2_is_served_with_256_bits_first() {
    let world = World::new().await;
    let mut client = connect_with(&world, tls12(&world)).await.unwrap();
    client.send(&get("/facts")).await;
    let facts = client.read_answer().await.1;
    assert!(
        facts.contains("Tls12 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
        "{facts}"
    );
}

#[tokio::test]
async fn strong_256_has_no_128_bit_suite() {
    let world = World::with(|plan| plan.profile = octroi_certs::tls::Profile::Strong256).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut provider = rustls::crypto::aws_lc_rs::default_provider();
        provider
            .cipher_suites
            .retain(|suite| format!("{suite:?}").contains("AES_128"));
        let config = with_provider(&world, provider, version);
        assert_eq!(
            alert(connect_with(&world, config).await),
            AlertDescription::HandshakeFailure
        );
    }
}

#[tokio::test]
async fn tls_1_1_and_cbc_are_refused() {
    let world = World::new().await;
    for (minor, suite, alert) in [
        (
            2,
            ECDHE_ECDSA_AES_128_CBC_SHA,
            AlertDescription::ProtocolVersion,
        ),
        (
            3,
            ECDHE_ECDSA_AES_128_CBC_SHA,
            AlertDescription::HandshakeFailure,
        ),
        // Without extended_master_secret, the one thing that is wrong with it.
        (
            3,
            ECDHE_ECDSA_AES_256_GCM_SHA384,
            AlertDescription::HandshakeFailure,
        ),
    ] {
        let mut stream = TcpStream::connect(world.address).await.unwrap();
        stream.write_all(&client_hello(minor, suite)).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer[0], 21, "an alert and nothing else: {answer:?}");
        assert_eq!(
            AlertDescription::from(answer[6]),
            alert,
            "TLS 1.{} {suite:?}",
            minor - 1
        );
    }
}

// RFC 8422, section 6, and RFC 5289, section 3.2.
const ECDHE_ECDSA_AES_128_CBC_SHA: [u8; 2] = [0xc0, 0x09];
const ECDHE_ECDSA_AES_256_GCM_SHA384: [u8; 2] = [0xc0, 0x2c];

/// A `ClientHello` (RFC 5246, section 7.4.1.2) that offers one suite.
fn client_hello(minor: u8, suite: [u8; 2]) -> Vec<u8> {
    let name = b"app.localhost";
    let name_len = u8::try_from(name.len()).unwrap();
    let server_name = [
        &[0, 0, 0, name_len + 5, 0, name_len + 3, 0, 0, name_len],
        &name[..],
    ]
    .concat();
    let extensions = [
        &server_name[..],
        &[0, 10, 0, 4, 0, 2, 0, 23],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 4, 0, 2, 4, 3],
    ]
    .concat();
    let extensions_len = u16::try_from(extensions.len()).unwrap().to_be_bytes();
    let body = [
        &[3, minor][..],
        &[7; 32],
        &[0, 0, 2],
        &suite,
        &[1, 0],
        &extensions_len,
        &extensions,
    ]
    .concat();
    let body_len = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, body_len + 4, 1, 0, 0, body_len], &body[..]].concat()
}

#[tokio::test]
async fn a_ticket_spares_the_handshake_in_both_versions() {
    let world = World::new().await;
    for config in [tls12(&world), world.client(&["http/1.1"])] {
        let mut config = config;
        config.resumption = Resumption::in_memory_sessions(8);
        let mut resumed = Vec::new();
        for _ in 0..2 {
            let mut client = connect_with(&world, config.clone()).await.unwrap();
            client.send(&get("/facts")).await;
            // The tickets of TLS 1.3 come with the answer.
            client.read_answer().await;
            let kind = client.stream.get_ref().1.handshake_kind();
            resumed.push(kind == Some(HandshakeKind::Resumed));
        }
        assert_eq!(resumed, [false, true]);
    }
}

#[tokio::test]
async fn a_renewed_certificate_is_served_at_once_and_a_bad_one_never() {
    let world = World::new().await;
    let mut open = world.http1().await;
    let before = subject_of(&open);
    source(
        &world.authority,
        world.folder.path(),
        &["app.localhost", "*.wild.localhost"],
        false,
    );
    world
        .resolver
        .replace(&reload::load_all(&world.sources).unwrap());
    let renewed = subject_of(&world.http1().await);
    assert_ne!(before, renewed);

    std::fs::write(&world.sources[0].chain, "nothing").unwrap();
    let problems = reload::load_all(&world.sources).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(subject_of(&world.http1().await), renewed);
    open.send(&get("/still")).await;
    assert_eq!(open.read_answer().await.1, "/still");
}

fn tls12(world: &World) -> ClientConfig {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    with_provider(world, provider, &rustls::version::TLS12)
}

fn with_provider(
    world: &World,
    provider: rustls::crypto::CryptoProvider,
    version: &'static rustls::SupportedProtocolVersion,
) -> ClientConfig {
    assert!(matches!(
        version.version,
        ProtocolVersion::TLSv1_2 | ProtocolVersion::TLSv1_3
    ));
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(world.roots.clone())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

async fn connect_with(world: &World, config: ClientConfig) -> io::Result<Client> {
    world.connect_as("app.localhost", config).await
}
