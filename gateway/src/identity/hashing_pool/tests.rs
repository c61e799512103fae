//! Tests of the threads that hash passwords and of who waits for them.

use std::sync::mpsc;

use super::*;

fn pool(waiting_max: usize) -> HashingPool {
    let threads = NonZeroUsize::MIN;
    HashingPool::start(HashingCapacity {
        threads,
        waiting_max,
    })
    .unwrap()
}

#[tokio::test]
async fn work_runs_on_threads_of_the_pool_and_its_memory_is_wiped() {
    let pool = pool(4);
    let first = pool
        .run(None, |arena| {
            let block = &mut arena.blocks(8, 2)[7];
            block.as_mut()[0] = 42;
            thread::current().name().map(str::to_owned)
        })
        .await;
    assert_eq!(first, Ok(Some("hashing-0".to_owned())));
    let wiped = pool
        .run(None, |arena| {
            arena
                .blocks(8, 1)
                .iter()
                .all(|block| block.as_ref().iter().all(|&word| word == 0))
        })
        .await;
    assert_eq!(wiped, Ok(true));
    assert_eq!(pool.load().kib_passes(), 24);
}

#[tokio::test]
async fn what_does_not_fit_into_the_queue_is_refused_at_once() {
    let pool = Arc::new(pool(1));
    let (release, held) = mpsc::channel::<()>();
    let (started, starts) = oneshot::channel();
    let busy = Arc::clone(&pool);
    let hold = move |_: &mut Arena| {
        let _ = started.send(());
        held.recv().is_ok()
    };
    let running = tokio::spawn(async move { busy.run(None, hold).await });
    starts.await.unwrap();
    let waits = Arc::clone(&pool);
    let waiting = tokio::spawn(async move { waits.run(None, |_| ()).await });
    while pool.load().waiting() < 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(pool.run(None, |_| ()).await, Err(NotHashed::Busy));
    assert_eq!(pool.load().refused(), 1);
    release.send(()).unwrap();
    assert_eq!(running.await.unwrap(), Ok(true));
    assert_eq!(waiting.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn c4_one_source_that_sends_without_end_keeps_nobody_else_out() {
    let pool = Arc::new(pool(8));
    let source = |address: &str| Some(Source::of(address.parse().unwrap()));
    let (release, held) = mpsc::channel::<()>();
    let (started, starts) = oneshot::channel();
    let busy = Arc::clone(&pool);
    let hold = move |_: &mut Arena| {
        let _ = started.send(());
        held.recv().is_ok()
    };
    let attacker = source("2001:db8::1");
    let running = tokio::spawn(async move { busy.run(attacker, hold).await });
    starts.await.unwrap();
    let attempt = |pool: Arc<HashingPool>, from| async move { pool.run(from, |_| ()).await };
    let flood: Vec<_> = (0..40)
        .map(|host| source(&format!("2001:db8::{host:x}")))
        .map(|from| tokio::spawn(attempt(Arc::clone(&pool), from)))
        .collect();
    while pool.load().refused() < 29 {
        tokio::task::yield_now().await;
    }
    assert_eq!(pool.load().waiting(), 3, "one is being hashed, three wait");
    let person = Arc::clone(&pool);
    let other = source("2001:db8:1::1");
    let other = tokio::spawn(async move { person.run(other, |_| ()).await });
    while pool.load().waiting() < 4 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    assert_eq!(other.await.unwrap(), Ok(()));
    assert_eq!(running.await.unwrap(), Ok(true));
    let mut served = 0;
    for attempt in flood {
        served += usize::from(attempt.await.unwrap().is_ok());
    }
    assert_eq!(served, 11, "its own places and its own queue, and no more");
}

#[tokio::test]
async fn c4_one_net_that_sends_from_all_of_its_sources_keeps_nobody_else_out() {
    let pool = Arc::new(pool(32));
    let attempt = |address: &str| {
        let (pool, from) = (Arc::clone(&pool), Source::of(address.parse().unwrap()));
        tokio::spawn(async move { pool.run(Some(from), |_| ()).await })
    };
    let (release, held) = mpsc::channel::<()>();
    let (started, starts) = oneshot::channel();
    let busy = Arc::clone(&pool);
    let hold = move |_: &mut Arena| {
        let _ = started.send(());
        held.recv().is_ok()
    };
    let running = tokio::spawn(async move { busy.run(None, hold).await });
    starts.await.unwrap();
    let flood: Vec<_> = (0..90)
        .map(|number| attempt(&format!("2001:db8:0:{number:x}::1")))
        .collect();
    while pool.load().refused() < 50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(pool.load().waiting(), 8, "a quarter of the queue");
    let others = [attempt("2001:db8:1::1"), attempt("192.0.2.1")];
    while pool.load().waiting() < 10 {
        tokio::task::yield_now().await;
    }
    release.send(()).unwrap();
    assert_eq!(running.await.unwrap(), Ok(true));
    for other in others {
        assert_eq!(other.await.unwrap(), Ok(()));
    }
    let mut served = 0;
    for attempt in flood {
        served += usize::from(attempt.await.unwrap().is_ok());
    }
    assert_eq!(served, 40, "its own places and its own queue, and no more");
}

#[tokio::test]
async fn a_job_that_panics_takes_no_thread_with_it() {
    let pool = pool(4);
    assert_eq!(
        pool.run(None, |_| panic!("on purpose")).await,
        Err::<(), _>(NotHashed::Failed)
    );
    assert_eq!(pool.run(None, |_| 1).await, Ok(1));
}
