//! One password, one hash, one cost.

use std::num::NonZeroUsize;

use super::*;

const SALT: [u8; 16] = [7; 16];
const STAND_IN: StandIn = StandIn {
    salt: SALT,
    lot: Lot(0),
};
const CAPACITY: HashingCapacity = HashingCapacity {
    threads: NonZeroUsize::MIN,
    waiting_max: 8,
};

fn pepper(number: u8) -> Pepper {
    Pepper {
        version: KeyVersion(u16::from(number)),
        secret: Zeroizing::new([number; 32]),
    }
}

fn hasher(memory_kib: u32, current: u8, earlier: &[u8]) -> PasswordHasher {
    let peppers = Peppers {
        current: pepper(current),
        earlier: earlier.iter().copied().map(pepper).collect(),
    };
    PasswordHasher::start(CAPACITY, HashCost::for_tests(memory_kib), peppers).unwrap()
}

fn password(text: &str) -> OpaquePassword {
    OpaquePassword::from_typed(text).unwrap()
}

async fn verified(hasher: &PasswordHasher, text: &str, stored: &PasswordHash) -> Verified {
    let password = Some(Arc::new(password(text)));
    hasher
        .verify(None, password, Some(stored.clone()), STAND_IN)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_hash_is_a_phc_string_that_names_cost_and_pepper_and_verifies() {
    let hasher = hasher(64, 1, &[]);
    let hash = hasher
        .hash(None, password("agrafe bougie lavoir"), SALT)
        .await
        .unwrap();
    let phc = hash.expose_phc();
    assert!(
        phc.starts_with("$argon2id$v=19$m=64,t=1,p=1,keyid=AAE$"),
        "{phc}"
    );
    let matches = Verified::Matches { outdated: false };
    assert_eq!(
        verified(&hasher, "agrafe bougie lavoir", &hash).await,
        matches
    );
    assert_eq!(
        verified(&hasher, "agrafe bougie lavoiR", &hash).await,
        Verified::Differs
    );
    assert_eq!(
        verified(&hasher, "agrafe bougie lavoir ", &hash).await,
        Verified::Differs
    );
}

#[tokio::test]
async fn the_whole_password_counts() {
    let hasher = hasher(64, 1, &[]);
    let long = "é".repeat(256);
    let hash = hasher.hash(None, password(&long), SALT).await.unwrap();
    let cut = "é".repeat(255);
    assert_eq!(verified(&hasher, &cut, &hash).await, Verified::Differs);
}

#[tokio::test]
async fn two_salts_and_two_peppers_give_other_hashes() {
    let one = hasher(64, 1, &[])
        .hash(None, password("agrafe"), SALT)
        .await
        .unwrap();
    let salted = hasher(64, 1, &[])
        .hash(None, password("agrafe"), [8; 16])
        .await
        .unwrap();
    let peppered = hasher(64, 2, &[])
        .hash(None, password("agrafe"), SALT)
        .await
        .unwrap();
    let output = |hash: &PasswordHash| hash.expose_phc().rsplit('$').next().unwrap().to_owned();
    assert_ne!(output(&one), output(&salted));
    assert_ne!(output(&one), output(&peppered));
}

#[tokio::test]
async fn an_older_hash_verifies_is_outdated_and_costs_as_much() {
    let old = hasher(24, 1, &[])
        .hash(None, password("agrafe"), SALT)
        .await
        .unwrap();
    let today = hasher(64, 2, &[1]);
    assert_eq!(
        verified(&today, "agrafe", &old).await,
        Verified::Matches { outdated: true }
    );
    assert_eq!(
        today.load().kib_passes(),
        64,
        "24 for the hash, 40 to pad it"
    );
    assert_eq!(verified(&today, "wrong", &old).await, Verified::Differs);
    assert_eq!(today.load().kib_passes(), 128);
}

#[tokio::test]
async fn nobody_and_nothing_cost_as_much_as_somebody() {
    let hasher = hasher(64, 1, &[]);
    let hash = hasher.hash(None, password("agrafe"), SALT).await.unwrap();
    let mut before = hasher.load().kib_passes();
    let typed = || Some(Arc::new(password("agrafe")));
    for (password, stored) in [(typed(), None), (None, None), (None, Some(hash))] {
        let verdict = hasher
            .verify(None, password, stored, STAND_IN)
            .await
            .unwrap();
        assert_eq!(verdict, Verified::Differs);
        assert_eq!(hasher.load().kib_passes() - before, 64);
        before = hasher.load().kib_passes();
    }
}

/// Of a thousand logins that nobody has, as many do an older hash's work in its pieces as of those that somebody has.
#[test]
fn c5_nobodys_look_is_an_older_accounts_as_often_as_somebodys() {
    let older = Params::new(24, 1, 1, None).unwrap();
    let newer = Params::new(64, 1, 1, None).unwrap();
    let lots = || (0..1000).map(|number| Lot(u64::MAX / 2000 * (2 * number + 1)));
    let share_of_older = |counts: [u64; 2]| {
        let [of_older, of_newer] = counts;
        let kept = [(newer.clone(), of_newer), (older.clone(), of_older)];
        let population = Population::of(kept);
        let drawn = lots().map(|lot| population.drawn(lot).unwrap().m_cost());
        drawn.filter(|memory| *memory == 24).count()
    };
    assert_eq!(share_of_older([0, 5]), 0);
    assert_eq!(share_of_older([1, 99]), 10);
    assert_eq!(share_of_older([40, 120]), 250);
    assert_eq!(share_of_older([7, 0]), 1000);
    assert!(Population::default().drawn(Lot(u64::MAX)).is_none());
}

/// As hashes are made anew, nobody's become of today too, and none goes back: as those of accounts.
#[test]
fn c5_nobodys_look_grows_newer_with_everybodys() {
    let older = Params::new(24, 1, 1, None).unwrap();
    let newer = Params::new(64, 1, 1, None).unwrap();
    for number in 0..100 {
        let lot = Lot(u64::MAX / 100 * number);
        let costs = (0..=50).map(|renewed| {
            let kept = [(older.clone(), 50 - renewed), (newer.clone(), renewed)];
            Population::of(kept).drawn(lot).unwrap().m_cost()
        });
        assert!(costs.is_sorted(), "{lot:?}");
    }
}

/// The least lot falls on the older hash, the greatest on the newer: the work of each is its account's, piece by piece.
#[tokio::test]
async fn c5_nobodys_look_does_the_work_of_the_account_that_was_drawn() {
    let hasher = hasher(64, 1, &[]);
    let count = |parameters: &str, accounts| HashCount {
        parameters: parameters.to_owned(),
        accounts,
    };
    hasher.take_note(&[
        count("$argon2id$v=19$m=24,t=1,p=1", 3),
        count("$argon2id$v=19$m=64,t=1,p=1", 1),
        count("$2b$10", 1000),
    ]);
    let mut before = 0;
    // 24 and 40 to pad it; 64.
    for (lot, work) in [(Lot(0), 64), (Lot(u64::MAX), 64)] {
        let stand_in = StandIn { salt: SALT, lot };
        let typed = Some(Arc::new(password("agrafe")));
        let verdict = hasher.verify(None, typed, None, stand_in).await.unwrap();
        assert_eq!(verdict, Verified::Differs);
        assert_eq!(hasher.load().kib_passes() - before, work);
        before = hasher.load().kib_passes();
    }
    let drawn = |lot| {
        let population = hasher.recipe.population.load();
        population.drawn(lot).map(Params::m_cost)
    };
    assert_eq!(drawn(Lot(u64::MAX / 4 * 3 - 4)), Some(24));
    assert_eq!(drawn(Lot(u64::MAX / 4 * 3 + 4)), Some(64));
    hasher.take_note(&[count("$argon2id$v=19$m=128,t=1,p=1", 1)]);
    let typed = Some(Arc::new(password("agrafe")));
    hasher.verify(None, typed, None, STAND_IN).await.unwrap();
    assert_eq!(hasher.load().kib_passes() - before, 128);
}

#[tokio::test]
async fn a_hash_that_is_not_ours_is_a_fault_and_no_verdict() {
    let hasher = hasher(64, 1, &[]);
    let foreign = self::hasher(64, 9, &[])
        .hash(None, password("agrafe"), SALT)
        .await
        .unwrap();
    let huge = "$argon2id$v=19$m=4194304,t=1,p=1,keyid=AAE$BwcHBwcHBwcHBwcHBwcHBw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (phc, expected) in [
        (foreign.expose_phc(), Unhashable::UnknownPepper),
        ("", Unhashable::Damaged),
        (
            "$argon2i$v=19$m=64,t=1,p=1$BwcHBwcHBwcHBwcHBwcHBw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            Unhashable::Damaged,
        ),
        (huge, Unhashable::Damaged),
    ] {
        let stored = PasswordHash::from_phc(Zeroizing::new(phc.to_owned()));
        let verdict = hasher
            .verify(
                None,
                Some(Arc::new(password("agrafe"))),
                Some(stored),
                STAND_IN,
            )
            .await;
        assert!(
            matches!(verdict, Err(NoVerdict::Fault(Fault::Hash(found))) if found == expected),
            "{phc}"
        );
    }
}

#[test]
fn the_cost_stands_at_the_floor_or_above() {
    let floor = HashCost::FLOOR;
    assert_eq!(HashCost::new(19_456, 2), Some(floor));
    for (memory_kib, passes) in [
        (19_455, 2),
        (19_456, 1),
        (HashCost::MEMORY_KIB_MAX + 1, 2),
        (19_456, 17),
    ] {
        assert_eq!(HashCost::new(memory_kib, passes), None);
    }
    assert!(HashCost::new(HashCost::MEMORY_KIB_MAX, HashCost::PASSES_MAX).is_some());
}
