//! Takes fields out of an event's data.
//!
//! Only the objects on the way to a field are taken apart; all else is carried over as the text that Postgres wrote, so that no number
//! changes its digits and no value is too deep or too large to pass.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde_json::value::RawValue;

/// What is done to one field of an event's data for viewers who lack a permission (`rowcast.redactions`).
#[derive(Clone, Debug)]
pub struct Redaction {
    /// Keys from the outside in. An array on the way means each of its elements.
    pub path: Vec<String>,
    /// Who holds this in the event's organization sees the field.
    pub unless_permission: Box<str>,
    /// What stands there instead, as JSON; the field is removed when there is none.
    pub replacement: Option<Box<str>>,
}

/// Arrays in arrays use up no path, so the text alone would decide how deep the search goes, and our stack is not as deep as Postgres'.
const MAX_DEPTH: usize = 128;

/// Stands for data that could not be read, or not deep enough: it must not pass unredacted.
const UNREADABLE: &str = r#"{"unreadable":true}"#;

impl Redaction {
    /// The data with the field replaced or removed, or none when it has no such field, or null there.
    #[must_use]
    pub fn apply(&self, data: &str) -> Option<String> {
        self.replace(data, &self.path, MAX_DEPTH).unwrap_or_else(|_| Some(UNREADABLE.to_owned()))
    }

    fn replace(&self, json: &str, path: &[String], depth: usize) -> serde_json::Result<Option<String>> {
        let Some((key, rest)) = path.split_first() else { return Ok(None) };
        let depth = depth.checked_sub(1).ok_or_else(|| serde_json::Error::custom("too deep"))?;
        match json.trim_start().as_bytes().first() {
            Some(b'[') => self.replace_in_elements(json, path, depth),
            Some(b'{') => self.replace_in_fields(json, key, rest, depth),
            _ => Ok(None),
        }
    }

    fn replace_in_elements(&self, json: &str, path: &[String], depth: usize) -> serde_json::Result<Option<String>> {
        let mut elements: Vec<Box<RawValue>> = serde_json::from_str(json)?;
        let mut changed = false;
        for element in &mut elements {
            if let Some(redacted) = self.replace(element.get(), path, depth)? {
                *element = RawValue::from_string(redacted)?;
                changed = true;
            }
        }
        if changed { serde_json::to_string(&elements).map(Some) } else { Ok(None) }
    }

    fn replace_in_fields(
        &self,
        json: &str,
        key: &str,
        rest: &[String],
        depth: usize,
    ) -> serde_json::Result<Option<String>> {
        let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json)?;
        let Some(field) = fields.get_mut(key).filter(|field| field.get() != "null") else { return Ok(None) };
        if !rest.is_empty() {
            let Some(redacted) = self.replace(field.get(), rest, depth)? else { return Ok(None) };
            *field = RawValue::from_string(redacted)?;
        } else if let Some(replacement) = &self.replacement {
            *field = RawValue::from_string(replacement.to_string())?;
        } else {
            fields.remove(key);
        }
        serde_json::to_string(&fields).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remove(path: &[&str]) -> Redaction {
        let path = path.iter().map(ToString::to_string).collect();
        Redaction { path, unless_permission: "admin".into(), replacement: None }
    }

    #[test]
    fn what_is_beside_the_field_stays_to_the_digit() {
        let data = r#"{"secret": 1, "big": 12345678901234567890.10, "huge": 1e400, "text": "\u0041\n"}"#;
        let expected = r#"{"big":12345678901234567890.10,"huge":1e400,"text":"\u0041\n"}"#;
        assert_eq!(remove(&["secret"]).apply(data).as_deref(), Some(expected));
    }

    #[test]
    fn depth_is_no_way_around() {
        let deep = format!(r#"{{"secret": {}1{}, "a": 2}}"#, "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(remove(&["secret"]).apply(&deep).as_deref(), Some(r#"{"a":2}"#));
    }

    #[test]
    fn arrays_in_arrays_do_not_exhaust_the_stack() {
        let nested = |depth| format!("{}{{\"a\":1}}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(remove(&["a"]).apply(&nested(50)), Some(nested(50).replace("\"a\":1", "")));
        assert_eq!(remove(&["a"]).apply(&nested(30_000)).as_deref(), Some(UNREADABLE));
    }

    #[test]
    fn scalars_on_the_way_end_the_search() {
        assert_eq!(remove(&["a", "b"]).apply(r#"{"a": 1}"#), None);
        assert_eq!(remove(&["a"]).apply("7"), None);
    }

    #[test]
    fn unreadable_data_does_not_pass() {
        assert_eq!(remove(&["a"]).apply("{broken").as_deref(), Some(UNREADABLE));
    }
}
