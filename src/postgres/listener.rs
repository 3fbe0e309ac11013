//! The doorbell, as the server hears it: one connection that does nothing but LISTEN.
//!
//! A notification is only a hint that there is something to read; what there is, the tailer asks the outbox. So each (re)connect counts as a
//! notification: some may have been missed meanwhile.

use std::{future::poll_fn, pin::pin, sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Config, NoTls};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{Connection, Error};

/// Waits between attempts to connect double from the first to the last of these, each with up to half of it at random on top,
/// so that many servers do not come back in step.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Rings `bell` whenever a writer may have committed. Ends only with `shutdown`.
pub async fn listen(config: Config, bell: Arc<Notify>, shutdown: CancellationToken) {
    let mut wait = BACK_OFF.0;
    while !shutdown.is_cancelled() {
        let listening = tokio::select! {
            () = shutdown.cancelled() => return,
            ended = listen_once(&config, &bell, &mut wait) => ended,
        };
        if let Err(error) = listening {
            warn!(%error, "the listening connection was lost; polling until it is back");
        }
        let jitter = wait.mul_f64(fastrand::f64() / 2.0);
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(wait + jitter) => wait = (wait * 2).min(BACK_OFF.1),
        }
    }
}

async fn listen_once(config: &Config, bell: &Notify, wait: &mut Duration) -> Result<(), Error> {
    let (client, mut connection) = config.connect(NoTls).await?;
    // The connection has to be driven by hand: awaiting it would throw the notifications away.
    let mut messages = pin!(async {
        loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(_))) => bell.notify_one(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Error::from(error)),
                None => return Ok(()),
            }
        }
    });
    tokio::select! {
        ended = &mut messages => return ended,
        listening = client.batch_execute(include_str!("../../sql/queries/listen.sql")) => listening?,
    }
    info!("listening for notifications");
    *wait = BACK_OFF.0;
    bell.notify_one();
    messages.await
}

/// Whether writers ring at all.
///
/// # Errors
/// When the database fails.
pub async fn read_doorbell(connection: &Connection) -> Result<bool, Error> {
    let row = connection.query_one(include_str!("../../sql/queries/read_doorbell.sql"), &[]).await?;
    Ok(row.try_get("rings")?)
}
