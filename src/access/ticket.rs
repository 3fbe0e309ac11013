//! Tickets: for a browser's own `EventSource`, which cannot send a token but in the URL, where it ends up in the log of whatever is in between.
//!
//! A ticket in such a log is of no use: it has been used. It goes on being good for its stream alone, which comes back to the same URL, and says so by a
//! Last-Event-ID. Tickets are in the database, so any server knows them, and hashed, so that nobody who reads it can use one.

use std::fmt::Write;

use aws_lc_rs::digest::{Digest, SHA256, digest};
use jiff::Timestamp;

use super::token::Identity;
use crate::postgres::{self, Database, tickets};

/// As many as a hash has; nobody guesses that.
const RANDOM_BYTES: usize = 32;

/// A ticket that was just made. The only time that it is to be seen.
pub struct Issued {
    /// What to send.
    pub ticket: Ticket,
    /// When it ends: when the token does.
    pub expires_at: Timestamp,
    /// When it has to have been used for the first time.
    pub first_use_before: Timestamp,
}

/// The text of a ticket: 64 hexadecimal digits. Not to be shown but to its owner, so it has no `Debug`.
pub struct Ticket(String);

impl Ticket {
    /// Reads what a client sent; none, if it cannot be a ticket.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_one =
            text.len() == 2 * RANDOM_BYTES && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        is_one.then(|| Self(text.to_owned()))
    }

    /// What to send.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// One that nobody has.
    fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; RANDOM_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a String does not fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })))
    }

    /// What is stored of it. No salt and no slow hash: there is nothing about it to guess.
    fn hash(&self) -> Digest {
        digest(&SHA256, self.0.as_bytes())
    }
}

/// Why there is no ticket.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Database(#[from] postgres::Error),
    /// The system has no randomness.
    #[error("a ticket could not be made")]
    Impossible,
}

/// Makes a ticket for whoever a token belongs to.
///
/// # Errors
/// When the database fails.
pub async fn issue(database: &Database, identity: &Identity) -> Result<Issued, Error> {
    let ticket = Ticket::random().map_err(|_| Error::Impossible)?;
    let expires_at = identity.expires_at;
    let connection = database.connection().await?;
    let hash = ticket.hash();
    let first_use_before = tickets::issue(&connection, hash.as_ref(), &identity.user_id, expires_at).await?;
    Ok(Issued { ticket, expires_at, first_use_before })
}

/// Uses a ticket: for the first time, or again, if its client comes back. Whom it is for; nobody, if it must not be used so.
///
/// # Errors
/// When the database fails.
pub async fn redeem(
    database: &Database,
    ticket: &Ticket,
    comes_back: bool,
) -> Result<Option<Identity>, postgres::Error> {
    let connection = database.connection().await?;
    let holder = tickets::redeem(&connection, ticket.hash().as_ref(), comes_back).await?;
    Ok(holder.map(|holder| Identity { user_id: holder.user_id.into(), expires_at: holder.expires_at }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_are_texts_of_one_form_and_never_the_same() {
        let tickets = [Ticket::random().unwrap(), Ticket::random().unwrap()];
        assert_ne!(tickets[0].as_str(), tickets[1].as_str());
        assert_ne!(tickets[0].hash().as_ref(), tickets[1].hash().as_ref());
        let text = tickets[0].as_str();
        assert_eq!(Ticket::parse(text).unwrap().hash().as_ref(), tickets[0].hash().as_ref());
        let longer = format!("{text}0");
        for other in ["", &text[1..], &longer, &"A".repeat(64), &"ä".repeat(32), &" ".repeat(64), &"'".repeat(64)] {
            assert!(Ticket::parse(other).is_none(), "{other}");
        }
    }
}
