//! A session lives exactly as long as it should.

use proptest::prelude::*;

use super::*;

const START: Timestamp = Timestamp::from_unix_millis(1_800_000_000_000);
const LIFE: Duration = Duration::from_hours(24);
const IDLE: Duration = Duration::from_hours(8);
const MOMENT: Duration = Duration::from_millis(1);
const EPOCH: SessionEpoch = SessionEpoch(7);

fn record() -> SessionRecord {
    SessionRecord {
        id: SessionId::from_random([1; 16]),
        account: AccountId::from_random([2; 16]),
        tenant_id: TenantId::from_random([3; 16]),
        tenant: "acme".parse().unwrap(),
        roles: ["rh".parse().unwrap()].into(),
        grants: Box::default(),
        epoch: EPOCH,
        stage: Stage::Full,
        computer: Computer::Private,
        started_at: START,
        authenticated_at: START,
        ends_at: START.after(LIFE),
        idle_limit: IDLE,
    }
}

fn host() -> Host {
    "paie.example.com".parse().unwrap()
}

fn standing(last_used_at: Timestamp) -> Standing {
    Standing {
        account_epoch: Some(EPOCH),
        last_used_at,
        ended: false,
    }
}

fn verdict(
    record: &SessionRecord,
    standing: Standing,
    now: Timestamp,
) -> Result<SessionId, Rejection> {
    let token = TokenFacts {
        host: host(),
        assurance: Assurance::Password,
        issued_at: START,
    };
    judge(record, &token, standing, &host(), now).map(|subject| subject.session())
}

#[test]
fn c1_absolute_life_ends_at_24_hours_under_constant_use() {
    let record = record();
    let used = |now: Timestamp| standing(now.before(MOMENT));
    let end = START.after(LIFE);
    assert_eq!(
        verdict(&record, used(end.before(MOMENT)), end.before(MOMENT)),
        Ok(record.id)
    );
    assert_eq!(verdict(&record, used(end), end), Err(Rejection::Expired));
    assert_eq!(
        verdict(&record, used(end.after(MOMENT)), end.after(MOMENT)),
        Err(Rejection::Expired)
    );
}

#[test]
fn c2_idle_time_ends_it_at_below_and_above_for_both_kinds_of_computer() {
    for idle_limit in [IDLE, Duration::from_mins(15)] {
        let record = SessionRecord {
            idle_limit,
            ..record()
        };
        let unused = standing(START);
        let end = START.after(idle_limit);
        assert_eq!(verdict(&record, unused, end.before(MOMENT)), Ok(record.id));
        assert_eq!(verdict(&record, unused, end), Err(Rejection::Idle));
        assert_eq!(
            verdict(&record, unused, end.after(MOMENT)),
            Err(Rejection::Idle)
        );
    }
}

#[test]
fn b8_any_other_epoch_of_the_account_ends_it() {
    let record = record();
    for account_epoch in [None, Some(SessionEpoch(6)), Some(SessionEpoch(8))] {
        let standing = Standing {
            account_epoch,
            ..standing(START)
        };
        assert_eq!(
            verdict(&record, standing, START),
            Err(Rejection::AccountChanged)
        );
    }
}

#[test]
fn an_ended_session_stays_ended_and_says_nothing_else() {
    let standing = Standing {
        ended: true,
        account_epoch: None,
        last_used_at: START,
    };
    assert_eq!(
        verdict(&record(), standing, START.after(LIFE)),
        Err(Rejection::Revoked)
    );
}

#[test]
fn a_token_counts_on_its_own_host_alone() {
    let token = TokenFacts {
        host: host(),
        assurance: Assurance::Password,
        issued_at: START,
    };
    let other: Host = "autre.example.com".parse().unwrap();
    let subject =
        judge(&record(), &token, standing(START), &other, START).map(|subject| subject.account());
    assert_eq!(subject, Err(Rejection::WrongHost));
}

#[test]
fn b4_a_pending_session_is_no_proof_of_who_asks() {
    let pending = SessionRecord {
        stage: Stage::MustChangePassword,
        ..record()
    };
    let token = TokenFacts {
        host: host(),
        assurance: Assurance::Password,
        issued_at: START,
    };
    assert_eq!(
        verdict(&pending, standing(START), START),
        Err(Rejection::NotFull)
    );
    let stage = judge_stage(&pending, &token, standing(START), &host(), START);
    assert_eq!(stage, Ok(Stage::MustChangePassword));
    let late = judge_stage(
        &pending,
        &token,
        standing(START),
        &host(),
        START.after(LIFE),
    );
    assert_eq!(late, Err(Rejection::Expired));
}

proptest! {
    #[test]
    fn a_session_that_is_dead_is_not_revived_by_time_going_on(used in 0_i64..90_000_000, now in 0_i64..90_000_000, more in 0_i64..90_000_000) {
        let at = |millis: i64| Timestamp::from_unix_millis(START.as_unix_millis() + millis);
        let record = record();
        if verdict(&record, standing(at(used)), at(now)).is_err() {
            prop_assert!(verdict(&record, standing(at(used)), at(now + more)).is_err());
        }
    }

    #[test]
    fn a_clock_that_is_set_back_revives_nothing(used in 0_i64..200_000_000, back in 0_i64..200_000_000) {
        let at = |millis: i64| Timestamp::from_unix_millis(START.as_unix_millis() + millis);
        let record = record();
        let honest = verdict(&record, standing(at(used)), at(used));
        let set_back = verdict(&record, standing(at(used)), at(used - back));
        prop_assert_eq!(honest, set_back);
    }
}
