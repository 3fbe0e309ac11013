//! From the queue into the database: a batch at a time, again and again until it is there, since whatever was written already is not written twice.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::json;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::{Activity, Happening, allowance::Allowance, half};
use crate::postgres::{
    self,
    activity::{self, Gone, Told},
};

/// How long others get to happen before what has happened is written in one go.
const GATHERING: Duration = Duration::from_millis(50);

/// Happenings in one statement.
const BATCH: usize = 256;

/// How often sums are told.
const SUMS: Duration = Duration::from_secs(5);

/// How often is looked for streams whose servers have died, and what others could not tell.
const LOOKING: Duration = Duration::from_secs(5);

/// How long what could not be done at once waits: because the database failed, or so many rows were enough for now.
const SOON: Duration = Duration::from_secs(1);

/// How long the last words may take. Other servers tell of the streams whose end was not written.
const FAREWELL: Duration = Duration::from_secs(2);

/// What one task writes.
struct Writer<'a> {
    activity: &'a Activity,
    told: Vec<Told>,
    gone: Vec<Gone>,
    departures: Allowance,
    sums_at: Instant,
    look_at: Instant,
    /// For the names of sums.
    sums: u64,
    is_failing: bool,
}

impl Activity {
    /// Writes what happens until `end`, and then what has happened until then.
    pub async fn keep(self: Arc<Self>, end: CancellationToken) {
        let now = Instant::now();
        let mut writer = Writer {
            activity: &self,
            told: Vec::new(),
            gone: Vec::new(),
            departures: Allowance::new(half(self.per_second), now),
            sums_at: now + SUMS,
            look_at: now,
            sums: 0,
            is_failing: false,
        };
        end.run_until_cancelled(writer.keep()).await;
        writer.sums_at = Instant::now();
        if timeout(FAREWELL, writer.write_all()).await.is_err() {
            debug!("the last of what users did was not written");
        }
    }
}

impl Writer<'_> {
    async fn keep(&mut self) {
        loop {
            let next = if self.is_failing { self.look_at } else { self.sums_at.min(self.look_at) };
            tokio::select! {
                () = self.activity.something_happened.notified(), if !self.is_failing => tokio::time::sleep(GATHERING).await,
                () = tokio::time::sleep_until(next) => {}
            }
            self.write_all().await;
        }
    }

    /// Writes what there is, as far as it is the turn of it.
    async fn write_all(&mut self) {
        while self.take_batch() {
            if !self.note(self.write_batch().await) {
                return;
            }
            self.told.clear();
            self.gone.clear();
            // Who has gone is to be told of soon, not at the next look.
            self.look_at = self.look_at.min(Instant::now());
        }
        if Instant::now() >= self.look_at {
            let outcome = self.write_departures().await;
            self.note(outcome);
        }
    }

    /// Whether there is anything to write. What could not be written before comes first.
    fn take_batch(&mut self) -> bool {
        if self.told.is_empty() && self.gone.is_empty() {
            let mut untold = self.activity.untold.lock().unwrap_or_else(PoisonError::into_inner);
            let most = untold.happenings.len().min(BATCH);
            for happening in untold.happenings.drain(..most) {
                match happening {
                    Happening::Told(told) => self.told.push(told),
                    Happening::Gone(gone) => self.gone.push(gone),
                }
            }
            if Instant::now() >= self.sums_at {
                self.sums_at = Instant::now() + SUMS;
                let sums = untold.sums.take(usize::try_from(self.activity.per_second).unwrap_or(usize::MAX));
                for ((action, organization_id), others) in sums {
                    self.sums += 1;
                    self.told.push(Told {
                        id: format!("{}-{}", self.activity.server, self.sums).into(),
                        at: Timestamp::now(),
                        action,
                        organization_id,
                        user_id: None,
                        session_id: None,
                        metadata: json!({"sampled": true, "others": others}),
                    });
                }
            }
        }
        !self.told.is_empty() || !self.gone.is_empty()
    }

    async fn write_batch(&self) -> Result<(), postgres::Error> {
        let connection = self.activity.database.connection().await?;
        activity::tell(&connection, &self.activity.server, &self.told, &self.gone).await?;
        self.activity.metrics.activity_told.inc_by(self.told.len() as u64);
        Ok(())
    }

    async fn write_departures(&mut self) -> Result<(), postgres::Error> {
        let most = self.departures.left(Instant::now());
        let connection = self.activity.database.connection().await?;
        let told = activity::tell_departures(&connection, most).await?;
        self.activity.metrics.activity_told.inc_by(told.into());
        self.departures.take(told as usize, Instant::now());
        self.look_at = Instant::now() + if told == most { SOON } else { LOOKING };
        Ok(())
    }

    /// Whether it went well.
    fn note(&mut self, outcome: Result<(), postgres::Error>) -> bool {
        match outcome {
            Ok(()) => self.is_failing = false,
            Err(error) => {
                if !std::mem::replace(&mut self.is_failing, true) {
                    warn!(%error, "what users do cannot be told; trying again");
                }
                self.look_at = Instant::now() + SOON;
            }
        }
        !self.is_failing
    }
}
