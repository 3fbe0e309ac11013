//! One connection out of the pool. Whoever asks it something gets an answer, or an error, within a bounded time, and nobody gets it while it still owes one.
//!
//! Postgres' own `statement_timeout` is no help where Postgres cannot be heard: a host that has gone, a firewall that has forgotten the connection, a pooler whose server is stuck.

use std::{
    pin::{Pin, pin},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use deadpool_postgres::{ClientWrapper, Object};
use futures_util::{FutureExt, TryStreamExt};
use tokio::time::timeout;
use tokio_postgres::{Row, RowStream, Statement, types::Type};

use super::{Error, Parameter, pool::PATIENCE, target::Connector};

/// How long an answer may take: a little longer than Postgres lets a statement of ours run (`prepare_session.sql`), so that it can say why.
const ANSWER: Duration = Duration::from_secs(35);

/// What a statement is given that takes nothing.
const NO_PARAMETERS: [(&str, Type); 0] = [];

/// A connection out of the pool, to which it goes back when dropped.
pub struct Connection {
    /// Only gone when dropped.
    client: Option<Object>,
    /// For asking it to stop.
    tls: Connector,
    /// Behind a pooler in transaction mode the next statement may meet another Postgres session, so nothing can be prepared for it.
    pooled: bool,
    /// Questions without an answer. One that was given up counts for ever.
    outstanding: AtomicUsize,
}

impl Connection {
    pub(super) fn new(client: Object, tls: Connector, pooled: bool) -> Self {
        Self { client: Some(client), tls, pooled, outstanding: AtomicUsize::new(0) }
    }

    /// Runs a statement; all its rows.
    ///
    /// # Errors
    /// When the database fails, or does not answer.
    pub async fn query(&self, sql: &str, parameters: &[&dyn Parameter]) -> Result<Vec<Row>, Error> {
        let mut rows = self.query_raw(sql, parameters).await?;
        self.answer(async {
            let mut all = Vec::new();
            while let Some(row) = rows.stream.try_next().await? {
                all.push(row);
            }
            Ok(all)
        })
        .await
    }

    /// Runs a statement that returns one row.
    ///
    /// # Errors
    /// When the database fails, or does not answer, or there is no row.
    pub async fn query_one(&self, sql: &str, parameters: &[&dyn Parameter]) -> Result<Row, Error> {
        self.query(sql, parameters).await?.pop().ok_or(Error::NoRow)
    }

    /// Runs a statement whose rows matter to nobody.
    ///
    /// # Errors
    /// When the database fails, or does not answer.
    pub async fn execute(&self, sql: &str, parameters: &[&dyn Parameter]) -> Result<(), Error> {
        self.query(sql, parameters).await.map(|_| ())
    }

    /// Runs a statement; its rows as they come. Those that nobody waits for any more are thrown away.
    ///
    /// # Errors
    /// When the database fails, or does not answer.
    pub async fn query_raw(&self, sql: &str, parameters: &[&dyn Parameter]) -> Result<Rows<'_>, Error> {
        let values = parameters.iter().map(|parameter| parameter.value());
        let types = parameters.iter().map(|parameter| parameter.kind());
        let stream = self
            .answer(async {
                if self.pooled {
                    self.client().query_typed_raw(sql, values.zip(types)).await
                } else {
                    let types: Vec<Type> = types.collect();
                    let statement: Statement = self.client().prepare_typed_cached(sql, &types).await?;
                    self.client().query_raw(&statement, values).await
                }
            })
            .await?;
        Ok(Rows { connection: self, stream: Box::pin(stream) })
    }

    /// Runs a statement in a transaction that begins with `settings`, for as long as `patience`; all its rows.
    ///
    /// # Errors
    /// When the database fails, or does not answer.
    pub async fn query_within(
        &mut self,
        patience: Duration,
        settings: &str,
        sql: &str,
        parameters: &[&dyn Parameter],
    ) -> Result<Vec<Row>, Error> {
        let parameters: Vec<_> = parameters.iter().map(|parameter| (parameter.value(), parameter.kind())).collect();
        let Self { client, outstanding, .. } = self;
        let client = client.as_mut().ok_or(Error::Closed)?;
        answer(outstanding, patience, async {
            let transaction = client.transaction().await?;
            transaction.batch_execute(settings).await?;
            let rows = transaction.query_typed(sql, &parameters).await?;
            transaction.commit().await?;
            Ok(rows)
        })
        .await
    }

    /// Runs somebody else's statement in a transaction that begins with `settings` and is rolled back, for as long as `patience`; how many rows it returned, none of which is kept, and how
    /// long it took.
    ///
    /// # Errors
    /// When the database fails, or does not answer.
    pub(super) async fn time_within(
        &mut self,
        patience: Duration,
        settings: &str,
        sql: &str,
    ) -> Result<(u64, Duration), Error> {
        let Self { client, outstanding, .. } = self;
        let client = client.as_mut().ok_or(Error::Closed)?;
        answer(outstanding, patience, async {
            let transaction = client.transaction().await?;
            transaction.batch_execute(settings).await?;
            let started = Instant::now();
            let mut rows = pin!(transaction.query_typed_raw(sql, NO_PARAMETERS).await?);
            let mut count = 0;
            while rows.try_next().await?.is_some() {
                count += 1;
            }
            let took = started.elapsed();
            transaction.rollback().await?;
            Ok((count, took))
        })
        .await
    }

    /// Whether a pooler in transaction mode is in between.
    #[must_use]
    pub fn is_pooled(&self) -> bool {
        self.pooled
    }

    /// Closes it: it does not go back to the pool.
    pub fn close(mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }

    async fn answer<T>(&self, question: impl Future<Output = Result<T, tokio_postgres::Error>>) -> Result<T, Error> {
        answer(&self.outstanding, ANSWER, question).await
    }

    fn client(&self) -> &ClientWrapper {
        self.client.as_ref().expect("a connection has its client until it is dropped")
    }
}

async fn answer<T>(
    outstanding: &AtomicUsize,
    patience: Duration,
    question: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, Error> {
    outstanding.fetch_add(1, Ordering::Relaxed);
    let answer = timeout(patience, question).await.map_err(|_| Error::Silent(patience))?;
    outstanding.fetch_sub(1, Ordering::Relaxed);
    Ok(answer?)
}

impl Drop for Connection {
    /// A connection that owes an answer is closed, and what it was asked for is cancelled: it might go on for as long as it likes otherwise.
    fn drop(&mut self) {
        if *self.outstanding.get_mut() == 0 {
            return;
        }
        let Some(client) = self.client.take() else { return };
        let cancel = client.cancel_token();
        drop(Object::take(client));
        // A pooler closes its own connection when it sees ours closed. It must not be asked to cancel: PgBouncer 1.18 dies when who asked does not wait.
        if !self.pooled
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // If this does not get through either, Postgres finds out by itself that nobody listens.
            let tls = self.tls.clone();
            runtime.spawn(async move { timeout(PATIENCE, cancel.cancel_query(tls)).await });
        }
    }
}

/// The rows of a statement, as they come.
pub struct Rows<'a> {
    connection: &'a Connection,
    stream: Pin<Box<RowStream>>,
}

impl Rows<'_> {
    /// The next one.
    ///
    /// # Errors
    /// When the database fails, or does not go on.
    pub async fn try_next(&mut self) -> Result<Option<Row>, Error> {
        // Most have come with the one before: no time has to be taken for those.
        match self.stream.try_next().now_or_never() {
            Some(row) => Ok(row?),
            None => self.connection.answer(self.stream.try_next()).await,
        }
    }
}
