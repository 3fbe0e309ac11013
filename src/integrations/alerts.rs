//! Alerts: has the database judge new figures by `rowcast.alert_rules`, again and again.
//!
//! Every server does so. That only one does it at a time, and that each alert fires and is resolved once, is seen to in the database
//! (`sql/functions/70_evaluate_alerts.sql`): whoever comes while another is at it goes away, so nobody has to take over from anybody.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::postgres::{self, Database, alerts};

/// Evaluates every `interval` until `shutdown`, and at once again while there is more to read. What goes wrong is tried again at the next turn.
pub async fn run(database: Database, interval: Duration, shutdown: CancellationToken) {
    let mut failing = false;
    loop {
        // Jittered, so that servers that were started together do not come together for ever.
        let pause = interval.mul_f64(0.75 + fastrand::f64() / 2.0);
        if shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
            return;
        }
        let Some(evaluated) = shutdown.run_until_cancelled(evaluate_all(&database)).await else { return };
        match evaluated {
            Ok(()) => failing = false,
            Err(error) if std::mem::replace(&mut failing, true) => {
                debug!(%error, "alerts could still not be evaluated");
            }
            Err(error) => warn!(%error, "alerts could not be evaluated; trying again all the time"),
        }
    }
}

async fn evaluate_all(database: &Database) -> Result<(), postgres::Error> {
    let connection = database.connection().await?;
    while alerts::evaluate(&connection).await? {}
    Ok(())
}
