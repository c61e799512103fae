//! How many sessions an account may have.

use std::{sync::Arc, time::Duration};

use octroi_policy::id::SessionId;

use super::workbench::{NOW, Workbench, winners_of_fifty};
use crate::{
    journal::{entry::JournalQuery, event::EventKind},
    store::{
        accounts::Account,
        sessions::{EndCause, SESSIONS_PER_ACCOUNT_MAX},
    },
};

pub(super) async fn an_account_has_a_bounded_number_of_sessions_and_the_longest_unused_ends(
    bench: Workbench,
) {
    let account = bench.person().await;
    let other = bench.person_called("pierre").await;
    let (others, others_token) = bench.sign_in(&other).await;
    let mut opened = Vec::new();
    for second in 0..SESSIONS_PER_ACCOUNT_MAX {
        opened.push(sign_in_at(&bench, &account, second).await);
        assert_eq!(living(&bench, &account).await, opened.len());
    }
    // The first is used once more; the second is the longest unused now.
    let first = bench.stores.sessions.live(opened[0]).unwrap();
    first.touch(NOW.after(Duration::from_mins(10)));
    let newest = sign_in_at(&bench, &account, SESSIONS_PER_ACCOUNT_MAX).await;
    assert_eq!(living(&bench, &account).await, SESSIONS_PER_ACCOUNT_MAX);
    for session in [opened[0], opened[2], newest, others] {
        let view = bench.stores.sessions.find(session).await.unwrap().unwrap();
        assert_eq!(view.ended, None);
    }
    assert!(bench.stores.sessions.live(opened[1]).is_none());
    let view = bench
        .stores
        .sessions
        .find(opened[1])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(view.ended.map(|(_, cause)| cause), Some(EndCause::TooMany));
    assert!(bench.knows(&others_token).await);

    let lines = JournalQuery {
        kind: Some(EventKind::SessionEnded),
        session: Some(opened[1]),
        ..JournalQuery::default()
    };
    let lines = bench.stores.journal.search(&lines).await.unwrap().entries;
    assert_eq!(lines.len(), 1, "it is told why the session ended");
    assert_eq!(lines[0].account, Some(account.id));
    assert_eq!(lines[0].fields["cause"], "too_many");
}

pub(super) async fn a_session_that_is_replaced_makes_room_for_the_one_that_replaces_it(
    bench: Workbench,
) {
    let account = bench.person().await;
    let mut opened = Vec::new();
    for second in 0..SESSIONS_PER_ACCOUNT_MAX {
        opened.push(sign_in_at(&bench, &account, second).await);
    }
    let mut opening = bench.opening(&account);
    opening.replaces = opened.last().map(|last| (*last, EndCause::Replaced));
    bench.stores.sessions.open(opening).await.unwrap();
    assert_eq!(living(&bench, &account).await, SESSIONS_PER_ACCOUNT_MAX);
    assert!(bench.stores.sessions.live(opened[0]).is_some());
}

pub(super) async fn fifty_sign_ins_at_once_do_not_pass_the_bound(bench: Workbench) {
    let account = bench.person().await;
    for second in 0..SESSIONS_PER_ACCOUNT_MAX - 5 {
        sign_in_at(&bench, &account, second).await;
    }
    let opened = winners_of_fifty(|| {
        let sessions = Arc::clone(&bench.stores.sessions);
        let opening = bench.opening(&account);
        async move { sessions.open(opening).await.is_ok() }
    })
    .await;
    assert_eq!(opened, 50);
    assert_eq!(living(&bench, &account).await, SESSIONS_PER_ACCOUNT_MAX);
}

async fn sign_in_at(bench: &Workbench, account: &Account, second: usize) -> SessionId {
    let mut opening = bench.opening(account);
    let seconds = u64::try_from(second).unwrap();
    opening.record.started_at = NOW.after(Duration::from_secs(seconds));
    let session = opening.record.id;
    bench.stores.sessions.open(opening).await.unwrap();
    session
}

async fn living(bench: &Workbench, account: &Account) -> usize {
    let sessions = &bench.stores.sessions;
    sessions.of_account(account.id).await.unwrap().len()
}
