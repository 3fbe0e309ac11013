//! Vector search in the database itself: a query of the adopter's, which has to return something.

use std::time::{Duration, Instant};

use super::{
    Measured,
    figure::{Figure, Reading},
    milliseconds,
};
use crate::postgres::{
    Database,
    health::{plain_reason, search},
};

/// Runs it.
pub struct Probe {
    database: Database,
    query: String,
    figure: Figure,
    patience: Duration,
}

impl Probe {
    /// One that gives up after `patience`.
    #[must_use]
    pub fn new(database: Database, query: String, figure: Figure, patience: Duration) -> Self {
        Self { database, query, figure, patience }
    }

    /// What it measures.
    #[must_use]
    pub fn figure(&self) -> Figure {
        self.figure
    }

    /// Measures the query alone: the way to the database is the database's.
    pub async fn measure(&self) -> Measured {
        let started = Instant::now();
        let found = async {
            let mut connection = self.database.connection().await?;
            search(&mut connection, self.patience, &self.query).await
        };
        let why = match found.await {
            Ok((1.., took)) => return (self.figure, Reading::Value(milliseconds(took))),
            Ok((0, _)) => "the query returned nothing".to_owned(),
            Err(error) => plain_reason(&error),
        };
        (self.figure, Reading::Failed { after: milliseconds(started.elapsed()), why })
    }
}
