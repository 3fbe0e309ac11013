//! What a DBA, or one server, tells all servers: rows of `rowcast.commands`, each written by a function of its own.
//!
//! To add one: a variant here, what it does in `Tailer::obey`, and a function in `sql/functions` that calls `rowcast.tell_servers`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One command.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "command", content = "arguments", rename_all = "snake_case")]
pub enum Command {
    /// End the streams of a user: `rowcast.disconnect`.
    Disconnect {
        /// As in the token's `sub`.
        user_id: Box<str>,
    },
    /// Forget what events say of a row: `rowcast.erase`.
    Erase {
        /// As in `rowcast.outbox`.
        source: Box<str>,
        /// As in `rowcast.outbox`.
        source_key: Box<str>,
    },
    /// Whoever has this stream is to do something with it, and to tell all what came of it.
    Ask {
        /// Names the request in its answer.
        request: Box<str>,
        /// The stream.
        connection: Box<str>,
        /// What.
        ask: Ask,
    },
    /// What came of a request.
    Answer {
        /// The request.
        request: Box<str>,
        /// The answer.
        answer: Answer,
    },
}

/// What the user of a stream may ask of it while it is open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Ask {
    /// Send events of these types too: those that had not committed when it was asked for, and with `since` those that this cursor lacks.
    Subscribe {
        /// The types.
        types: BTreeSet<Box<str>>,
        /// What had committed, as a cursor.
        committed: Box<str>,
        /// A cursor.
        since: Option<Box<str>>,
    },
    /// Send no more events of these types.
    Unsubscribe {
        /// The types.
        types: BTreeSet<Box<str>>,
    },
    /// Stay open until then: the user has shown a new token.
    Renew {
        /// When that token expires.
        expires_at: Timestamp,
    },
}

/// What came of it.
pub type Answer = Result<Done, Refusal>;

/// It is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The types that are sent on the stream now; sorted.
    pub event_types: Vec<Box<str>>,
    /// When the stream ends with its token.
    pub expires_at: Timestamp,
}

/// Why it was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no type of such a name.
    UnknownType,
    /// The user may see no events of one of the types in any organization of the stream.
    Forbidden,
}

impl Command {
    /// The command in this JSON, `{"command": …, "arguments": …}`.
    ///
    /// # Errors
    /// When it is none that we know: then a newer rowcast speaks to its like.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_read_as_the_functions_write_it() {
        let disconnect = r#"{"command": "disconnect", "arguments": {"user_id": "ann"}}"#;
        assert_eq!(Command::parse(disconnect).unwrap(), Command::Disconnect { user_id: "ann".into() });
        let erase = r#"{"command": "erase", "arguments": {"source": "public.docs", "source_key": "7"}}"#;
        let expected = Command::Erase { source: "public.docs".into(), source_key: "7".into() };
        assert_eq!(Command::parse(erase).unwrap(), expected);
    }

    #[test]
    fn what_servers_ask_each_other_comes_back_as_it_was_written() {
        let types: BTreeSet<Box<str>> = ["system_health".into()].into();
        let expires_at = "2026-11-26T12:00:00Z".parse().unwrap();
        for ask in [
            Ask::Subscribe { types: types.clone(), committed: "9".into(), since: Some("7~3".into()) },
            Ask::Unsubscribe { types: types.clone() },
            Ask::Renew { expires_at },
        ] {
            let json = serde_json::json!({
                "command": "ask", "arguments": {"request": "q1", "connection": "c1", "ask": ask}
            });
            let read = Command::parse(&json.to_string()).unwrap();
            assert_eq!(read, Command::Ask { request: "q1".into(), connection: "c1".into(), ask });
        }
        for answer in [Ok(Done { event_types: types.into_iter().collect(), expires_at }), Err(Refusal::Forbidden)] {
            let json = serde_json::json!({"command": "answer", "arguments": {"request": "q1", "answer": answer}});
            let read = Command::parse(&json.to_string()).unwrap();
            assert_eq!(read, Command::Answer { request: "q1".into(), answer });
        }
    }

    #[test]
    fn what_a_newer_rowcast_says_to_its_like_is_not_ours() {
        for json in [r#"{"command": "sing", "arguments": {}}"#, r#"{"command": "disconnect", "arguments": {}}"#, "[]"] {
            assert!(Command::parse(json).is_err(), "{json}");
        }
    }
}
