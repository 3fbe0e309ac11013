//! The tasks that a server cannot be without. When one of them ends early, the server ends: without a tailer it would hold streams open and never say anything on them.
//! Whoever started it starts another one; the clients come back with their cursors.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::error;

/// Running tasks, by name.
pub(super) struct Tasks {
    running: JoinSet<&'static str>,
    shutdown: CancellationToken,
}

impl Tasks {
    /// None yet; all of them are to end at `shutdown`, and not before.
    pub(super) fn new(shutdown: CancellationToken) -> Self {
        Self { running: JoinSet::new(), shutdown }
    }

    /// Runs a task beside the others.
    pub(super) fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        // What it panics with has been printed by then.
        self.running.spawn(async move {
            let _ = AssertUnwindSafe(task).catch_unwind().await;
            name
        });
    }

    /// Waits until all of them have ended. The name of the first that ended before it should, which has begun the shutdown.
    pub(super) async fn ended(mut self) -> Option<&'static str> {
        let mut early = None;
        while let Some(ended) = self.running.join_next().await {
            if !self.shutdown.is_cancelled() {
                early = Some(ended.unwrap_or("cancelled"));
                error!(task = early, "a task has ended that the server cannot be without; the server stops");
                self.shutdown.cancel();
            }
        }
        early
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_one_stops_them_all() {
        let shutdown = CancellationToken::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("patient", shutdown.clone().cancelled_owned());
        tasks.spawn("panicking", async { panic!("planted") });
        assert_eq!(tasks.ended().await, Some("panicking"));
        assert!(shutdown.is_cancelled(), "the streams are told");
    }

    #[tokio::test]
    async fn one_that_returns_early_stops_them_all() {
        let shutdown = CancellationToken::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("patient", shutdown.clone().cancelled_owned());
        tasks.spawn("returning", async {});
        assert_eq!(tasks.ended().await, Some("returning"));
    }

    #[tokio::test]
    async fn at_shutdown_all_of_them_may_end() {
        let shutdown = CancellationToken::new();
        let mut tasks = Tasks::new(shutdown.clone());
        tasks.spawn("patient", shutdown.clone().cancelled_owned());
        shutdown.cancel();
        assert_eq!(tasks.ended().await, None);
    }
}
