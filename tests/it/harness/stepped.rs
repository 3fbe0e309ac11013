//! A server in the test's own process, of which every step is the test's.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use rowcast::{
    access::Access,
    connections::{Connection, Connections, Directory, Terms, Wanted},
    cursor::Cursor,
    postgres::{self, connections::Limits},
    session::{self, Resume, Session},
    tailer::Tailer,
};
use tokio_util::sync::CancellationToken;

use super::{Database, Role};

/// Everything, for long enough not to be told of the end.
pub(crate) fn terms() -> Terms {
    Terms { wanted: Wanted::default(), expires_at: Timestamp::now() + Duration::from_mins(10) }
}

/// The parts of a server, without anything that runs by itself.
pub(crate) struct Stepped {
    tailer: Tailer,
    connection: postgres::Connection,
    pub(crate) sessions: Arc<session::Server>,
    pub(crate) directory: Arc<Directory>,
}

impl Stepped {
    /// With room for a few events, so that everybody who comes back has to read from the outbox, and frequent heartbeats.
    pub(crate) async fn new(db: &Database) -> Self {
        Self::with(db, 4_000, Duration::from_millis(300)).await
    }

    /// With a log of so many bytes.
    pub(crate) async fn with(db: &Database, log_bytes: usize, heartbeat: Duration) -> Self {
        let database = postgres::Database::new(&db.url_as(Role::Server), 4).unwrap();
        let access = Arc::new(Access::load(database.clone(), Arc::default()).await.unwrap());
        let connections = Arc::<Connections>::default();
        let (places, bell) = (Arc::clone(&connections), Arc::default());
        let tailer = Tailer::new(database.clone(), Arc::clone(&access), places, bell, Arc::default(), log_bytes, None);
        let tailer = tailer.await.unwrap();
        let limits = Limits { per_user: 100_000, per_minute: 100_000 };
        let directory = Directory::new(connections, database.clone(), limits, heartbeat, Arc::default());
        let sessions = Arc::new(session::Server {
            access,
            views: session::Views::default(),
            logs: tailer.logs(),
            database: database.clone(),
            metrics: Arc::default(),
            tailer: tailer.status(),
            heartbeat,
            max_stream: None,
            writes_per_second: 1_000,
            shutdown: CancellationToken::new(),
        });
        let connection = database.connection().await.unwrap();
        let mut stepped = Self { tailer, connection, sessions, directory: Arc::new(directory) };
        stepped.step().await;
        stepped
    }

    /// Reads all there is.
    pub(crate) async fn step(&mut self) {
        while self.tailer.step(&self.connection).await.unwrap().more {}
    }

    /// A stream from the very beginning.
    pub(crate) async fn open(&self, user: &str) -> Session {
        self.open_at(user, &Resume::After(Cursor::default())).await
    }

    /// A stream from there.
    pub(crate) async fn open_at(&self, user: &str, resume: &Resume) -> Session {
        let viewer = self.sessions.access.viewer(user).await.unwrap();
        let connection = Connection::new(viewer, terms(), &self.sessions.access);
        let entered = self.directory.enter(connection).await.unwrap_or_else(|_| panic!("the stream was refused"));
        Session::open(Arc::clone(&self.sessions), entered, resume)
    }

    /// All that a stream says up to its first heartbeat.
    pub(crate) async fn replay(&self, user: &str) -> String {
        let mut session = self.open(user).await;
        let mut said = String::new();
        while let Some(chunk) = session.next().await {
            said.push_str(std::str::from_utf8(&chunk).unwrap());
            if said.contains("event: cursor") {
                break;
            }
        }
        said
    }
}
