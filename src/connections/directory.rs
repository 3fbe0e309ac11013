//! The streams of all servers, in the database. Each server enters its own, says every few seconds that it is there, and deletes what has ended. What is there may be
//! forgotten by the database at any time (its tables are unlogged): then it is entered anew.
//!
//! Who comes and who goes is written by one statement at a time, for all who wait meanwhile, so that a stream that has ended cannot be entered after it was deleted.

use std::{
    collections::HashMap,
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, oneshot},
    time::timeout,
};
use tracing::warn;

use super::{
    Activity, Connection, Connections, Entered,
    entry::{Entering, Entry, Gone},
};
use crate::{
    command::{Answer, Ask},
    metrics::Metrics,
    postgres::{
        self, Database, Failed, Loader,
        connections::{self, Limits, Refused, Row},
    },
};

/// How long a stream on another server may take to answer: a commit, a wake-up there, and the same back. More than where servers poll.
const ANSWER: Duration = Duration::from_secs(5);

/// A client that has taken nothing for so many heartbeats is not active.
const SILENT_HEARTBEATS: u32 = 3;

/// The directory, as one server writes it.
pub struct Directory {
    /// The streams here.
    pub connections: Arc<Connections>,
    pub(super) server: Box<str>,
    pub(super) started: Instant,
    pub(super) database: Database,
    limits: Limits,
    heartbeat: Duration,
    /// Who is told what users do, if anybody is.
    pub(super) activity: Option<Arc<Activity>>,
    changes: Loader<Change>,
    /// What has ended and is still in the directory.
    pub(super) gone: Mutex<Vec<Box<str>>>,
    pub(super) someone_left: Notify,
    /// Whether the database could not be told last time.
    failing: AtomicBool,
    pub(super) metrics: Arc<Metrics>,
}

/// What is to be written.
#[derive(Clone)]
pub(super) enum Change {
    /// A stream comes.
    Enter(Arc<Entering>),
    /// Some have gone.
    Leave,
    /// The server is there.
    Presence,
}

/// Why a stream may not be opened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Admission {
    /// Its user has as many as they may, or opens them too fast.
    Refused(Refused),
    /// The database failed.
    Failed,
}

/// The stream is open on another server, which has not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unanswered;

impl Directory {
    /// A directory that knows nothing of this server yet. `heartbeat` is how often streams say something.
    #[must_use]
    pub fn new(
        connections: Arc<Connections>,
        database: Database,
        limits: Limits,
        heartbeat: Duration,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            connections,
            server: format!("{:016x}", fastrand::u64(..)).into(),
            started: Instant::now(),
            database,
            limits,
            heartbeat,
            activity: None,
            changes: Loader::new("entering streams"),
            gone: Mutex::default(),
            someone_left: Notify::new(),
            failing: AtomicBool::new(false),
            metrics,
        }
    }

    /// From now on it is told what users do with their streams, by that.
    #[must_use]
    pub fn with_activity(self, activity: Option<Arc<Activity>>) -> Self {
        Self { activity, ..self }
    }

    /// What this server is called in `rowcast.servers`.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Enters a stream, if its user may have one more. From then on it can be found, here and by other servers.
    ///
    /// # Errors
    /// When the user may not, or the database fails.
    pub async fn enter(self: &Arc<Self>, connection: Connection) -> Result<Entered, Admission> {
        let entering = Arc::new(Entering::new(self.row(&connection)));
        let mut entry = Entry::new(Arc::clone(self), Arc::clone(&entering));
        self.write(Change::Enter(Arc::clone(&entering))).await.map_err(|Failed| Admission::Failed)?;
        match entering.outcome.get() {
            Some(Ok(())) => {}
            Some(&Err(refused)) => {
                entry.has_no_row();
                return Err(Admission::Refused(refused));
            }
            None => return Err(Admission::Failed),
        }
        Ok(entry.entered(connection))
    }

    /// Whether a user may do this kind of thing once more, of so many a minute; if not, when to ask again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_turn(
        &self,
        user_id: &str,
        kind: &str,
        per_minute: u32,
    ) -> Result<Option<Duration>, postgres::Error> {
        connections::take_turn(&self.database.connection().await?, user_id, kind, per_minute).await
    }

    /// Whose stream that is, if it is open anywhere.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn owner(&self, id: &str) -> Result<Option<Box<str>>, postgres::Error> {
        if let Some(connection) = self.connections.find(id) {
            return Ok(Some(connection.viewer.user_id.clone()));
        }
        connections::find(&self.database.connection().await?, id).await
    }

    /// Asks something of a stream on another server.
    ///
    /// # Errors
    /// When the database fails. The answer may be that there is none.
    pub async fn ask(&self, id: &str, ask: &Ask) -> Result<Result<Answer, Unanswered>, postgres::Error> {
        let request: Box<str> = format!("{}-{:016x}", self.server, fastrand::u64(..)).into();
        let (sender, answer) = oneshot::channel();
        let asked = &self.connections.asked;
        asked.lock().unwrap_or_else(PoisonError::into_inner).insert(request.clone(), sender);
        // However this ends, nobody waits any more.
        let _waiting = Waiting { asked, request: &request };
        connections::ask(&self.database.connection().await?, &request, id, ask).await?;
        Ok(timeout(ANSWER, answer).await.ok().and_then(Result::ok).ok_or(Unanswered))
    }

    /// Writes what can be written later as well: why it could not be is said there, and the next presence tries again.
    pub(super) async fn write_or_leave_it(&self, change: Change) {
        let _ = self.write(change).await;
    }

    async fn write(&self, change: Change) -> Result<(), Failed> {
        self.changes.load(change, async |changes: &[Change]| self.write_all(changes).await).await
    }

    async fn write_all(&self, changes: &[Change]) -> Result<(), postgres::Error> {
        let coming: HashMap<&str, &Arc<Entering>> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Enter(entering) if !entering.is_given_up() => Some((&*entering.row.id, entering)),
                _ => None,
            })
            .collect();
        let told = self.write_changes(&coming, changes.iter().any(|change| matches!(change, Change::Presence))).await;
        match told {
            // Somebody waits for it.
            Err(error) if !coming.is_empty() => return Err(error),
            Err(error) if !self.failing.swap(true, Ordering::Relaxed) => {
                warn!(%error, "the database cannot be told who is connected here");
            }
            Err(_) => {}
            Ok(()) => self.failing.store(false, Ordering::Relaxed),
        }
        Ok(())
    }

    async fn write_changes(
        &self,
        coming: &HashMap<&str, &Arc<Entering>>,
        presence: bool,
    ) -> Result<(), postgres::Error> {
        let connection = self.database.connection().await?;
        let mut gone = self.take_gone();
        if !coming.is_empty() || !gone.ids.is_empty() {
            let rows: Vec<&Row> = coming.values().map(|entering| &entering.row).collect();
            let mut refused = connections::enter(&connection, &self.server, &gone.ids, &rows, self.limits).await?;
            gone.ids.clear();
            for (&id, entering) in coming {
                // Set before only if this is done again for somebody who went away in the middle of it.
                let _ = entering.outcome.set(refused.remove(id).map_or(Ok(()), Err));
            }
        }
        if presence { self.say_it_is_there(&connection).await } else { Ok(()) }
    }

    pub(super) fn row(&self, connection: &Connection) -> Row {
        let described = connection.described();
        Row {
            id: connection.id.clone(),
            user_id: connection.viewer.user_id.clone(),
            organizations: described.organizations,
            event_types: described.event_types,
            active: connection.idle() < self.heartbeat * SILENT_HEARTBEATS,
        }
    }

    fn take_gone(&self) -> Gone<'_> {
        Gone::new(self, mem::take(&mut *self.gone.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    pub(super) fn put_gone(&self, ids: &mut Vec<Box<str>>) {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner).append(ids);
    }
}

/// A request of ours that waits for its answer.
struct Waiting<'a> {
    asked: &'a Mutex<HashMap<Box<str>, oneshot::Sender<Answer>>>,
    request: &'a str,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(self.request);
    }
}
