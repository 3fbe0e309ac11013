//! The example app: its rows become the events of the contract, and it knows nothing of it.

mod app;
mod events;
mod install;

use rowcast::demo::{self, Model, simulation::Simulation};
use tokio_postgres::Client;

use crate::harness::Database;

/// A database with the example app in it.
async fn installed() -> (Database, Client) {
    let db = Database::new().await;
    let mut client = db.connect().await;
    demo::install(&mut client).await.unwrap();
    (db, client)
}

/// Enough for every kind of event to have happened: visitors, documents that failed, slow chatbots.
const STEPS: usize = 1_500;

async fn simulate(client: &Client, seed: u64, steps: usize) {
    let mut simulation = Simulation::new(client, seed, Model::default()).await.unwrap();
    for _ in 0..steps {
        simulation.step(client).await.unwrap();
    }
}
