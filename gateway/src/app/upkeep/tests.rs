//! What upkeep does in a pass, and that each of its tasks runs.

use octroi_policy::id::SessionId;

use super::*;
use crate::{
    app::testing::Folder,
    entropy::SystemEntropy,
    identity::testing::{World, client},
    journal::{
        Draft, FAILURES_PER_MINUTE_MAX, FailureSource,
        entry::{JournalQuery, Verification},
        event::{Actor, Event, EventKind, SignInFailure},
    },
    listener::{
        facts::{ConnectionFacts, Protocol, TlsFacts, TlsVersion},
        open_requests::{OpenLabel, OpenRequest, Registration, Tenure},
    },
    store::sessions::EndCause,
};

/// Upkeep over the embedded store, by a clock that is moved by hand.
struct Bench {
    world: World,
    upkeep: Upkeep,
    _folder: Folder,
}

impl Bench {
    async fn new() -> Self {
        let folder = Folder::new();
        let (_, live) = folder.live(&folder.configure("12")).await;
        let world = World::embedded(folder.file("people")).await;
        let clock: Arc<dyn Clock> = Arc::new(world.clock.clone());
        let keys = SigningKeys::open(Arc::clone(&world.stores.signing_keys), clock.now());
        let signing_keys = Arc::new(keys.await.unwrap());
        let passports = Passports::new(
            Arc::clone(&signing_keys),
            Arc::clone(&world.stores.accounts),
            Arc::clone(&clock),
            Arc::new(SystemEntropy),
        );
        let upkeep = Upkeep {
            identity: world.identity.clone(),
            stores: world.stores.clone(),
            open_requests: OpenRequests::new(),
            clock,
            signing_keys,
            passports: Arc::new(passports),
            live,
            told: Arc::default(),
        };
        Self {
            world,
            upkeep,
            _folder: folder,
        }
    }

    /// A request that is being answered for this session.
    fn open(&self, session: SessionId) -> (Arc<OpenRequest>, Registration) {
        let request = OpenRequest::new(Arc::new(ConnectionFacts {
            client: "192.0.2.7:4711".parse().unwrap(),
            protocol: Protocol::Http1,
            tls: TlsFacts {
                server_name: None,
                version: TlsVersion::Tls13,
                cipher_suite: "TLS13_AES_256_GCM_SHA384",
            },
        }));
        let tenure = Arc::new(ForEver);
        let label = OpenLabel { session, tenure };
        let open_requests = &self.upkeep.open_requests;
        let registration = open_requests.register(label, Arc::clone(&request));
        (request, registration)
    }

    async fn ended(&self, session: SessionId) -> Option<EndCause> {
        let view = self.world.stores.sessions.find(session).await.unwrap();
        view.unwrap().ended.map(|(_, cause)| cause)
    }

    /// More failures within a minute than get a line each.
    async fn fail_often(&self) {
        for _ in 0..FAILURES_PER_MINUTE_MAX + 5 {
            let reason = SignInFailure::UnknownLogin;
            let event = Event::SignInFailed { reason };
            let failure = Draft::new(self.world.now(), Actor::Anonymous, event);
            let journal = &self.world.stores.journal;
            let noted = journal.append_failure(failure, FailureSource([7; 16]));
            noted.await.unwrap();
        }
    }

    async fn lines_of(&self, kind: EventKind) -> usize {
        let query = JournalQuery {
            kind: Some(kind),
            ..JournalQuery::default()
        };
        let page = self.world.stores.journal.search(&query).await.unwrap();
        page.entries.len()
    }

    async fn purged(&self) -> u64 {
        match self.world.stores.journal.verify(None).await.unwrap() {
            Verification::Intact { purged, .. } => purged,
            Verification::Broken { .. } => panic!("the journal is broken"),
        }
    }
}

struct ForEver;

impl Tenure for ForEver {
    fn holds(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn what_is_open_ends_when_its_session_idles_out_or_has_ended() {
    let bench = Bench::new().await;
    bench.world.ready("acme", "marie").await;
    let (_, idle) = bench.world.signed_in("marie").await;
    let (_, left) = bench.world.signed_in("marie").await;
    let (watched, _kept) = bench.open(idle.session());
    let (other, _kept_too) = bench.open(left.session());
    assert_eq!(bench.upkeep.end_what_is_over(), 0);
    let limit = bench.world.settings.load().idle_private;
    let moment = Duration::from_millis(1);
    bench.world.clock.advance(limit.saturating_sub(moment));
    assert_eq!(bench.upkeep.end_what_is_over(), 0);
    assert_eq!(watched.end_reason(), None);
    bench.world.clock.advance(moment);
    assert_eq!(bench.upkeep.end_what_is_over(), 2);
    assert_eq!(watched.end_reason(), Some(EndReason::SessionExpired));
    assert_eq!(other.end_reason(), Some(EndReason::SessionExpired));

    bench.upkeep.settle_sessions().await.unwrap();
    assert_eq!(bench.ended(idle.session()).await, Some(EndCause::Idle));
    let (late, _kept) = bench.open(idle.session());
    assert_eq!(bench.upkeep.end_what_is_over(), 3);
    assert_eq!(late.end_reason(), Some(EndReason::SessionExpired));
}

/// Nobody knows of them after the end of the process.
#[tokio::test]
async fn a_stop_in_good_order_writes_down_what_memory_alone_knows() {
    let bench = Bench::new().await;
    bench.world.ready("acme", "marie").await;
    let (_, used) = bench.world.signed_in("marie").await;
    let (_, left) = bench.world.signed_in("marie").await;
    bench.fail_often().await;
    let (identity, client) = (&bench.world.identity, client());
    let signing_out = identity.end_own_session(&client, &used, left.session());
    let gone = tokio::time::timeout(Duration::ZERO, signing_out).await;
    assert!(gone.is_err(), "the caller waited to the end");
    assert_eq!(bench.ended(left.session()).await, None);

    bench.upkeep.finish().await.unwrap();
    let ended = bench.ended(left.session()).await;
    assert_eq!(ended, Some(EndCause::EndedElsewhere));
    assert_eq!(bench.lines_of(EventKind::SignInFailedRepeatedly).await, 1);
}

#[tokio::test]
async fn a_clock_far_ahead_is_told_of_once_and_destroys_nothing() {
    let bench = Bench::new().await;
    bench.world.ready("acme", "marie").await;
    let upkeep = &bench.upkeep;
    let hour = Duration::from_hours(1);
    assert_eq!(upkeep.look_at_clock(Duration::ZERO).await.unwrap(), None);
    let right = bench.world.now();
    let year = hour * 24 * 400;
    bench.world.clock.advance(year);
    for _ in 0..2 {
        upkeep.purge().await.unwrap();
    }
    assert_eq!(bench.purged().await, 0);
    let concern = upkeep.look_at_clock(Duration::ZERO).await.unwrap();
    assert_eq!(concern, Some(Concern::Ahead(year)));
    assert_eq!(upkeep.look_at_clock(hour).await.unwrap(), None, "once");
    upkeep.purge().await.unwrap();
    assert_eq!(bench.purged().await, 0);

    bench.world.clock.set(right.after(hour));
    assert_eq!(upkeep.look_at_clock(hour).await.unwrap(), None);
    bench.world.clock.set(right.before(hour * 3));
    let concern = upkeep.look_at_clock(hour).await.unwrap();
    assert_eq!(concern, Some(Concern::Behind(hour * 3)));

    // The year really passes.
    bench.world.clock.set(right.after(year));
    upkeep.look_at_clock(year).await.unwrap();
    upkeep.purge().await.unwrap();
    assert!(bench.purged().await > 0);
    assert_eq!(bench.lines_of(EventKind::JournalPurged).await, 1);
}

#[tokio::test]
async fn each_task_runs_until_the_gateway_stops() {
    let bench = Bench::new().await;
    bench.world.ready("acme", "marie").await;
    let (_, idle) = bench.world.signed_in("marie").await;
    let (watched, _kept) = bench.open(idle.session());
    let year = Duration::from_hours(24 * 400);
    bench.upkeep.look_at_clock(Duration::ZERO).await.unwrap();
    bench.world.clock.advance(year);
    bench.upkeep.look_at_clock(year).await.unwrap();
    // Young, so that the purge, which may come first or last, leaves their line.
    bench.fail_often().await;
    bench.world.clock.advance(Duration::from_mins(2));

    let tasks = Tasks::new();
    bench.upkeep.clone().start(&tasks);
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        let is_done = watched.end_reason() == Some(EndReason::SessionExpired)
            && bench.ended(idle.session()).await.is_some()
            && bench.lines_of(EventKind::SignInFailedRepeatedly).await == 1
            && bench.purged().await > 0;
        if is_done {
            break;
        }
        assert!(Instant::now() < patience);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tasks.stop();
    assert_eq!(tasks.drained(Duration::from_secs(20)).await, 0);
}
