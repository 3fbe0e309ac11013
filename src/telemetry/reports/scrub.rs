//! What is taken out of everything that leaves for Sentry: whatever opens something, and whoever it is about. Pure, and rather too much than too little.

use std::sync::LazyLock;

use regex::Regex;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Texts are cut at this many letters.
const LONGEST: usize = 4_096;

const SECRET: &str = "[secret]";

/// Names of what is secret, at the end of longer ones too: `jwt_secret`, `accessToken`.
const NAMES: &str = "pass(?:word|wd|phrase)?|pwd|secret|token|ticket|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|signature|session[_-]?id|dsn|jwt|authorization|cookie";

/// What is replaced by what, in this order.
static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    // In quotes, those of JSON in JSON (in JSON) too, to their end; otherwise to the end of the word, but for what closes it.
    let value = r#"(?:\[secret\]|\\{3}"(?:[^"\\]|\\+[^"\\])*(?:\\{3}")?|\\"(?:[^"\\]|\\{3}"|\\[^"])*(?:\\")?|"(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,;&'"]*[^\s,;&'")}\]])"#;
    [
        // Keys, to their end or that of the text.
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)".to_owned(), SECRET),
        // Who connects, in any URL: up to the last @, since passwords may hold one.
        (r#"\b([a-z][a-z0-9+.-]*://)[^\s'"`<>]*@"#.to_owned(), "${1}[secret]@"),
        // Headers, to the end of their line.
        (
            r#"\b((?:set-)?cookie|(?:proxy-)?authorization|x-sentry-auth)(\\*["']?\s*[:=]\s*)\S.*"#.to_owned(),
            "${1}${2}[secret]",
        ),
        (r"\b(bearer|basic)\s+[\w.~+/=-]+".to_owned(), "${1} [secret]"),
        // Tokens, wherever they are.
        (r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?".to_owned(), SECRET),
        // name=value, name: "value", and the same in JSON, in queries, and as Rust shows it.
        (format!(r#"((?:{NAMES})\\*["']?\s*(?:=>|[:=])\s*(?:Some\()?){value}"#), "${1}[secret]"),
        // The same in a part of a URL that is a URL itself.
        (format!(r#"((?:{NAMES})%3[ad])(?:[^\s&"'%]|%[013-9a-f][0-9a-f]|%2[0-57-9a-f])+"#), "${1}[secret]"),
        // Tickets, digests and keys in hexadecimal.
        (r"\b[0-9a-f]{64,}\b".to_owned(), SECRET),
        (r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b".to_owned(), "[email]"),
    ]
    .into_iter()
    // They are the same at every run: the tests have seen them compile.
    .filter_map(|(pattern, with)| Some((Regex::new(&format!("(?i){pattern}")).ok()?, with)))
    .collect()
});

static SECRET_NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("(?i)(?:{NAMES})$")).ok());

/// A text without what is secret in it.
pub(super) fn text(text: &str) -> String {
    let cut = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
    let mut clean = text[..cut].to_owned();
    for (pattern, with) in &*PATTERNS {
        if let std::borrow::Cow::Owned(replaced) = pattern.replace_all(&clean, *with) {
            clean = replaced;
        }
    }
    clean
}

/// The same of something with texts anywhere in it: none if it does not come out as what it was.
pub(super) fn whole<T: Serialize + DeserializeOwned>(value: &T) -> Option<T> {
    let mut value = serde_json::to_value(value).ok()?;
    scrub(&mut value);
    serde_json::from_value(value).ok()
}

fn scrub(value: &mut Value) {
    match value {
        Value::String(string) => *string = text(string),
        Value::Array(values) => values.iter_mut().for_each(scrub),
        Value::Object(members) => {
            for (name, value) in members {
                let is_secret = SECRET_NAME.as_ref().is_none_or(|names| names.is_match(name));
                match value {
                    Value::String(_) | Value::Number(_) if is_secret => *value = SECRET.into(),
                    value => scrub(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_pattern_is_one() {
        assert_eq!(PATTERNS.len(), 9);
        assert!(SECRET_NAME.is_some());
    }

    #[test]
    fn what_opens_something_is_taken_out() {
        for (from, to) in [
            ("postgres://ann:hunter2@db:5432/app?x=1", "postgres://[secret]@db:5432/app?x=1"),
            ("POSTGRESQL://ann:hun/t@er2@db/app", "POSTGRESQL://[secret]@db/app"),
            ("no Sentry at https://hunter2@sentry.example/1.", "no Sentry at https://[secret]@sentry.example/1."),
            ("host=db password=hunter2 user=ann", "host=db password=[secret] user=ann"),
            ("host=db password='hunter2 hunter2' user=ann", "host=db password=[secret] user=ann"),
            ("PGPASSWORD=hunter2", "PGPASSWORD=[secret]"),
            ("GET /sse?ticket=hunter2&x=1", "GET /sse?ticket=[secret]&x=1"),
            ("GET /sse?x=1&access_token=hunter2 HTTP/1.1", "GET /sse?x=1&access_token=[secret] HTTP/1.1"),
            (r#"{"password": "hun\"ter2", "x": 1}"#, r#"{"password": [secret], "x": 1}"#),
            (r#"{\"client_secret\":\"hunter2\",\"x\":1}"#, r#"{\"client_secret\":[secret],\"x\":1}"#),
            (r#"Config { jwt_secret: Some("hunter2"), x: 1 }"#, "Config { jwt_secret: Some([secret]), x: 1 }"),
            ("apiKey => 'hunter2'", "apiKey => [secret]"),
            ("Authorization: Bearer hunter2 hunter2\nHost: a", "Authorization: [secret]\nHost: a"),
            ("set-cookie: a=hunter2; b=hunter2", "set-cookie: [secret]"),
            ("refused: bearer hunter2.hunter2", "refused: bearer [secret]"),
            ("it was eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2ln-_ here", "it was [secret] here"),
            (r#"{\\\"token\\\":\\\"hunter2 hunter2\\\",\\\"x\\\":1}"#, r#"{\\\"token\\\":[secret],\\\"x\\\":1}"#),
            ("/login?next=%2Fsse%3Fticket%3Dhunter2%26x%3D1", "/login?next=%2Fsse%3Fticket%3D[secret]%26x%3D1"),
            ("postgres://db/app?user=ann&password=hun%26ter2&x=1", "postgres://db/app?user=ann&password=[secret]&x=1"),
            (
                "key: -----BEGIN RSA PRIVATE KEY-----\nhunter2\nhunter2\n-----END RSA PRIVATE KEY-----\nend",
                "key: [secret]\nend",
            ),
            ("key: -----BEGIN PRIVATE KEY-----\nhunter2 cut off", "key: [secret]"),
            (&format!("ticket {} is used", "0123456789abcdef".repeat(4)), "ticket [secret] is used"),
            ("ann.b+c@mail.example.com wrote", "[email] wrote"),
        ] {
            assert_eq!(text(from), to);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for same in [
            "tailing stopped; streams stay open and catch up when the database is back",
            "no answer from 192.0.2.7:5432 within 5s (23505)",
            "rowcast::http::error src/http/error.rs:254",
            "event 0f8b1c5e9d7a4b3c8e2f6a1d4c7b9e05 of https://db.example/x?y=z",
            "the token has expired",
            "rowcast@0.1.0",
            "column \"users\" of relation \"rowcast.errors\" does not exist",
        ] {
            assert_eq!(text(same), same);
        }
        assert_eq!(text(&"ü".repeat(10_000)).chars().count(), LONGEST);
    }

    #[test]
    fn names_tell_too_at_any_depth() {
        let told = json!({"fields": {"password": "hunter2", "pin_token": 1234, "list": [{"Cookie": "hunter2"}], "url": "a://b:hunter2@c", "token": null},
                          "count": 3, "is": true});
        let clean: Value = whole(&told).unwrap();
        let expected = json!({"fields": {"password": SECRET, "pin_token": SECRET, "list": [{"Cookie": SECRET}], "url": "a://[secret]@c", "token": null},
                              "count": 3, "is": true});
        assert_eq!(clean, expected);
    }

    proptest! {
        #[test]
        fn a_secret_in_any_of_its_places_is_gone(
            before in "[a-zA-Z0-9 ,.;:(){}\\[\\]ü\n-]{0,40}", secret in "[a-zA-Z0-9]{12,40}", place in 0_usize..8, after in "( [ -~]{0,40})?",
        ) {
            let secret = format!("zZ{secret}");
            let planted = [
                format!("postgres://ann:{secret}@db/app"),
                format!("password={secret}"),
                format!("\"access_token\": \"{secret}\""),
                format!("ticket={secret}&x"),
                format!("Bearer {secret}"),
                format!("eyJ{secret}.{secret}.{secret}"),
                format!("Cookie: a={secret}"),
                format!("{secret}@example.com"),
            ];
            let clean = text(&format!("{before} {}{after}", planted[place]));
            prop_assert!(!clean.contains(&secret), "{}", clean);
        }

        #[test]
        fn once_is_enough(told in "\\PC{0,200}") {
            let clean = text(&told);
            prop_assert_eq!(text(&clean), clean);
        }
    }
}
