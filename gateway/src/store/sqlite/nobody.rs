//! Nobody: in whose place a login is looked up that no account has, so that it costs the statements
//! and the decryptions of any other (attack class C5).

use octroi_policy::id::AccountId;

use super::{
    accounts::{LOGIN, PROFILE, personal_context},
    origin::profile_to_json,
    personal_keys::PersonalKeys,
};
use crate::{
    entropy::{Entropy, EntropyUnavailable, random},
    store::{accounts::Profile, personal_keys::KeyName},
};

/// An account that is in no file, sealed like those that are; another one after each start.
pub(super) struct Nobody {
    pub(super) id: AccountId,
    pub(super) key: Vec<u8>,
    pub(super) login: Vec<u8>,
    pub(super) profile: Vec<u8>,
}

impl Nobody {
    pub(super) fn make(
        keys: &PersonalKeys,
        entropy: &dyn Entropy,
    ) -> Result<Self, EntropyUnavailable> {
        let id = AccountId::from_random(random(entropy)?);
        let (key, sealed_key) = keys.make(KeyName::Account(id))?;
        let seal = |field: &[u8], value: &str| {
            let context = personal_context(field, id);
            key.seal(&context, value.as_bytes(), entropy)
        };
        // As long as most are.
        let profile = Profile {
            name: Some("Personne Inconnue".into()),
            email: Some("personne@exemple.fr".into()),
            language: None,
        };
        Ok(Self {
            id,
            login: seal(LOGIN, "personne")?,
            profile: seal(PROFILE, &profile_to_json(&profile))?,
            key: sealed_key,
        })
    }
}
