//! The demo's people are made once, whatever happens in between.

use super::*;
use crate::{entropy::SystemEntropy, identity::testing::World};

#[tokio::test]
async fn both_organisations_have_a_marie_and_some_must_change_their_password() {
    let directory = tempfile::tempdir().unwrap();
    let people = recorded(&directory.path().join("people.json"), &SystemEntropy).unwrap();
    let identity = World::new().await.identity;
    settle(&identity, &people, &SystemEntropy).await.unwrap();
    for name in ["acme/marie", "globex/marie"] {
        let marie = identity.find_account(name).await.unwrap();
        assert_eq!(marie.standing, Standing::Ready, "{name}");
        assert_eq!(marie.roles.len(), 2, "{name}");
    }
    for name in ["acme/jean", "globex/ines"] {
        let account = identity.find_account(name).await.unwrap();
        assert!(
            matches!(account.standing, Standing::Provisional { .. }),
            "{name}"
        );
    }
    assert_eq!(identity.sessions(None).await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_setup_that_was_interrupted_goes_on_with_the_same_passwords() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("people.json");
    let people = recorded(&file, &SystemEntropy).unwrap();
    let identity = World::new().await.identity;
    settle(&identity, &people[..3], &SystemEntropy)
        .await
        .unwrap();
    let again = recorded(&file, &SystemEntropy).unwrap();
    let passwords = |people: &[Person]| -> Vec<String> {
        people
            .iter()
            .map(|person| person.password.clone())
            .collect()
    };
    assert_eq!(passwords(&again), passwords(&people));
    settle(&identity, &again, &SystemEntropy).await.unwrap();
    settle(&identity, &again, &SystemEntropy).await.unwrap();
    assert_eq!(
        identity.accounts(None).await.unwrap().0.len(),
        FIXTURES.len()
    );
}
