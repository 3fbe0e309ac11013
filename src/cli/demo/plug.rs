//! The demo's Postgres, and its plug, which is pulled now and then so that an outage can be watched.

use std::time::Duration;

use crate::private_postgres::{self, PrivatePostgres};

/// How long it stays out: a health check or two notice, and nobody looking on gets bored.
const OUTAGE: Duration = Duration::from_secs(12);

/// A private Postgres that may be away for a moment.
pub(super) struct Plugged {
    /// Its address as the superuser, which stays the same.
    pub(super) url: String,
    options: private_postgres::Options,
    /// None while the plug is out.
    running: Option<PrivatePostgres>,
}

impl Plugged {
    /// Starts it.
    pub(super) async fn start(options: private_postgres::Options) -> Result<Self, private_postgres::Error> {
        let postgres = PrivatePostgres::start(options.clone()).await?;
        Ok(Self { url: postgres.url("postgres"), options, running: Some(postgres) })
    }

    /// Returns when it has ended by itself. Until then the plug is pulled so often, if at all, each time for a moment.
    pub(super) async fn ended(&mut self, pulled_every: Option<Duration>) -> Result<(), private_postgres::Error> {
        while let Some(postgres) = &mut self.running {
            let pulled = async {
                match pulled_every {
                    Some(interval) => tokio::time::sleep(interval).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = postgres.ended() => return Ok(()),
                () = pulled => self.pull().await?,
            }
        }
        Ok(())
    }

    async fn pull(&mut self) -> Result<(), private_postgres::Error> {
        tracing::warn!(
            seconds = OUTAGE.as_secs(),
            "the demo pulls the plug on its own Postgres for a moment: look at the dashboard; --outage-every off leaves it in"
        );
        if let Some(postgres) = self.running.take() {
            postgres.stop().await?;
        }
        tokio::time::sleep(OUTAGE).await;
        self.running = Some(PrivatePostgres::start(self.options.clone()).await?);
        Ok(())
    }

    /// Shuts it down, if it is not down anyway.
    pub(super) async fn stop(self) -> Result<(), private_postgres::Error> {
        match self.running {
            Some(postgres) => postgres.stop().await,
            None => Ok(()),
        }
    }
}
