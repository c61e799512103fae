//! Who asks, how often, and what holds when nobody answers.

use std::{cell::Cell, future::pending};

use tokio::time::{advance, sleep};

use super::*;

fn address(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 80))
}

/// What a name server does when it is asked.
#[derive(Clone, Copy)]
enum Server {
    Answers(u8),
    Fails,
    IsSilent,
}

/// A name whose questions are counted.
struct World {
    name: Name,
    asked: Cell<usize>,
}

impl World {
    fn new() -> Self {
        Self {
            name: Name::new("payroll.internal", 80),
            asked: Cell::new(0),
        }
    }

    /// The address that a request is sent to; `None` where it is refused.
    async fn ask(&self, server: Server) -> Option<u8> {
        let ask = || async move {
            self.asked.set(self.asked.get() + 1);
            match server {
                Server::Answers(last) => {
                    sleep(Duration::from_millis(100)).await;
                    Ok(Box::from([address(last)]))
                }
                Server::Fails => Err(io::Error::other("no")),
                Server::IsSilent => pending().await,
            }
        };
        let resolved = self.name.resolve(ask).await.ok()?;
        match resolved.pick(|_| false)?.ip() {
            std::net::IpAddr::V4(ip) => Some(ip.octets()[3]),
            std::net::IpAddr::V6(_) => None,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_holds_for_half_a_minute_by_a_clock_that_only_goes_forward() {
    let world = World::new();
    assert_eq!(world.ask(Server::Answers(1)).await, Some(1));
    advance(Duration::from_millis(29_999)).await;
    assert_eq!(world.ask(Server::Answers(2)).await, Some(1));
    advance(Duration::from_millis(1)).await;
    assert_eq!(world.ask(Server::Answers(2)).await, Some(2));
    assert_eq!(world.asked.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn requests_that_come_together_ask_once() {
    let world = World::new();
    let one = || world.ask(Server::Answers(1));
    let all = tokio::join!(one(), one(), one(), one());
    assert_eq!(all, (Some(1), Some(1), Some(1), Some(1)));
    assert_eq!(world.asked.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_holds_while_nobody_answers_and_not_for_ever() {
    let world = World::new();
    assert_eq!(world.ask(Server::Answers(1)).await, Some(1));
    advance(FRESH_FOR).await;
    assert_eq!(world.ask(Server::Fails).await, Some(1));
    assert_eq!(world.ask(Server::Fails).await, Some(1));
    assert_eq!(world.asked.get(), 2, "a failure is remembered");
    advance(FAILED_FOR).await;
    assert_eq!(world.ask(Server::Answers(2)).await, Some(2), "it is over");
    advance(STALE_FOR).await;
    assert_eq!(world.ask(Server::Fails).await, None);
}

#[tokio::test(start_paused = true)]
async fn a_name_server_that_is_silent_holds_up_one_request_for_a_second() {
    let world = World::new();
    assert_eq!(world.ask(Server::Answers(1)).await, Some(1));
    advance(FRESH_FOR).await;
    assert_eq!(world.ask(Server::Fails).await, Some(1));
    advance(FAILED_FOR).await;
    let began = Instant::now();
    let timed = || async {
        let address = world.ask(Server::IsSilent).await;
        (address, began.elapsed())
    };
    let (asks, other) = tokio::join!(timed(), timed());
    assert_eq!(asks, (Some(1), PATIENCE_WITH_STALE));
    assert_eq!(other, (Some(1), Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_known_a_failure_is_told_to_all_who_waited() {
    let world = World::new();
    let began = Instant::now();
    let one = || world.ask(Server::IsSilent);
    assert_eq!(tokio::join!(one(), one(), one()), (None, None, None));
    assert_eq!(began.elapsed(), PATIENCE);
    assert_eq!(world.asked.get(), 1);
}

#[test]
fn addresses_take_turns_and_one_that_failed_waits_for_all_others() {
    let resolved = Resolved {
        addresses: Box::from([address(1), address(2), address(3)]),
        at: Instant::now(),
        next: AtomicUsize::new(0),
    };
    let picked = |avoided: &[u8]| {
        let picked = [(); 3].map(|()| {
            let is_avoided = |one| avoided.iter().any(|last| address(*last) == one);
            resolved.pick(is_avoided).unwrap()
        });
        picked.map(|picked| (1..=3).find(|last| address(*last) == picked).unwrap())
    };
    assert_eq!(picked(&[]), [1, 2, 3]);
    assert_eq!(picked(&[2]), [1, 3, 3]);
    assert_eq!(picked(&[1, 2, 3]), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn what_was_known_before_a_reload_holds_after_it_and_no_longer_than_it_would_have() {
    let before = World::new();
    assert_eq!(before.ask(Server::Answers(1)).await, Some(1));
    advance(FRESH_FOR).await;
    let after = World::new();
    after.name.learn_from(&before.name, |_| true);
    assert_eq!(after.ask(Server::Fails).await, Some(1));
    assert_eq!(after.asked.get(), 1, "it is asked for again all the same");
    let rest = Duration::from_secs(90);
    assert_eq!(FRESH_FOR + rest, STALE_FOR);
    advance(rest).await;
    assert_eq!(after.ask(Server::Fails).await, None);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_learnt_of_another_name_nor_of_an_address_that_may_not_be_used() {
    let before = World::new();
    assert_eq!(before.ask(Server::Answers(1)).await, Some(1));
    let after = World::new();
    after.name.learn_from(&before.name, |_| false);
    assert_eq!(after.ask(Server::Fails).await, None);
    for (host, port) in [("payroll.internal", 81), ("wiki.internal", 80)] {
        let other = Name::new(host, port);
        other.learn_from(&before.name, |_| true);
        assert!(other.known.load().is_none(), "{host}:{port}");
    }
    assert_eq!(before.ask(Server::Answers(1)).await, Some(1));
    let newer = World::new();
    advance(FRESH_FOR).await;
    assert_eq!(newer.ask(Server::Answers(2)).await, Some(2));
    newer.name.learn_from(&before.name, |_| true);
    assert_eq!(newer.ask(Server::Fails).await, Some(2), "the newer holds");
}

#[tokio::test(start_paused = true)]
async fn of_a_name_that_is_written_several_times_the_last_answer_is_learnt() {
    let (older, newer, silent) = (World::new(), World::new(), World::new());
    assert_eq!(older.ask(Server::Answers(1)).await, Some(1));
    advance(Duration::from_secs(1)).await;
    assert_eq!(newer.ask(Server::Answers(2)).await, Some(2));
    for order in [[&newer, &silent, &older], [&silent, &older, &newer]] {
        let mut known = KnownNames::default();
        for world in order {
            known.add(&world.name);
        }
        let after = World::new();
        let like = known.like(&after.name).expect("it is known");
        after.name.learn_from(like, |_| true);
        assert_eq!(after.ask(Server::Fails).await, Some(2));
        assert!(known.like(&Name::new("wiki.internal", 80)).is_none());
        assert!(known.like(&Name::new("payroll.internal", 81)).is_none());
    }
}
