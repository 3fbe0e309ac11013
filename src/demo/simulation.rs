//! The simulated app's agenda: what happens next, and the step that makes it happen.
//!
//! A discrete-event simulation. Time is a number that jumps from one appointment to the next, so whoever drives it decides how fast it
//! passes: the demo waits in between, a test does not.

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;
use tokio_postgres::{Client, error::SqlState};

use super::{
    Error,
    conversations::{self, Reply, Visit, Visits},
    corpus::Corpus,
    directory::Directory,
    documents::{self, Job},
    model::{self, Model},
    operations,
    trace::{Request, Trace},
};

/// Something that happens in the app.
#[derive(Debug)]
pub(super) enum Task {
    /// A visitor asks.
    Ask(Request),
    /// A chatbot begins to answer.
    BeginReply(Reply),
    /// The answer is complete, or fails.
    FinishReply(Reply, i64),
    /// A visitor leaves.
    Leave(Visit),
    /// Somebody of a team uploads a document.
    Upload,
    /// A document gets a step further.
    Advance(Job),
    /// The scheduled health checks of the app's own parts.
    CheckHealth,
    /// More ask the model than it has room for.
    Overload,
    /// It has room for all again.
    Recover,
    /// Somebody of a team does something in the app.
    Act,
}

/// The app, between two steps.
#[derive(Debug)]
pub struct Simulation {
    pub(super) random: Rng,
    pub(super) corpus: Corpus,
    pub(super) directory: Directory,
    pub(super) trace: Trace,
    pub(super) visits: Visits,
    pub(super) model: Model,
    now: Duration,
    /// By the time that they are due; the number keeps those of one instant in the order in which they were made.
    agenda: BTreeMap<(Duration, u64), Task>,
    appointments: u64,
}

impl Simulation {
    /// Opens the app on its database, as it does after every restart: what was left half done is closed first.
    ///
    /// # Errors
    /// When the database refuses or fails, or holds nothing to simulate.
    pub async fn new(client: &Client, seed: u64, model: Model) -> Result<Self, Error> {
        client.execute(include_str!("../../sql/chatbot/queries/fail_forgotten_replies.sql"), &[]).await?;
        client.execute(include_str!("../../sql/chatbot/queries/end_forgotten_sessions.sql"), &[]).await?;
        client.execute(include_str!("../../sql/chatbot/queries/fail_forgotten_documents.sql"), &[]).await?;
        let mut simulation = Self {
            random: Rng::with_seed(seed),
            corpus: Corpus::embedded()?,
            directory: Directory::load(client).await?,
            trace: Trace::embedded()?,
            visits: Visits::default(),
            model,
            now: Duration::ZERO,
            agenda: BTreeMap::new(),
            appointments: 0,
        };
        let first = simulation.trace.next();
        for task in [Task::Ask(first), Task::Upload, Task::CheckHealth, Task::Act] {
            simulation.schedule(Duration::ZERO, task);
        }
        simulation.model.set_overloaded(false);
        simulation.schedule(model::QUIET, Task::Overload);
        Ok(simulation)
    }

    /// When the next step is due, in the app's own time since it was opened.
    #[must_use]
    pub fn due(&self) -> Duration {
        self.agenda.first_key_value().map_or(self.now, |((due, _), _)| *due)
    }

    /// Makes the next thing happen, at once.
    ///
    /// # Errors
    /// When the database refuses or fails.
    pub async fn step(&mut self, client: &Client) -> Result<(), Error> {
        let Some(((due, _), task)) = self.agenda.pop_first() else { return Ok(()) };
        self.now = due;
        match self.perform(client, task).await {
            // Somebody deleted what the row belongs to, a chatbot perhaps, or a whole organization. The app goes on without.
            Err(Error::Database(error)) if error.code() == Some(&SqlState::FOREIGN_KEY_VIOLATION) => {
                self.directory = Directory::load(client).await?;
                Ok(())
            }
            outcome => outcome,
        }
    }

    // What comes round again schedules its next turn before anything that can fail.
    async fn perform(&mut self, client: &Client, task: Task) -> Result<(), Error> {
        match task {
            Task::Ask(request) => conversations::ask(self, client, request).await,
            Task::BeginReply(reply) => conversations::begin_reply(self, client, reply).await,
            Task::FinishReply(reply, message_id) => conversations::finish_reply(self, client, reply, message_id).await,
            Task::Leave(visit) => conversations::leave(self, client, &visit).await,
            Task::Upload => documents::upload(self, client).await,
            Task::Advance(job) => documents::advance(self, client, job).await,
            Task::CheckHealth => operations::check_health(self, client).await,
            Task::Overload => {
                self.model.set_overloaded(true);
                self.schedule(model::OVERLOAD, Task::Recover);
                Ok(())
            }
            Task::Recover => {
                self.model.set_overloaded(false);
                self.schedule(model::QUIET, Task::Overload);
                Ok(())
            }
            Task::Act => operations::act(self, client).await,
        }
    }

    pub(super) fn schedule(&mut self, delay: Duration, task: Task) {
        self.schedule_at(self.now + delay, task);
    }

    pub(super) fn schedule_at(&mut self, due: Duration, task: Task) {
        self.agenda.insert((due, self.appointments), task);
        self.appointments += 1;
    }

    /// A duration between half and one and a half times the usual one.
    pub(super) fn about(&mut self, usual: Duration) -> Duration {
        usual.mul_f64(0.5 + self.random.f64())
    }
}
