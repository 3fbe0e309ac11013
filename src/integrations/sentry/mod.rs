//! Sentry's webhooks: whether they are Sentry's, and what they say. Pure; what is done with it is in `src/http/sentry.rs`.
//!
//! The format is that of Sentry's integration platform. Its signature covers the body and nothing else, so a header is believed only where it makes us do less: a time
//! in one may refuse a webhook, and the resource only says where in the body to look.

mod report;
mod stack;
mod webhook;

use aws_lc_rs::{digest, hmac};
use jiff::{SignedDuration, Timestamp};

pub use self::report::Report;

/// How far the clocks of Sentry and this server may be apart, the way of a webhook included.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// For how long a body that says when it was made is of use; `rowcast.dated_for()` is the same. The digest of a body is remembered for longer than that, so nobody can
/// bring it again when it has been forgotten.
const DATED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Resources that are Sentry's, and nothing to us: they tell of no error, or of one that another webhook tells better.
const OF_NO_INTEREST: [&str; 7] =
    ["installation", "comment", "metric_alert", "activity_alert", "seer", "preprod_artifact", "sentry_app"];

/// Reads what Sentry sends to one integration.
pub struct Inbox {
    key: hmac::Key,
    tags: Tags,
}

/// Which tags of an event say whose it is.
#[derive(Clone, Debug)]
pub struct Tags {
    /// The organization.
    pub organization: Box<str>,
    /// The chatbot.
    pub chatbot: Box<str>,
}

/// A webhook as it came.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// `Sentry-Hook-Resource`: what it is about.
    pub resource: Option<&'a str>,
    /// `Sentry-Hook-Signature`: HMAC-SHA256 of the body, in hexadecimal.
    pub signature: Option<&'a str>,
    /// `Sentry-Hook-Timestamp`: when it was sent, in seconds of Unix time.
    pub timestamp: Option<&'a str>,
    /// The bytes that are signed.
    pub body: &'a [u8],
}

/// What a webhook says.
#[derive(Debug)]
pub enum Message {
    /// Something of an error.
    Report(Box<Report>),
    /// Something that we know, and do nothing with.
    OfNoInterest,
    /// Something that we do not know. Sentry may have learned it since.
    Unknown,
}

/// Why a webhook is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Sentry has not signed it, or somebody has changed it.
    #[error("the webhook is not signed with this integration's client secret")]
    Unsigned,
    /// It is too old, or from the future.
    #[error("the webhook is older than it may be, or the clocks differ")]
    Stale,
    /// It is signed, and not what it says it is.
    #[error("the webhook is not of the form that Sentry documents")]
    Malformed,
    /// Its event is of a version that we do not know.
    #[error("the event in the webhook is not of version 7 of Sentry's protocol")]
    Version,
}

impl Inbox {
    /// For an integration with this client secret.
    #[must_use]
    pub fn new(client_secret: &str, tags: Tags) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, client_secret.as_bytes()), tags }
    }

    /// Reads a webhook. Nothing of it is looked at before its signature.
    ///
    /// # Errors
    /// When it is not from Sentry, not of now, or not what Sentry documents.
    pub fn read(&self, delivery: Delivery<'_>, now: Timestamp) -> Result<Message, Refused> {
        let signature = delivery.signature.and_then(bytes).ok_or(Refused::Unsigned)?;
        // Takes the same time wherever the two differ.
        hmac::verify(&self.key, delivery.body, &signature).map_err(|_| Refused::Unsigned)?;
        let sent = delivery.timestamp.and_then(|text| text.parse().ok()).ok_or(Refused::Malformed)?;
        let sent = Timestamp::from_second(sent).map_err(|_| Refused::Malformed)?;
        if now.duration_since(sent).abs() > SKEW {
            return Err(Refused::Stale);
        }
        let report = match delivery.resource.ok_or(Refused::Malformed)? {
            "issue" => Report::of_issue(webhook::read(delivery.body)?, sent),
            "event_alert" => {
                let alert: webhook::EventAlert = webhook::read(delivery.body)?;
                Report::of_event(&alert.data.event, sent, &self.tags).map(Some)
            }
            "error" => {
                let created: webhook::ErrorCreated = webhook::read(delivery.body)?;
                Report::of_event(&created.data.error, sent, &self.tags).map(Some)
            }
            known if OF_NO_INTEREST.contains(&known) => return Ok(Message::OfNoInterest),
            _ => return Ok(Message::Unknown),
        }?;
        let Some(report) = report else { return Ok(Message::OfNoInterest) };
        // Whatever it is of, it has happened.
        if report.last_seen > now + SKEW || report.made_at().is_some_and(|made| made < now - DATED_FOR) {
            return Err(Refused::Stale);
        }
        Ok(Message::Report(Box::new(report)))
    }
}

/// What a body is remembered by.
#[must_use]
pub fn digest(body: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, body).as_ref());
    bytes
}

/// The bytes that hexadecimal digits stand for.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|pair| match *pair {
        [high, low] => Some((char::from(high).to_digit(16)? << 4) | char::from(low).to_digit(16)?),
        _ => None,
    });
    digits.map(|digit| u8::try_from(digit?).ok()).collect()
}

#[cfg(test)]
mod tests;
