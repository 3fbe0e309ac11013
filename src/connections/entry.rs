//! A stream's place in the directory: taken when it is asked for, and left when nobody holds on to it any more, however that comes about.

use std::{
    mem,
    sync::{
        Arc, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{Connection, directory::Directory};
use crate::postgres::connections::{Refused, Row};

/// A stream in the directory. It leaves when this is dropped.
pub struct Entered {
    entry: Entry,
    connection: Arc<Connection>,
}

/// A stream's row, which may be there from when it is asked for on. It is deleted when this is dropped.
pub(super) struct Entry {
    directory: Arc<Directory>,
    id: Box<str>,
    /// While it is on its way in.
    entering: Option<Arc<Entering>>,
}

/// A stream on its way in.
pub(super) struct Entering {
    pub(super) row: Row,
    /// Who waited has gone away.
    given_up: AtomicBool,
    pub(super) outcome: OnceLock<Result<(), Refused>>,
}

impl Entered {
    /// What it is about.
    #[must_use]
    pub fn connection(&self) -> &Arc<Connection> {
        &self.connection
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let connections = &self.entry.directory.connections;
        connections.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.connection.id);
        self.connection.close_account();
    }
}

impl Entering {
    pub(super) fn new(row: Row) -> Self {
        Self { row, given_up: AtomicBool::new(false), outcome: OnceLock::new() }
    }

    /// Whether nobody waits for it any more.
    pub(super) fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }
}

impl Entry {
    /// A row that is about to be asked for.
    pub(super) fn new(directory: Arc<Directory>, entering: Arc<Entering>) -> Self {
        Self { directory, id: entering.row.id.clone(), entering: Some(entering) }
    }

    /// It has been entered: from now on the stream can be found.
    pub(super) fn entered(mut self, connection: Connection) -> Entered {
        self.entering = None;
        let connection = Arc::new(connection);
        let open = &self.directory.connections.open;
        self.directory.activity.as_ref().inspect(|activity| connection.open_account(activity));
        open.lock().unwrap_or_else(PoisonError::into_inner).insert(connection.id.clone(), Arc::clone(&connection));
        Entered { entry: self, connection }
    }

    /// It was refused.
    pub(super) fn has_no_row(&mut self) {
        self.id = Box::default();
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(entering) = self.entering.take() {
            entering.given_up.store(true, Ordering::Release);
        }
        if !self.id.is_empty() {
            self.directory.put_gone(&mut vec![mem::take(&mut self.id)]);
            self.directory.someone_left.notify_one();
        }
    }
}

/// Streams that have gone. Those that are not deleted, for whatever reason, have still gone afterwards.
pub(super) struct Gone<'a> {
    directory: &'a Directory,
    pub(super) ids: Vec<Box<str>>,
}

impl<'a> Gone<'a> {
    pub(super) fn new(directory: &'a Directory, ids: Vec<Box<str>>) -> Self {
        Self { directory, ids }
    }
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.directory.put_gone(&mut self.ids);
    }
}
