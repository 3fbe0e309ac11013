//! Keeps house, now and then: partitions ahead of the ids, an end to history, triggers for new partitions of attached tables.
//!
//! Every server does so. What is done, and that only one does it at a time, is decided in the database (`sql/functions/78_maintain.sql`),
//! so that cron can take part, or do it all.

use std::{sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::{
    metrics::Metrics,
    postgres::{
        self, Database,
        maintenance::{self, Step},
    },
};

/// Soon after the start, but not while everybody is coming back.
const FIRST: Duration = Duration::from_secs(3);

/// A partition lasts for minutes even where a thousand events are written every second, and there is one more ahead at least.
const INTERVAL: Duration = Duration::from_mins(5);

/// What was put off is tried again sooner: whoever was in the way has probably gone.
const RETRY: Duration = Duration::from_mins(1);

/// One call ends where it would keep others waiting, so that a run is many of them. It need not finish all that there is to do.
const CALLS: usize = 100;

/// A DBA should look when steps were put off in this many runs, one after the other.
const POSTPONED_TOO_OFTEN: u32 = 10;

/// Keeps house until `shutdown`. `retention` is what the database is told to keep; none leaves what it is set to.
pub async fn run(database: Database, retention: Option<String>, metrics: Arc<Metrics>, shutdown: CancellationToken) {
    let mut wait = FIRST;
    let mut postponed_runs = 0;
    let mut failing = false;
    loop {
        // Jittered, so that servers that were started together do not come together for ever.
        let jittered = wait.mul_f64(0.5 + fastrand::f64());
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(jittered) => {}
        }
        // A connection that owes an answer cancels what it was asked for when it is dropped.
        let kept = shutdown.run_until_cancelled(keep_house(&database, retention.as_deref(), &metrics));
        let Some(kept) = kept.await else { return };
        match kept {
            Ok(postponed) => {
                failing = false;
                postponed_runs = if postponed.is_empty() { 0 } else { postponed_runs + 1 };
                wait = if postponed.is_empty() { INTERVAL } else { RETRY };
                if postponed_runs >= POSTPONED_TOO_OFTEN {
                    for step in postponed {
                        warn!(
                            partition = step.partition,
                            runs = postponed_runs,
                            "put off again and again: {}",
                            step.detail
                        );
                    }
                }
            }
            Err(error) => {
                wait = RETRY;
                if std::mem::replace(&mut failing, true) {
                    debug!(%error, "the outbox could still not be maintained");
                } else {
                    warn!(%error, "the outbox could not be maintained; trying again every minute");
                }
            }
        }
    }
}

/// Does what there is to do; returns what was put off.
async fn keep_house(
    database: &Database,
    retention: Option<&str>,
    metrics: &Metrics,
) -> Result<Vec<Step>, postgres::Error> {
    let mut connection = database.connection().await?;
    let mut postponed = Vec::new();
    for _ in 0..CALLS {
        let steps = maintenance::maintain(&mut connection, retention).await?;
        steps.iter().for_each(tell);
        let goes_on = steps.iter().any(|step| !matches!(&*step.action, "postponed" | "skipped"));
        postponed = steps.into_iter().filter(|step| step.action == "postponed").collect();
        if !goes_on {
            break;
        }
    }
    // Whoever does it, every server tells how long ago it was.
    if let Some(age) = maintenance::read_age(&connection).await? {
        metrics.maintenance_age_seconds.mark_ago(age);
    }
    for refreshed in maintenance::refresh_attachments(&mut connection).await? {
        debug!(source = refreshed.source, outcome = refreshed.outcome, "an attached table has changed");
    }
    Ok(postponed)
}

fn tell(step: &Step) {
    let Step { action, partition, detail } = step;
    match &**action {
        "limited" | "adopted" => warn!(partition, "no partition had been made in time: {action}: {detail}"),
        "postponed" | "skipped" => debug!(partition, "{action}: {detail}"),
        _ => info!(partition, "{action}: {detail}"),
    }
}
