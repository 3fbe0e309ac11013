//! `rowcast demo`: the example app, its simulated users, and a server for its dashboard, on a private Postgres.

mod plug;
mod producers;

use std::{
    fs::{self, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::warn;

use self::plug::Plugged;
use crate::{
    access::token,
    app::{self, App},
    config::{self, Config, Settings},
    demo::{self, Model},
    postgres::{self, Target},
    private_postgres,
};

/// A demo is looked at for a day; its link ends with it.
const LINK_VALID_FOR: Duration = Duration::from_hours(24);

/// The simulated app comes back this long after its database did not answer.
const APP_RETRY: Duration = Duration::from_secs(2);

/// Who can be signed in as: platform staff, an organization's admin, and a plain member of the same organization.
const USERS: [(&str, &str); 3] = [
    ("user_sam", "platform staff: every organization, nothing hidden"),
    ("user_ada", "admin of Alder & Oak Furniture: all of it, but not the health of the whole platform"),
    ("user_ben", "plain member there: no health, errors or metrics, contents filtered"),
];

/// Run the example app with a private Postgres, and show its dashboard.
#[derive(clap::Args)]
pub(super) struct Demo {
    /// Use this database instead of a private Postgres. The example app gets a schema of its own there.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Option<String>,

    /// Where the private Postgres and the demo's secret are kept.
    #[arg(long, default_value = ".rowcast")]
    directory: PathBuf,

    /// The directory of initdb and postgres; without it the newest on this machine is taken, or one is installed from npm.
    #[arg(long, env = "ROWCAST_POSTGRES_BIN")]
    postgres_bin: Option<PathBuf>,

    /// How fast the app's time passes; 1 is the pace of the recorded trace.
    #[arg(long, default_value_t = demo::Options::default().speed, value_parser = speed)]
    speed: f64,

    /// The same seed makes the same visitors, documents and mishaps.
    #[arg(long, default_value_t = demo::Options::default().seed)]
    seed: u64,

    /// Pull the plug on the private Postgres this often, for 12 s, so that an outage can be watched; or `off`.
    #[arg(long, default_value = "10m", value_parser = outage_every)]
    outage_every: OutageEvery,

    #[command(flatten)]
    settings: Settings,
}

/// How often the database is away, if ever.
#[derive(Clone, Copy)]
struct OutageEvery(Option<Duration>);

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let shutdown = super::shutdown_signal()?;
        if let Some(database_url) = &self.database_url {
            return self.serve(database_url, None, shutdown).await;
        }
        // First, because it is soon done: whether anything can be kept here.
        secret(&self.directory)?;
        let mut postgres = self.start_postgres().await?;
        let url = postgres.url.clone();
        let served = tokio::select! {
            served = self.serve(&url, Some(&url), shutdown.clone()) => served,
            // Nobody but us could bring it back; why it ended is in the error of stopping it.
            ended = postgres.ended(self.outage_every.0) => ended.map_err(anyhow::Error::from),
        };
        shutdown.cancel();
        postgres.stop().await?;
        served
    }

    async fn start_postgres(&self) -> anyhow::Result<Plugged> {
        let options = private_postgres::Options {
            directory: self.directory.clone(),
            embedded: self.directory.join("embedded"),
            binaries: self.postgres_bin.clone(),
            throwaway: false,
            settings: Vec::new(),
        };
        Ok(Plugged::start(options).await?)
    }

    /// `psql`: the address to print; none for a database that was given, since it may hold a password.
    async fn serve(&self, database_url: &str, psql: Option<&str>, shutdown: CancellationToken) -> anyhow::Result<()> {
        app::migrate_at(database_url).await?;
        install(database_url).await?;
        let jwt_secret = secret(&self.directory)?;
        let model = Model::default();
        let answers = model.clone().serve(shutdown.clone()).await.context("the demo's language model cannot listen")?;
        let mut settings = self.settings.clone();
        settings.producers = producers::all_on(settings.producers, answers);
        let config = Config {
            database_url: database_url.to_owned(),
            jwt_secret: Some(jwt_secret.clone()),
            jwks_url: None,
            settings,
        };
        let app = App::start(config, shutdown.clone()).await?;
        let options = demo::Options { speed: self.speed, seed: self.seed, model };
        let tasks = TaskTracker::new();
        tasks.spawn(simulate(database_url.to_owned(), options, shutdown));
        tasks.close();
        self.welcome(&app, &jwt_secret, psql)?;
        let served = app.run().await;
        tasks.wait().await;
        Ok(served?)
    }

    #[expect(clippy::print_stdout, reason = "what the demo is started for")]
    fn welcome(&self, app: &App, jwt_secret: &str, psql: Option<&str>) -> anyhow::Result<()> {
        println!("listening on {}\n", app.url());
        println!("The dashboard, signed in as");
        for (user, who) in USERS {
            let (issuer, audience) =
                (self.settings.tokens.jwt_issuer.as_deref(), self.settings.tokens.jwt_audience.as_deref());
            let token = token::sign_as(jwt_secret, user, LINK_VALID_FOR, issuer, audience)?;
            println!("\n  {who}:\n  {}/#token={token}", app.url());
        }
        if let Some(url) = psql {
            println!(
                "\nThe outbox:\n\n  psql '{url}' -c 'SELECT id, event_type, operation, source, source_key FROM rowcast.outbox ORDER BY id DESC LIMIT 10'"
            );
        }
        if let (Some(_), OutageEvery(Some(interval))) = (psql, self.outage_every) {
            println!(
                "\nEvery {} s the demo pulls the plug on its own Postgres for a moment; --outage-every off leaves it in.",
                interval.as_secs()
            );
        }
        println!("\nCtrl-C stops everything; the data stays for the next time.");
        Ok(())
    }
}

async fn install(database_url: &str) -> anyhow::Result<()> {
    let (mut client, connection) = Target::parse(database_url)?.connect().await.map_err(postgres::Error::from)?;
    let driver = tokio::spawn(connection);
    let installed = demo::install(&mut client).await;
    drop(client);
    driver.await??;
    installed.context("the example app could not be installed")
}

/// Runs the app until shutdown. When its database is away it does what apps do: it comes back.
async fn simulate(database_url: String, options: demo::Options, shutdown: CancellationToken) {
    while let Err(error) = demo::run(&database_url, options.clone(), shutdown.clone()).await {
        warn!(error = format!("{:#}", anyhow::Error::from(error)), "the simulated app stopped; it starts again");
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(APP_RETRY) => {}
        }
    }
}

/// The demo's secret: made once, so that a signed-in browser still is after a restart.
fn secret(directory: &Path) -> anyhow::Result<String> {
    let path = directory.join("jwt-secret");
    match fs::read_to_string(&path) {
        Ok(secret) => return Ok(secret),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
    let unwritable = || format!("nothing can be kept in {}; --directory takes another place", directory.display());
    fs::create_dir_all(directory).with_context(unwritable)?;
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random)?;
    let secret = random.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).with_context(unwritable)?;
    file.write_all(secret.as_bytes())?;
    Ok(secret)
}

fn outage_every(text: &str) -> Result<OutageEvery, String> {
    if text == "off" {
        return Ok(OutageEvery(None));
    }
    config::duration(text).map(|interval| OutageEvery(Some(interval)))
}

fn speed(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|speed: &f64| speed.is_finite() && *speed > 0.0)
        .ok_or_else(|| "must be a number above 0".to_owned())
}
