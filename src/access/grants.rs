//! The grants of the users who are connected here, kept as fresh as the events they guard.
//!
//! A change of access is a row that the tailer reads in the same snapshot as the events, and [`Access::apply`] has re-read the grants before the first event of that
//! batch can be sent. Grants are only ever replaced by what a query returned that began later, never changed in place.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use tokio::sync::watch;

use crate::{
    metrics::Metrics,
    policy::{Grants, Policy},
    postgres::{self, Connection, Database, Failed, Loader},
};

/// Who may see what, for everybody who is connected to this server.
pub struct Access {
    database: Database,
    policy: ArcSwap<Versioned<Policy>>,
    /// Those who are connected, and those who were a moment ago: long-polls and broken connections come back.
    viewers: Mutex<HashMap<Box<str>, Arc<Viewer>>>,
    newcomers: Loader<Arc<Viewer>>,
    /// Counts queries in the order in which they begin. What a later one returns is never replaced by an earlier one's.
    queries: AtomicU64,
    metrics: Arc<Metrics>,
}

/// A value and the query that it came from.
#[derive(Debug, Default)]
pub struct Versioned<T> {
    /// The number of the query; 0 before the first.
    pub version: u64,
    /// What it returned.
    pub value: T,
}

/// One user, shared by all their streams.
pub struct Viewer {
    /// The user id, as in the token's `sub`.
    pub user_id: Box<str>,
    disconnected: AtomicBool,
    grants: watch::Sender<Arc<Versioned<Grants>>>,
    /// Whether they came since those who have gone were last forgotten.
    recent: AtomicBool,
}

impl Viewer {
    /// What the user holds now, and word of any change, of their grants or of the policy, and of being disconnected.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Arc<Versioned<Grants>>> {
        self.grants.subscribe()
    }

    /// Whether the streams that began with this are to end.
    #[must_use]
    pub fn is_disconnected(&self) -> bool {
        self.disconnected.load(Ordering::Acquire)
    }

    fn disconnect(&self) {
        self.disconnected.store(true, Ordering::Release);
        // Whoever waits for a change of grants looks around.
        self.grants.send_modify(|_| {});
    }

    fn replace(&self, version: u64, grants: Grants) {
        self.grants.send_if_modified(|current| {
            let newer = version > current.version;
            if newer {
                *current = Arc::new(Versioned { version, value: grants });
            }
            newer
        });
    }
}

impl Access {
    /// Reads the policy; grants are read as users connect.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(database: Database, metrics: Arc<Metrics>) -> Result<Self, postgres::Error> {
        let access = Self {
            database,
            policy: ArcSwap::default(),
            viewers: Mutex::default(),
            newcomers: Loader::new("reading grants"),
            queries: AtomicU64::new(0),
            metrics,
        };
        access.reload_policy(&access.database.connection().await?).await?;
        Ok(access)
    }

    /// The event types and redactions.
    #[must_use]
    pub fn policy(&self) -> Arc<Versioned<Policy>> {
        self.policy.load_full()
    }

    /// The user, with grants that are kept fresh for as long as somebody holds on to them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn viewer(&self, user_id: &str) -> Result<Arc<Viewer>, Failed> {
        // First into the map, then the query: a change that the query misses will find the user in the map.
        let viewer = self.enter(user_id);
        if viewer.grants.borrow().version == 0 {
            let read = async |newcomers: &[Arc<Viewer>]| {
                self.refresh_many(&self.database.connection().await?, newcomers).await
            };
            self.newcomers.load(Arc::clone(&viewer), read).await?;
        }
        Ok(viewer)
    }

    fn enter(&self, user_id: &str) -> Arc<Viewer> {
        let mut viewers = self.viewers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(viewer) = viewers.get(user_id) {
            viewer.recent.store(true, Ordering::Relaxed);
            return Arc::clone(viewer);
        }
        let viewer = Arc::new(Viewer {
            user_id: user_id.into(),
            disconnected: AtomicBool::new(false),
            grants: watch::Sender::default(),
            recent: AtomicBool::new(true),
        });
        viewers.insert(user_id.into(), Arc::clone(&viewer));
        viewer
    }

    /// Ends the streams that the user has now. Who connects later is somebody new.
    pub fn disconnect(&self, user_id: &str) {
        let mut viewers = self.viewers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(viewer) = viewers.remove(user_id) {
            viewer.disconnect();
        }
    }

    /// Reads again what these users may see (none: what anybody may), before any event of the same batch is sent. On the tailer's own
    /// connection, so that it never waits for one behind those who read history.
    ///
    /// # Errors
    /// When the database fails; the batch must not be published then.
    pub async fn apply(
        &self,
        connection: &Connection,
        changed_users: &[Option<String>],
    ) -> Result<(), postgres::Error> {
        if changed_users.is_empty() {
            return Ok(());
        }
        let anybody = changed_users.contains(&None);
        if anybody {
            self.reload_policy(connection).await?;
        }
        let affected =
            self.connected(|user| anybody || changed_users.iter().flatten().any(|changed| **changed == *user));
        self.refresh_many(connection, &affected).await
    }

    /// Reads everything again: some changes tell nobody (disabled triggers, views that depend on the time). Forgets users who have not been seen
    /// since the last time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_all(&self) -> Result<(), postgres::Error> {
        self.forget_who_left();
        self.apply(&self.database.connection().await?, &[None]).await
    }

    fn forget_who_left(&self) {
        let mut viewers = self.viewers.lock().unwrap_or_else(PoisonError::into_inner);
        // Only through the map, which is locked, does anybody get hold of one whom nobody holds.
        viewers.retain(|_, viewer| viewer.recent.swap(false, Ordering::Relaxed) || Arc::strong_count(viewer) > 1);
    }

    fn connected(&self, wanted: impl Fn(&str) -> bool) -> Vec<Arc<Viewer>> {
        let viewers = self.viewers.lock().unwrap_or_else(PoisonError::into_inner);
        viewers.iter().filter(|(user, _)| wanted(user)).map(|(_, viewer)| Arc::clone(viewer)).collect()
    }

    async fn refresh_many(&self, connection: &Connection, viewers: &[Arc<Viewer>]) -> Result<(), postgres::Error> {
        if viewers.is_empty() {
            return Ok(());
        }
        let version = self.next_query();
        self.metrics.grant_queries.inc();
        let users: Vec<&str> = viewers.iter().map(|viewer| &*viewer.user_id).collect();
        let mut grants = postgres::access::read_grants(connection, &users).await?;
        for viewer in viewers {
            viewer.replace(version, grants.remove(&viewer.user_id).unwrap_or_default());
        }
        Ok(())
    }

    async fn reload_policy(&self, connection: &Connection) -> Result<(), postgres::Error> {
        let version = self.next_query();
        let value = postgres::access::read_policy(connection).await?;
        let policy = Arc::new(Versioned { version, value });
        self.policy.rcu(|current| if current.version < version { Arc::clone(&policy) } else { Arc::clone(current) });
        Ok(())
    }

    fn next_query(&self) -> u64 {
        self.queries.fetch_add(1, Ordering::Relaxed) + 1
    }
}
