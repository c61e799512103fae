//! Start, reload, drain, stop: what runs, and how shutdown waits for it.

pub(crate) mod service_manager;

mod file_watch;
mod signals;
mod workers;

use std::{future::Future, sync::Arc, time::Duration};

use tokio::sync::watch;

pub(crate) use self::{
    file_watch::{FileWatch, ReadFile},
    signals::{Signal, Signals},
    workers::Workers,
};

/// Tasks that shutdown tells to stop and then waits for. Clones share one count.
#[derive(Clone, Debug)]
pub(crate) struct Tasks(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    stopping: watch::Sender<bool>,
    cut: watch::Sender<bool>,
    running: watch::Sender<usize>,
}

impl Tasks {
    /// No task yet.
    pub(crate) fn new() -> Self {
        Self(Arc::new(Counted {
            stopping: watch::Sender::new(false),
            cut: watch::Sender::new(false),
            running: watch::Sender::new(0),
        }))
    }

    /// Runs `future` on the current runtime, counted until it ends, is cut or panics.
    pub(crate) fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let running = Running::of(self.clone(), name);
        let mut cut = self.cut_watch();
        tokio::spawn(async move {
            // Dropped last: what is counted as gone is gone.
            let _running = running;
            tokio::select! {
                () = future => {}
                _ = cut.wait_for(|cut| *cut) => {}
            }
        });
    }

    /// Tells every task to stop.
    pub(crate) fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    /// Ready once tasks are told to stop.
    pub(crate) async fn stopping(&self) {
        let mut stopping = self.0.stopping.subscribe();
        // It fails only when the sender is gone, and `self` holds it.
        let _ = stopping.wait_for(|stopping| *stopping).await;
    }

    /// Turns true when tasks are told to stop; for those who want it as a value.
    pub(crate) fn stop_watch(&self) -> watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }

    /// Ends every task where it stands.
    pub(crate) fn cut(&self) {
        self.0.cut.send_replace(true);
    }

    /// Turns true when what is left is cut; for those who want it as a value.
    pub(crate) fn cut_watch(&self) -> watch::Receiver<bool> {
        self.0.cut.subscribe()
    }

    /// Waits until no task is left, `grace` at most; the number of those that are left.
    pub(crate) async fn drained(&self, grace: Duration) -> usize {
        let mut running = self.0.running.subscribe();
        let _ = tokio::time::timeout(grace, running.wait_for(|running| *running == 0)).await;
        *self.0.running.borrow()
    }
}

/// Counts a task while it lives.
struct Running {
    tasks: Tasks,
    name: &'static str,
}

impl Running {
    fn of(tasks: Tasks, name: &'static str) -> Self {
        tasks.0.running.send_modify(|running| *running += 1);
        Self { tasks, name }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.0.running.send_modify(|running| *running -= 1);
        if std::thread::panicking() {
            tracing::error!(task = self.name, "a task ended by a panic");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shutdown_waits_for_tasks_that_heed_it() {
        let tasks = Tasks::new();
        let heeding = tasks.clone();
        tasks.spawn("heeding", async move { heeding.stopping().await });
        tasks.stop();
        assert_eq!(tasks.drained(Duration::from_secs(5)).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_does_not_wait_for_ever() {
        let tasks = Tasks::new();
        tasks.spawn("deaf", std::future::pending::<()>());
        tasks.stop();
        assert_eq!(tasks.drained(Duration::from_secs(30)).await, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_task_that_is_cut_is_gone_when_it_is_no_longer_counted() {
        let tasks = Tasks::new();
        let held = Arc::new(());
        let holding = Arc::clone(&held);
        tasks.spawn("deaf", async move {
            std::future::pending::<()>().await;
            drop(holding);
        });
        tasks.cut();
        assert_eq!(tasks.drained(Duration::from_secs(30)).await, 0);
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
