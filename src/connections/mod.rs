//! The streams that are open here: by name, for whoever wants something of one of them, and how many there may be.
//!
//! - `wanted.rs`, `connection.rs`: what a stream is to send, which its user may change while it is open.
//! - `gate.rs`, `counts.rs`: how many may be connected to this server.
//! - `activity/`: what users do with them, told as events.
//! - `directory.rs`, `entry.rs`, `presence.rs`: the streams of all servers, in the database: how many a user may have, who reaches them, which servers are there.

mod activity;
mod connection;
mod counts;
mod directory;
mod entry;
mod gate;
mod presence;
mod wanted;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{Notify, mpsc, oneshot};
use tracing::warn;

pub use self::{
    activity::Activity,
    connection::{Connection, Described, Terms},
    counts::Counts,
    directory::{Admission, Directory, Unanswered},
    entry::Entered,
    gate::{Full, Gate, Most, Place},
    wanted::{Since, Wanted, check_types},
};
use crate::{
    access::Access,
    command::{Answer, Ask},
    log::Log,
};

/// Answers that wait to be told to other servers. More than this at a time and whoever asked has to ask again.
const MOST_ANSWERS: usize = 256;

/// Requests that are remembered as answered. A command may be read again after a failover, when others have come after it.
const MOST_REMEMBERED: usize = 1_024;

/// An answer to another server, with the name of its request.
type Told = (Box<str>, Answer);

/// The streams that are open here, and what servers ask each other about streams.
pub struct Connections {
    open: Mutex<HashMap<Box<str>, Arc<Connection>>>,
    /// Our own requests, each with who waits for the answer.
    asked: Mutex<HashMap<Box<str>, oneshot::Sender<Answer>>>,
    answered: Mutex<VecDeque<Box<str>>>,
    answers: mpsc::Sender<Told>,
    /// Taken by the one who tells them.
    untold: Mutex<Option<mpsc::Receiver<Told>>>,
    perhaps_forgotten: Notify,
}

impl Default for Connections {
    fn default() -> Self {
        let (answers, untold) = mpsc::channel(MOST_ANSWERS);
        Self {
            open: Mutex::default(),
            asked: Mutex::default(),
            answered: Mutex::default(),
            answers,
            untold: Mutex::new(Some(untold)),
            perhaps_forgotten: Notify::new(),
        }
    }
}

impl Connections {
    /// The stream of this name, if it is open here.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<Arc<Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// Another server asks something of a stream: does it if that is here, and has the answer told to all.
    pub fn obey(&self, request: &str, id: &str, ask: &Ask, access: &Access, log: &Log) {
        let Some(connection) = self.find(id) else { return };
        {
            let mut answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
            if answered.iter().any(|known| **known == *request) {
                return;
            }
            answered.push_back(request.into());
            if answered.len() > MOST_REMEMBERED {
                answered.pop_front();
            }
        }
        let answer = connection.obey(ask, access, log);
        if self.answers.try_send((request.into(), answer)).is_err() {
            warn!("more is asked of streams here by other servers than can be answered");
        }
    }

    /// Another server has answered a request. If it was ours, who waits is told.
    pub fn answered(&self, request: &str, answer: Answer) {
        let waiting = self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(request);
        // Who has stopped waiting has been told so.
        waiting.map(|waiting| waiting.send(answer));
    }

    /// The database was away. If it crashed it has forgotten all streams, and other servers cannot find ours until it is told of them again.
    pub fn database_is_back(&self) {
        self.perhaps_forgotten.notify_one();
    }

    fn all(&self) -> Vec<Arc<Connection>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).values().map(Arc::clone).collect()
    }
}
