//! What a DBA, or one server, tells all servers: rows of `rowcast.commands`, each written by a function of its own.
//!
//! To add one: a variant here, what it does in `Tailer::obey`, and a function in `sql/functions` that calls `rowcast.tell_servers`.

use serde::Deserialize;

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
    fn what_a_newer_rowcast_says_to_its_like_is_not_ours() {
        for json in [r#"{"command": "sing", "arguments": {}}"#, r#"{"command": "disconnect", "arguments": {}}"#, "[]"] {
            assert!(Command::parse(json).is_err(), "{json}");
        }
    }
}
