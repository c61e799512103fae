//! The assertion as a service sees it, verified by hand and not by our own code.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use data_encoding::BASE64URL_NOPAD;
use octroi_policy::session::Computer;
use serde_json::Value;

use super::{
    World,
    world::{NOW, fields},
};

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

/// Verifies as RFC 7515, section 5.2, has it, with nothing but the published document.
fn verified(token: &str, document: &[u8]) -> Option<Value> {
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else {
        return None;
    };
    let head = decoded(header);
    if head["alg"] != "ES256" || head["typ"] != "octroi+jwt" {
        return None;
    }
    let document: Value = serde_json::from_slice(document).ok()?;
    let mut keys = document["keys"].as_array()?.iter();
    let key = keys.find(|key| key["kid"] == head["kid"])?;
    let mut point = vec![4];
    for coordinate in ["x", "y"] {
        let text = key[coordinate].as_str()?;
        point.extend(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?);
    }
    let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).ok()?;
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
        .verify(format!("{header}.{claims}").as_bytes(), &signature)
        .ok()?;
    Some(decoded(claims))
}

#[tokio::test]
async fn the_assertion_says_who_to_whom_and_for_how_long_and_every_flipped_byte_is_refused() {
    let world = World::new().await;
    let (cookie, known) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
    );
    world.send(&request).await;
    let seen = world.seen.one();
    let token = fields(&seen, "octroi-assertion")[0];
    let document = world.keys.document();
    let claims = verified(token, &document).expect("the signature holds");
    let record = &known.session.record;
    assert_eq!(claims["iss"], "https://login.example.com");
    assert_eq!(claims["aud"], "paie");
    assert_eq!(claims["sub"], record.account.to_string());
    assert_eq!(claims["sid"], record.id.to_string());
    assert_eq!(claims["tenant"], "acme");
    assert_eq!(claims["groups"], serde_json::json!(["rh"]));
    assert_eq!(claims["amr"], serde_json::json!(["pwd"]));
    assert_eq!(claims["acr"], "password");
    assert_eq!(claims["auth_time"], NOW.as_unix_seconds());
    assert_eq!(claims["iat"], NOW.as_unix_seconds());
    assert_eq!(claims["exp"], NOW.as_unix_seconds() + 60);
    let claims_at = token.find('.').unwrap() + 1;
    for position in [claims_at, claims_at + 20, token.len() - 3] {
        let mut forged = token.as_bytes().to_vec();
        forged[position] = if forged[position] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        let held = std::panic::catch_unwind(|| verified(&forged, &document));
        assert!(!matches!(held, Ok(Some(_))), "{position}");
    }
}

#[tokio::test]
async fn b12_an_assertion_is_kept_for_half_its_life_and_for_its_session_alone() {
    let world = World::new().await;
    let (first, _) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    let (second, other) = world
        .sessions
        .open("paie.example.com", &["rh", "it"], Computer::Private);
    let ask = async |cookie: &str| {
        let request = format!(
            "GET / HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
        );
        world.send(&request).await;
        let seen = world.seen.all().pop().unwrap();
        fields(&seen, "octroi-assertion")[0].to_owned()
    };
    let before = ask(&first).await;
    world.clock.advance(std::time::Duration::from_secs(29));
    assert_eq!(ask(&first).await, before);
    world.clock.advance(std::time::Duration::from_secs(1));
    let renewed = ask(&first).await;
    assert_ne!(renewed, before);
    let claims = verified(&ask(&second).await, &world.keys.document()).unwrap();
    assert_eq!(claims["sid"], other.session.record.id.to_string());
    assert_eq!(claims["groups"], serde_json::json!(["rh", "it"]));
    assert_eq!(ask(&first).await, renewed, "nobody takes it from another");
}

/// What a service accepts: a true signature, for itself, not over yet.
fn accepted(token: &str, document: &[u8], audience: &str, at: i64) -> bool {
    verified(token, document).is_some_and(|claims| {
        claims["aud"] == audience && claims["exp"].as_i64().is_some_and(|end| at < end)
    })
}

#[tokio::test]
async fn a_service_can_refuse_what_is_for_another_what_is_over_and_what_no_published_key_signed() {
    let world = World::new().await;
    let (cookie, _) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
    );
    world.send(&request).await;
    let seen = world.seen.one();
    let token = fields(&seen, "octroi-assertion")[0];
    let (document, now) = (world.keys.document(), NOW.as_unix_seconds());
    assert!(accepted(token, &document, "paie", now + 59));
    assert!(!accepted(token, &document, "paie", now + 60), "over");
    assert!(!accepted(token, &document, "echo", now), "another service");
    let stranger = World::new().await.keys.document();
    assert!(!accepted(token, &stranger, "paie", now), "another gateway");
    let (_, rest) = token.split_once('.').unwrap();
    let (claims, _) = rest.split_once('.').unwrap();
    let none = BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"octroi+jwt"}"#);
    for unsigned in [format!("{none}.{rest}"), format!("{none}.{claims}.")] {
        assert!(!accepted(&unsigned, &document, "paie", now), "{unsigned}");
    }
}

#[tokio::test]
async fn an_assertion_that_is_due_is_not_kept() {
    let world = World::new().await;
    let (cookie, _) = world
        .sessions
        .open("paie.example.com", &["rh"], Computer::Private);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: paie.example.com\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n"
    );
    world.send(&request).await;
    world.passports.forget_due();
    assert_eq!(world.passports.len(), 1);
    world.clock.advance(std::time::Duration::from_secs(30));
    world.passports.forget_due();
    assert_eq!(world.passports.len(), 0);
}
