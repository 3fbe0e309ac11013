//! Is there a pooler in transaction mode between us and Postgres?
//!
//! Behind one, nothing that belongs to a session can be relied on: a prepared statement, a setting or an advisory lock stays with whichever of the pooler's own
//! connections it happened to meet, for strangers to stumble over; and LISTEN is accepted, but nothing is ever delivered.

use tokio_postgres::{Client, SimpleQueryMessage};
use tokio_util::task::AbortOnDropHandle;

use super::Target;

/// Who asks, in turn. A pooler that hands out its connections by age answers two who take turns strictly as if each had one of its own.
const TURNS: [usize; 8] = [0, 1, 1, 0, 0, 1, 0, 1];

/// Whether this leads through a pooler in transaction (or statement) mode.
///
/// Asked over two connections at once, which process serves them: without a pooler, or with one in session mode, each has one of its own, and keeps it.
///
/// # Errors
/// When the database cannot be reached.
pub async fn is_pooled(target: &Target) -> Result<bool, tokio_postgres::Error> {
    let (one, one_driver) = target.connect().await?;
    let _one_driver = AbortOnDropHandle::new(tokio::spawn(one_driver));
    let (other, other_driver) = target.connect().await?;
    let _other_driver = AbortOnDropHandle::new(tokio::spawn(other_driver));
    let clients = [one, other];
    let mut backends: [Option<String>; 2] = [None, None];
    for turn in TURNS {
        let backend = backend(&clients[turn]).await?;
        let moved = backends[turn].as_ref().is_some_and(|before| *before != backend);
        if moved || backends[1 - turn].as_ref() == Some(&backend) {
            return Ok(true);
        }
        backends[turn] = Some(backend);
    }
    Ok(false)
}

/// The process that has served this statement. By the simple protocol: everything else may need what is to be found out.
async fn backend(client: &Client) -> Result<String, tokio_postgres::Error> {
    let answer = client.simple_query(include_str!("../../sql/queries/read_backend.sql")).await?;
    let row = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    Ok(row.unwrap_or_default().to_owned())
}
