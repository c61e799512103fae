//! Nothing but the right event at the right time leads on.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

const NOW: Timestamp = Timestamp::from_unix_millis(1_800_000_000_000);
const MOMENT: Duration = Duration::from_millis(1);

const RIGHT: FirstFactor = FirstFactor {
    account: AccountStanding::Active,
    password_matches: true,
    origin: PasswordOrigin::Own,
};

fn provisional(expires_at: Timestamp, spent: bool) -> FirstFactor {
    FirstFactor {
        origin: PasswordOrigin::Provisional { expires_at, spent },
        ..RIGHT
    }
}

fn present(found: FirstFactor) -> (State, Effects) {
    step(State::Anonymous, Event::PasswordPresented(found), NOW)
}

#[test]
fn the_right_password_signs_in() {
    let (state, effects) = present(RIGHT);
    assert_eq!(
        state,
        State::SignedIn {
            assurance: Assurance::Password
        }
    );
    assert_eq!(
        effects,
        Effects::one(Effect::OpenFull {
            assurance: Assurance::Password
        })
    );
}

#[test]
fn each_failure_has_its_reason_and_the_same_state() {
    let locked = FirstFactor {
        account: AccountStanding::Locked,
        ..RIGHT
    };
    for (found, refusal) in [
        (
            FirstFactor {
                account: AccountStanding::Unknown,
                ..RIGHT
            },
            Refusal::UnknownAccount,
        ),
        (locked, Refusal::Locked),
        (
            FirstFactor {
                password_matches: false,
                ..locked
            },
            Refusal::Locked,
        ),
        (
            FirstFactor {
                password_matches: false,
                ..RIGHT
            },
            Refusal::WrongPassword,
        ),
        (provisional(NOW, false), Refusal::ProvisionalExpired),
        (
            provisional(NOW.after(MOMENT), true),
            Refusal::ProvisionalSpent,
        ),
    ] {
        assert_eq!(
            present(found),
            (State::Anonymous, Effects::one(Effect::Refuse(refusal)))
        );
    }
}

#[test]
fn b4_promise_a_provisional_password_opens_one_pending_session_of_15_minutes() {
    let (state, effects) = present(provisional(NOW.after(MOMENT), false));
    let ends_at = NOW.after(Duration::from_mins(15));
    let next = NextStep::ChoosePassword(ChangeReason::Provisional);
    assert_eq!(state, State::Pending { next, ends_at });
    let all: Vec<Effect> = effects.iter().collect();
    assert_eq!(
        all,
        [Effect::SpendProvisional, Effect::OpenPending { ends_at }]
    );
    assert_eq!(effects.refusal(), None);

    let in_time = step(state, Event::PasswordChosen, ends_at.before(MOMENT)).0;
    assert_eq!(
        in_time,
        State::SignedIn {
            assurance: Assurance::Password
        }
    );
    for late in [ends_at, ends_at.after(MOMENT)] {
        let refused = Effects::one(Effect::Refuse(Refusal::TooLate));
        assert_eq!(
            step(state, Event::PasswordChosen, late),
            (State::Anonymous, refused)
        );
    }
}

fn any_first_factor() -> impl Strategy<Value = FirstFactor> {
    let accounts = [
        AccountStanding::Unknown,
        AccountStanding::Active,
        AccountStanding::Locked,
    ];
    let origins = vec![
        PasswordOrigin::Own,
        PasswordOrigin::Provisional {
            expires_at: NOW.after(MOMENT),
            spent: false,
        },
        PasswordOrigin::Provisional {
            expires_at: NOW.after(MOMENT),
            spent: true,
        },
        PasswordOrigin::Provisional {
            expires_at: NOW,
            spent: false,
        },
    ];
    (select(accounts.to_vec()), any::<bool>(), select(origins)).prop_map(
        |(account, password_matches, origin)| FirstFactor {
            account,
            password_matches,
            origin,
        },
    )
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any_first_factor().prop_map(Event::PasswordPresented),
        Just(Event::PasswordChosen),
        Just(Event::InvitationAnswered),
        Just(Event::SomethingElse),
    ]
}

proptest! {
    #[test]
    fn b5_no_sequence_of_events_signs_in_but_the_right_one(events in vec(any_event(), 0..12)) {
        let mut state = State::Anonymous;
        for event in events {
            let (next, effects) = step(state, event, NOW);
            let opens_full = effects.iter().any(|effect| matches!(effect, Effect::OpenFull { .. }));
            let earned = match (state, event) {
                (State::Anonymous, Event::PasswordPresented(found)) => found == RIGHT,
                (State::Anonymous, Event::InvitationAnswered)
                | (State::Pending { .. }, Event::PasswordChosen) => true,
                _ => false,
            };
            prop_assert_eq!(opens_full, earned);
            prop_assert_eq!(matches!(next, State::SignedIn { .. }) && next != state, earned);
            if effects.refusal().is_some() {
                prop_assert_eq!(next, state, "what is refused moves nothing");
            }
            state = next;
        }
    }

    #[test]
    fn b5_repeating_an_event_changes_nothing_more(event in any_event()) {
        let once = step(State::Anonymous, event, NOW).0;
        if once != State::Anonymous {
            let (twice, effects) = step(once, event, NOW);
            prop_assert_eq!(twice, once);
            prop_assert_eq!(effects.refusal(), Some(Refusal::OutOfOrder));
        }
    }
}
