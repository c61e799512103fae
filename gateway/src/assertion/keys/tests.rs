//! Rotation: a key is published before it signs and after.

use super::*;
use crate::{
    entropy::SystemEntropy,
    keyring::Keyring,
    store::{Stores, memory},
};

const NOW: Timestamp = Timestamp::from_unix_millis(1_795_305_600_000);

fn stores() -> Stores {
    let keyring = Arc::new(Keyring::ephemeral(&SystemEntropy).unwrap());
    memory::open(keyring, Arc::new(SystemEntropy))
}

/// The ids that are published, oldest first.
fn published(keys: &SigningKeys) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_slice(&keys.document()).unwrap();
    let keys = document["keys"].as_array().unwrap().iter();
    keys.map(|key| key["kid"].as_str().unwrap().to_owned())
        .collect()
}

fn signing(keys: &SigningKeys, at: Timestamp) -> String {
    keys.current(at).unwrap().jwk.kid.clone()
}

#[tokio::test]
async fn the_next_key_is_published_two_days_before_it_signs_and_the_last_one_two_days_after() {
    let keys = SigningKeys::open(stores().signing_keys, NOW).await.unwrap();
    let first = signing(&keys, NOW);
    let turn = NOW.after(SigningKeys::SIGNS_FOR);
    let moment = Duration::from_millis(1);
    let announced = turn.before(SigningKeys::PUBLISHED_AROUND);
    keys.rotate(announced.before(moment)).await.unwrap();
    assert_eq!(published(&keys), std::slice::from_ref(&first));
    keys.rotate(announced).await.unwrap();
    let both = published(&keys);
    assert_eq!((both.len(), &both[0]), (2, &first));
    assert_eq!(signing(&keys, turn.before(moment)), first);
    assert_eq!(signing(&keys, turn), both[1]);
    let forgotten = turn.after(SigningKeys::PUBLISHED_AROUND);
    keys.rotate(forgotten.before(moment)).await.unwrap();
    assert_eq!(published(&keys), both);
    keys.rotate(forgotten).await.unwrap();
    assert_eq!(published(&keys), both[1..]);
}

#[tokio::test]
async fn keys_outlive_the_process_and_their_private_halves_stay_out_of_the_document() {
    let stores = stores();
    let before = SigningKeys::open(Arc::clone(&stores.signing_keys), NOW)
        .await
        .unwrap();
    let after = SigningKeys::open(stores.signing_keys, NOW).await.unwrap();
    assert_eq!(before.document(), after.document());
    let document: serde_json::Value = serde_json::from_slice(&after.document()).unwrap();
    let key = document["keys"][0].as_object().unwrap();
    let members: Vec<&str> = key.keys().map(String::as_str).collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
}

#[tokio::test]
async fn a_clock_that_stood_far_ahead_and_is_put_right_leaves_a_key_that_signs_and_rotates() {
    let stores = stores();
    let ahead = NOW.after(Duration::from_hours(24 * 365));
    let keys = SigningKeys::open(Arc::clone(&stores.signing_keys), ahead)
        .await
        .unwrap();
    let of_the_future = signing(&keys, ahead);
    // Put right: at once the key that everybody may know signs, and from the next rotation one of now.
    assert_eq!(signing(&keys, NOW), of_the_future);
    keys.rotate(NOW).await.unwrap();
    let of_now = signing(&keys, NOW);
    assert_ne!(of_now, of_the_future);
    assert_eq!(published(&keys), [of_now.clone(), of_the_future.clone()]);
    keys.rotate(NOW).await.unwrap();
    assert_eq!(published(&keys).len(), 2, "no key an hour");
    // The key of the future does not keep the one of now from being followed in its time.
    let turn = NOW.after(SigningKeys::SIGNS_FOR);
    keys.rotate(turn.before(SigningKeys::PUBLISHED_AROUND))
        .await
        .unwrap();
    assert_eq!(published(&keys).len(), 3);
    assert_eq!(signing(&keys, turn), published(&keys)[1]);
    assert!(published(&keys)[1] != of_now && published(&keys)[1] != of_the_future);
}

#[tokio::test]
async fn a_clock_that_is_set_back_a_little_goes_on_with_the_key_that_is_published() {
    let keys = SigningKeys::open(stores().signing_keys, NOW).await.unwrap();
    let first = signing(&keys, NOW);
    assert_eq!(signing(&keys, NOW.before(Duration::from_secs(1))), first);
}
