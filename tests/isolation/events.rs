//! What is written, and what a client may find of it.

use serde_json::{Value, json};

use crate::moments::Span;

/// For whom an event is, by what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    Organization(&'static str),
    Platform,
    /// Private, in an organization or in none.
    User(&'static str, Option<&'static str>),
    /// The row did not say for whom.
    Nobody,
}

/// Which event: the number of what was written, and the operation. A row that leaves an organization is a DELETE there, with its old number.
pub(crate) type Key = (u64, &'static str);

/// A committed event.
#[derive(Clone, Debug)]
#[expect(clippy::struct_field_names, reason = "the type is called what the outbox calls it")]
pub(crate) struct Event {
    pub(crate) event_type: &'static str,
    pub(crate) audience: Audience,
    /// From before the transaction began to commit until COMMIT had returned.
    pub(crate) commit: Span,
}

impl Event {
    pub(crate) fn organization(&self) -> Option<&'static str> {
        match self.audience {
            Audience::Organization(organization) => Some(organization),
            Audience::User(_, organization) => organization,
            Audience::Platform | Audience::Nobody => None,
        }
    }
}

/// The fields that can be hidden.
pub(crate) const FIELDS: [&[&str]; 3] = [&["content"], &["inner", "secret"], &["list", "secret"]];

/// What can stand in their place.
pub(crate) const REPLACEMENTS: [&str; 2] = ["[FILTERED]", "[HIDDEN]"];

/// How a field looks to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Whole,
    Removed,
    Replaced(&'static str),
}

/// Every third is so large that the log cannot hold many of them.
fn filling(number: u64) -> usize {
    if number.is_multiple_of(3) { 8_000 } else { 300 }
}

/// The data of the event with this number, with its fields as they are shown.
pub(crate) fn payload(number: u64, shown: [Shown; FIELDS.len()]) -> Value {
    let mut data = json!({
        "number": number,
        "open": format!("open {number}"),
        "inner": {"open": [number]},
        "list": [{"open": 1}, {"open": 2}, "no object"],
        "filling": "x".repeat(filling(number)),
    });
    let mut put = |pointer: &str, field: &str, shown: Shown| {
        let text = match shown {
            Shown::Whole => format!("secret {field} of {number}"),
            Shown::Replaced(text) => text.to_owned(),
            Shown::Removed => return,
        };
        data.pointer_mut(pointer).unwrap()[field] = text.into();
    };
    put("", "content", shown[0]);
    put("/inner", "secret", shown[1]);
    put("/list/0", "secret", shown[2]);
    put("/list/1", "secret", shown[2]);
    data
}

/// The number of this data, and how its fields are shown; none if it is not what was written, with or without some of them.
pub(crate) fn read_payload(data: &Value) -> Option<(u64, [Shown; FIELDS.len()])> {
    let number = data["number"].as_u64()?;
    let shown = ["/content", "/inner/secret", "/list/0/secret"].map(|pointer| match data.pointer(pointer) {
        None => Shown::Removed,
        Some(text) => {
            REPLACEMENTS.iter().find(|&&known| text == known).map_or(Shown::Whole, |&text| Shown::Replaced(text))
        }
    });
    (payload(number, shown) == *data).then_some((number, shown))
}

#[test]
fn a_payload_is_known_by_all_that_is_in_it() {
    use Shown::{Removed, Replaced, Whole};
    for shown in [[Whole; 3], [Removed; 3], [Replaced(REPLACEMENTS[1]), Whole, Removed]] {
        assert_eq!(read_payload(&payload(6, shown)), Some((6, shown)));
    }
    for (pointer, other) in [("/content", "secret content of 5"), ("/open", ""), ("/list/1/secret", REPLACEMENTS[0])] {
        let mut data = payload(6, [Whole; 3]);
        *data.pointer_mut(pointer).unwrap() = other.into();
        assert_eq!(read_payload(&data), None, "{pointer}");
    }
}
