//! The journal.

use std::time::Duration;

use octroi_policy::{
    assurance::Assurance,
    id::{RequestId, SessionId},
    time::Timestamp,
};

use super::workbench::{NOW, Workbench, bytes, command, draft};
use crate::{
    journal::{
        FAILURES_PER_MINUTE_MAX, FailureSource,
        entry::{
            ChainFlaw, JournalQuery, OpenedPersonal, PersonalFields, SignedHead, Verification,
        },
        event::{Actor, Draft, Event, EventKind, SignInFailure},
    },
    store::{
        Conflict,
        accounts::AccountChange,
        sessions::TokenHash,
        tickets::{Ticket, TicketRedemption},
    },
};

pub(super) async fn a_line_is_read_back_as_it_was_written(bench: Workbench) {
    let account = bench.person().await;
    let mut written = draft(&account);
    written.session = Some(SessionId::from_random(bytes()));
    written.request = Some(RequestId::from_random(bytes()));
    append(&bench, vec![written.clone()]).await;
    let page = bench
        .stores
        .journal
        .search(&JournalQuery::default())
        .await
        .unwrap();
    let [entry] = page.entries.as_slice() else {
        panic!("one line is wanted")
    };
    assert_eq!(entry.sequence, 1);
    assert_eq!(entry.at, NOW);
    assert_eq!(entry.actor, written.actor);
    assert_eq!(entry.kind, EventKind::PasswordChanged);
    assert_eq!(entry.fields, written.event.fields());
    assert_eq!(
        (entry.tenant, entry.account, entry.session, entry.request),
        (
            written.tenant,
            written.account,
            written.session,
            written.request
        )
    );
    assert_eq!(
        entry.personal,
        OpenedPersonal::Known(PersonalFields {
            login: Some("marie".to_owned()),
            name: Some("Marie Curie".to_owned()),
            email: Some("marie@acme.example".to_owned()),
            address: Some("192.0.2.7".to_owned()),
            browser: Some("Mozilla/5.0".to_owned()),
        })
    );
    assert_eq!(page.next, None);
}

/// The store completes this line: the ticket alone tells whose session it carries.
pub(super) async fn the_line_of_a_hand_over_names_whose_session_was_carried(bench: Workbench) {
    let account = bench.person().await;
    let (session, _) = bench.sign_in(&account).await;
    let host: octroi_policy::host::Host = "paie.example.com".parse().unwrap();
    let ticket = Ticket {
        hash: bytes(),
        session,
        host: host.clone(),
        nonce_hash: bytes(),
        assurance: Assurance::Password,
        expires_at: NOW.after(Duration::from_mins(1)),
    };
    bench.stores.tickets.insert(ticket.clone()).await.unwrap();
    let event = Event::HostEntered { host: host.clone() };
    let mut line = Draft::new(NOW, Actor::Anonymous, event);
    line.personal.address = Some([192, 0, 2, 44].into());
    let redemption = TicketRedemption {
        hash: ticket.hash,
        host,
        nonce_hash: ticket.nonce_hash,
        token: TokenHash(bytes()),
        at: NOW,
        journal: vec![line],
    };
    let redeemed = bench.stores.tickets.redeem(redemption).await.unwrap();
    assert!(redeemed.is_some());
    let query = JournalQuery {
        session: Some(session),
        kind: Some(EventKind::HostEntered),
        ..JournalQuery::default()
    };
    let read = async || {
        let page = bench.stores.journal.search(&query).await.unwrap();
        page.entries.into_iter().next().unwrap()
    };
    let entry = read().await;
    assert_eq!(entry.account, Some(account.id));
    assert_eq!(entry.tenant, Some(account.tenant));
    assert_eq!(entry.actor, Actor::Account(account.id));
    assert!(matches!(entry.personal, OpenedPersonal::Known(_)));
    let erased = bench.stores.accounts.erase(account.id, NOW, Vec::new());
    assert!(erased.await.unwrap().is_complete);
    assert_eq!(read().await.personal, OpenedPersonal::Erased);
}

pub(super) async fn a_change_and_its_line_are_written_together_or_not_at_all(bench: Workbench) {
    let account = bench.person().await;
    let lock = || command(&account, AccountChange::Lock);
    bench.stores.accounts.change(lock()).await.unwrap();
    assert_eq!(bench.stores.journal.head().await.unwrap().sequence, 1);
    let refused = bench.stores.accounts.change(lock()).await;
    assert_eq!(refused.err(), Some(Conflict::AccountChanged.into()));
    assert_eq!(bench.stores.journal.head().await.unwrap().sequence, 1);
}

pub(super) async fn lines_are_found_by_what_they_say(bench: Workbench) {
    let (marie, pierre) = (bench.person().await, bench.person_called("pierre").await);
    let session = SessionId::from_random(bytes());
    let request = RequestId::from_random(bytes());
    let mut drafts = vec![draft(&marie), draft(&pierre), started(0), started(60)];
    drafts[1].actor = Actor::Operator { uid: 1000 };
    drafts[1].session = Some(session);
    drafts[2].request = Some(request);
    append(&bench, drafts).await;
    let found = async |query: JournalQuery| -> Vec<u64> {
        let page = bench.stores.journal.search(&query).await.unwrap();
        page.entries.iter().map(|entry| entry.sequence).collect()
    };
    let all = JournalQuery::default;
    let later = Some(NOW.after(Duration::from_hours(1)));
    let operator = Some(Actor::Operator { uid: 1000 });
    let of_marie = || JournalQuery {
        account: Some(marie.id),
        ..all()
    };
    let by_operator = || JournalQuery {
        actor: operator,
        ..all()
    };
    let of_tenant = JournalQuery {
        tenant: Some(marie.tenant),
        ..all()
    };
    let of_session = JournalQuery {
        session: Some(session),
        ..all()
    };
    let of_request = JournalQuery {
        request: Some(request),
        ..all()
    };
    let starts = JournalQuery {
        kind: Some(EventKind::Started),
        ..all()
    };
    let since = JournalQuery {
        from: later,
        ..all()
    };
    let before = JournalQuery {
        until: later,
        ..all()
    };
    assert_eq!(found(all()).await, [4, 3, 2, 1]);
    assert_eq!(found(of_marie()).await, [1]);
    assert_eq!(found(by_operator()).await, [2]);
    assert_eq!(found(of_tenant).await, [2, 1]);
    assert_eq!(found(of_session).await, [2]);
    assert_eq!(found(of_request).await, [3]);
    assert_eq!(found(starts).await, [4, 3]);
    assert_eq!(found(since).await, [4]);
    assert_eq!(found(before).await, [3, 2, 1]);
    let both = JournalQuery {
        actor: operator,
        ..of_marie()
    };
    assert_eq!(found(both).await, [0_u64; 0]);
}

pub(super) async fn pages_of_lines_follow_each_other_without_gap_or_repeat(bench: Workbench) {
    append(&bench, (0..7).map(started).collect()).await;
    let mut query = JournalQuery {
        limit: Some(3),
        ..JournalQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = bench.stores.journal.search(&query).await.unwrap();
        seen.extend(page.entries.iter().map(|entry| entry.sequence));
        query.before_sequence = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);
}

pub(super) async fn what_was_typed_as_an_unknown_login_is_kept_as_a_hash_alone(bench: Workbench) {
    let typed = |text: &str| {
        let mut draft = failure(0);
        draft.personal.unknown_identifier = Some(text.into());
        draft
    };
    append(
        &bench,
        vec![
            typed("correct horse"),
            typed("correct horse"),
            typed("other"),
        ],
    )
    .await;
    let page = bench
        .stores
        .journal
        .search(&JournalQuery::default())
        .await
        .unwrap();
    let hashes: Vec<_> = page
        .entries
        .iter()
        .map(|entry| entry.identifier_hash.clone())
        .collect();
    assert_eq!(hashes[1], hashes[2], "the same word is recognised");
    assert_ne!(hashes[0], hashes[1]);
    assert_eq!(
        hashes[0].as_ref().unwrap().len(),
        10,
        "40 bits, which prove nothing"
    );
    assert!(!format!("{page:?}").contains("horse"));
}

pub(super) async fn erasing_a_person_leaves_the_chain_whole_and_the_lines_unreadable(
    bench: Workbench,
) {
    let (marie, pierre) = (bench.person().await, bench.person_called("pierre").await);
    append(&bench, vec![draft(&marie), draft(&pierre)]).await;
    let erased = bench
        .stores
        .accounts
        .erase(marie.id, NOW, vec![draft(&marie)]);
    erased.await.unwrap();
    append(&bench, vec![draft(&marie)]).await;
    let page = bench
        .stores
        .journal
        .search(&JournalQuery::default())
        .await
        .unwrap();
    let personal: Vec<_> = page.entries.iter().map(|entry| &entry.personal).collect();
    assert_eq!(
        *personal[0],
        OpenedPersonal::Absent,
        "nothing is sealed for the erased"
    );
    assert_eq!(*personal[1], OpenedPersonal::Erased);
    assert!(matches!(personal[2], OpenedPersonal::Known(_)));
    assert_eq!(*personal[3], OpenedPersonal::Erased);
    assert!(matches!(
        verify(&bench, None).await,
        Verification::Intact { entries: 4, .. }
    ));
}

pub(super) async fn a_purge_leaves_a_checkpoint_that_vouches_for_what_went(bench: Workbench) {
    append(&bench, (0..10).map(started).collect()).await;
    let witness = bench.stores.journal.head().await.unwrap();
    let purge = async |minutes: u64| {
        let before = NOW.after(Duration::from_mins(minutes));
        let now = NOW.after(Duration::from_hours(1));
        bench.stores.journal.purge(before, now).await.unwrap()
    };
    assert_eq!(purge(0).await, 0, "nothing is older");
    assert_eq!(bench.stores.journal.head().await.unwrap(), witness);
    assert_eq!(purge(4).await, 4);
    let verified = verify(&bench, Some(&witness)).await;
    assert!(
        matches!(
            verified,
            Verification::Intact {
                entries: 7,
                purged: 4,
                ..
            }
        ),
        "{verified:?}"
    );
    let page = bench
        .stores
        .journal
        .search(&JournalQuery::default())
        .await
        .unwrap();
    assert_eq!(page.entries[0].kind, EventKind::JournalPurged);
    assert_eq!(page.entries.last().unwrap().sequence, 5);
    assert_eq!(purge(600).await, 7);
    append(&bench, vec![started(1)]).await;
    assert!(matches!(
        verify(&bench, Some(&witness)).await,
        Verification::Intact {
            entries: 2,
            purged: 11,
            ..
        }
    ));
}

pub(super) async fn the_journals_time_follows_a_leap_of_the_clock_slowly(bench: Workbench) {
    let hour = Duration::from_hours(1);
    let tell = async |now: Timestamp, ran: Duration| {
        let told = bench.stores.journal.tell_time(now, ran).await.unwrap();
        (told.at, told.last_line)
    };
    assert_eq!(tell(NOW, Duration::ZERO).await, (NOW, None));
    append(&bench, vec![started(30), started(0)]).await;
    let last = Some(NOW.after(hour / 2));
    assert_eq!(tell(NOW.after(hour), hour).await, (NOW.after(hour), last));
    let ahead = NOW.after(hour * 24 * 400);
    assert_eq!(tell(ahead, Duration::ZERO).await.0, NOW.after(hour));
    assert_eq!(tell(ahead, hour).await.0, NOW.after(hour * 3));
    assert_eq!(tell(NOW, hour).await.0, NOW, "never past the clock");
    assert_eq!(tell(ahead, Duration::ZERO).await.0, NOW.after(hour * 3));
}

pub(super) async fn a_head_that_was_logged_is_looked_for_in_the_chain(bench: Workbench) {
    append(&bench, (0..3).map(started).collect()).await;
    let logged = bench.stores.journal.head().await.unwrap();
    append(&bench, vec![started(3)]).await;
    assert!(matches!(
        verify(&bench, Some(&logged)).await,
        Verification::Intact { .. }
    ));
    let forged = SignedHead {
        code: "00".repeat(32),
        ..logged.clone()
    };
    assert_eq!(
        verify(&bench, Some(&forged)).await,
        Verification::Broken {
            sequence: 4,
            flaw: ChainFlaw::WitnessAbsent
        }
    );
    let cut_off = SignedHead {
        sequence: 9,
        ..logged
    };
    assert_eq!(
        verify(&bench, Some(&cut_off)).await,
        Verification::Broken {
            sequence: 5,
            flaw: ChainFlaw::WitnessAbsent
        }
    );
}

pub(super) async fn lines_of_many_callers_at_once_make_one_chain(bench: Workbench) {
    let account = bench.person().await;
    let tasks: Vec<_> = (0..40)
        .map(|number| {
            let journal = bench.stores.journal.clone();
            let draft = if number % 2 == 0 {
                draft(&account)
            } else {
                started(number)
            };
            tokio::spawn(async move { journal.append(vec![draft]).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(matches!(
        verify(&bench, None).await,
        Verification::Intact { entries: 40, .. }
    ));
}

pub(super) async fn failures_past_ten_a_minute_become_one_line(bench: Workbench) {
    let source = FailureSource([7; 16]);
    for number in 0..FAILURES_PER_MINUTE_MAX + 5 {
        let failure = failure(u64::from(number));
        bench
            .stores
            .journal
            .append_failure(failure, source)
            .await
            .unwrap();
    }
    assert_eq!(bench.stores.journal.head().await.unwrap().sequence, 10);
    let minute_over = NOW.after(Duration::from_mins(1));
    bench
        .stores
        .journal
        .flush_failures(minute_over)
        .await
        .unwrap();
    bench
        .stores
        .journal
        .flush_failures(minute_over)
        .await
        .unwrap();
    let page = bench
        .stores
        .journal
        .search(&JournalQuery::default())
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 11);
    assert_eq!(page.entries[0].kind, EventKind::SignInFailedRepeatedly);
    assert_eq!(page.entries[0].fields["count"], 5);
    assert!(
        matches!(&page.entries[0].personal, OpenedPersonal::Known(personal)
        if personal.address.as_deref() == Some("192.0.2.9") && personal.login.is_none())
    );
}

async fn append(bench: &Workbench, drafts: Vec<Draft>) {
    bench.stores.journal.append(drafts).await.unwrap();
}

async fn verify(bench: &Workbench, witness: Option<&SignedHead>) -> Verification {
    bench.stores.journal.verify(witness).await.unwrap()
}

/// A line about nobody, `minutes` after the beginning.
fn started(minutes: u64) -> Draft {
    let at: Timestamp = NOW.after(Duration::from_mins(minutes));
    Draft::new(at, Actor::System, Event::Started { version: "0.1.0" })
}

fn failure(millis: u64) -> Draft {
    let event = Event::SignInFailed {
        reason: SignInFailure::UnknownLogin,
    };
    let at = NOW.after(Duration::from_millis(millis));
    let mut draft = Draft::new(at, Actor::Anonymous, event);
    draft.personal.address = Some([192, 0, 2, 9].into());
    draft
}
