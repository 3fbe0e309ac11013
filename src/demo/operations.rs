//! The app's housekeeping: health checks, and what its signed-in users do.

use std::time::Duration;

use serde_json::json;
use tokio_postgres::Client;

use super::{
    Error, log,
    simulation::{Simulation, Task},
};

/// Between two health checks.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// Between two things that signed-in users do.
const ACT_EVERY: Duration = Duration::from_millis(1_500);

pub(super) async fn check_health(app: &mut Simulation, client: &Client) -> Result<(), Error> {
    app.schedule(CHECK_EVERY, Task::CheckHealth);
    client.execute(include_str!("../../sql/chatbot/queries/check_health.sql"), &[]).await?;
    Ok(())
}

pub(super) async fn act(app: &mut Simulation, client: &Client) -> Result<(), Error> {
    let next = app.about(ACT_EVERY);
    app.schedule(next, Task::Act);

    let colleague = app.directory.any_colleague(&mut app.random).clone();
    client.execute(include_str!("../../sql/chatbot/queries/touch_user.sql"), &[&colleague.user]).await?;
    let Some(action) = app.random.choice(&app.corpus.actions) else { return Ok(()) };
    let entry = log::Entry {
        kind: "activity",
        organization_id: Some(&colleague.organization),
        user_id: Some(&colleague.user),
        severity: "info",
        name: action,
        message: action,
        details: json!({ "productId": colleague.product }),
        ..log::Entry::default()
    };
    entry.write(client).await
}
