//! What many need, in one statement: who asks while one is running shares the next.
//!
//! When a server restarts, all its clients come back within seconds, and each needs its user's grants, and a place. A statement for each of them would keep the
//! database busy with nothing else; one after another for all who wait meanwhile are a handful.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex as Turn, OnceCell},
    time::Instant,
};
use tracing::error;

use super::Error;

/// After a statement for many, the next one waits this long for each of them, so that in a storm it is for many again; somebody who comes alone does not wait.
const PAUSE_FOR_EACH: Duration = Duration::from_millis(1);

/// Nobody should feel it.
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// The database failed. Why is in the log, once for all who waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the database failed")]
pub struct Failed;

/// Gathers those who ask.
#[derive(Debug)]
pub struct Loader<T> {
    /// What whoever asks now is part of.
    next: Mutex<Arc<Load<T>>>,
    /// One at a time, and none before this moment.
    turn: Turn<Instant>,
    /// What is done, for the log.
    what: &'static str,
}

/// One query, and for whom.
#[derive(Debug)]
struct Load<T> {
    asked: Mutex<Vec<T>>,
    done: OnceCell<Result<(), Failed>>,
}

impl<T> Default for Load<T> {
    fn default() -> Self {
        Self { asked: Mutex::default(), done: OnceCell::new() }
    }
}

impl<T: Clone> Loader<T> {
    /// Nobody has asked yet. `what` is what is done, for the log: "reading grants".
    #[must_use]
    pub fn new(what: &'static str) -> Self {
        Self { next: Mutex::default(), turn: Turn::new(Instant::now()), what }
    }

    /// Completes when a call of `read` that began after this one has read `wanted`, with all others who have asked by then.
    ///
    /// # Errors
    /// When `read` failed.
    pub async fn load(&self, wanted: T, read: impl AsyncFnOnce(&[T]) -> Result<(), Error>) -> Result<(), Failed> {
        let load = {
            let next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            next.asked.lock().unwrap_or_else(PoisonError::into_inner).push(wanted);
            Arc::clone(&next)
        };
        // One of them reads for all; when its client goes away meanwhile, another one does.
        *load
            .done
            .get_or_init(async || {
                let mut earliest = self.turn.lock().await;
                tokio::time::sleep_until(*earliest).await;
                let asked = self.close(&load);
                let result = read(&asked).await.map_err(|error| {
                    error!(%error, asked = asked.len(), "{} failed", self.what);
                    Failed
                });
                let others = u32::try_from(asked.len().saturating_sub(1)).unwrap_or(u32::MAX);
                *earliest = Instant::now() + PAUSE_FOR_EACH.saturating_mul(others).min(LONGEST_PAUSE);
                result
            })
            .await
    }

    /// Who asks from now on is part of the load after this one.
    fn close(&self, load: &Arc<Load<T>>) -> Vec<T> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&next, load) {
            *next = Arc::default();
        }
        load.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Notify;

    use super::*;

    /// Reads that take until they are let go, and what each of them was for.
    #[derive(Default)]
    struct Reads {
        of: Mutex<Vec<Vec<u32>>>,
        go: Notify,
    }

    impl Reads {
        async fn read(&self, users: &[u32]) -> Result<(), Error> {
            self.of.lock().unwrap().push(users.to_vec());
            self.go.notified().await;
            if users.contains(&13) { Err(Error::Pool("gone".into())) } else { Ok(()) }
        }
    }

    fn ask(loader: &Arc<Loader<u32>>, reads: &Arc<Reads>, user: u32) -> tokio::task::JoinHandle<Result<(), Failed>> {
        let (loader, reads) = (Arc::clone(loader), Arc::clone(reads));
        tokio::spawn(async move { loader.load(user, async |users: &[u32]| reads.read(users).await).await })
    }

    async fn settle() {
        // Time is paused: it passes when everybody waits.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_while_a_query_runs_shares_the_next() {
        let (loader, reads) = (Arc::new(Loader::new("reading")), Arc::<Reads>::default());
        let first = ask(&loader, &reads, 1);
        settle().await;
        let others: Vec<_> = (20..100).map(|user| ask(&loader, &reads, user)).collect();
        settle().await;
        assert_eq!(reads.of.lock().unwrap().len(), 1, "one at a time");
        reads.go.notify_one();
        assert_eq!(first.await.unwrap(), Ok(()));
        settle().await;
        reads.go.notify_one();
        for other in others {
            assert_eq!(other.await.unwrap(), Ok(()));
        }
        assert_eq!(reads.of.lock().unwrap()[1], (20..100).collect::<Vec<_>>());
        assert_eq!(reads.of.lock().unwrap().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_everybodys_who_waited_and_nobody_elses() {
        let (loader, reads) = (Arc::new(Loader::new("reading")), Arc::<Reads>::default());
        let first = ask(&loader, &reads, 1);
        settle().await;
        let unlucky = [ask(&loader, &reads, 12), ask(&loader, &reads, 13)];
        reads.go.notify_one();
        assert_eq!(first.await.unwrap(), Ok(()));
        settle().await;
        reads.go.notify_one();
        for one in unlucky {
            assert_eq!(one.await.unwrap(), Err(Failed));
        }
        reads.go.notify_one();
        assert_eq!(ask(&loader, &reads, 12).await.unwrap(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_one_who_reads_goes_away_another_reads() {
        let (loader, reads) = (Arc::new(Loader::new("reading")), Arc::<Reads>::default());
        let blocking = ask(&loader, &reads, 1);
        settle().await;
        let (gone, follower) = (ask(&loader, &reads, 2), ask(&loader, &reads, 3));
        reads.go.notify_one();
        blocking.await.unwrap().unwrap();
        settle().await;
        gone.abort();
        settle().await;
        reads.go.notify_one();
        assert_eq!(follower.await.unwrap(), Ok(()));
        assert_eq!(*reads.of.lock().unwrap(), [vec![1], vec![2, 3], vec![2, 3]]);
    }
}
