//! Headers of a probe's request. A setting names them and the environment variables that hold their values: so a key is in no argument, and whoever pastes one there is told that it is
//! no name of a variable.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// What is wrong with such a setting; the setting itself may hold what is nobody's business.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Unreadable {
    /// Not of that form.
    #[error(
        "header {0} is not written as Name=VARIABLE or Name=Scheme VARIABLE, such as Authorization=Bearer OPENAI_API_KEY; VARIABLE is the name of an environment \
         variable, in capitals, digits and _"
    )]
    Form(usize),
    /// There is no such variable.
    #[error("header {0} names an environment variable that there is not")]
    Missing(usize),
    /// The value is none of a header.
    #[error(
        "header {0}: its environment variable has characters in it that no header may have: is there a line end in it?"
    )]
    Value(usize),
}

/// Reads `Authorization=Bearer OPENAI_API_KEY,api-key=AZURE_KEY`; `variable` looks up the environment.
///
/// # Errors
/// When it is not of that form, or the environment does not have what it names.
pub fn headers(setting: &str, variable: impl Fn(&str) -> Option<String>) -> Result<HeaderMap, Unreadable> {
    let mut headers = HeaderMap::new();
    let written = setting.split(',').map(str::trim).filter(|header| !header.is_empty());
    for (at, header) in written.enumerate() {
        let malformed = || Unreadable::Form(at + 1);
        let (name, source) = header.split_once('=').ok_or_else(malformed)?;
        let name: HeaderName = name.trim().parse().map_err(|_| malformed())?;
        let (scheme, named) = match source.trim().split_once(' ') {
            Some((scheme, named)) => (Some(scheme), named.trim()),
            None => (None, source.trim()),
        };
        let is_scheme = scheme.is_none_or(|scheme| scheme.chars().all(|letter| letter.is_ascii_alphabetic()));
        if !is_scheme || !is_variable(named) {
            return Err(malformed());
        }
        let value = variable(named).ok_or_else(|| Unreadable::Missing(at + 1))?;
        let value = scheme.map_or_else(|| value.clone(), |scheme| format!("{scheme} {value}"));
        let mut value: HeaderValue = value.parse().map_err(|_| Unreadable::Value(at + 1))?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// Keys are not written in capitals alone.
fn is_variable(name: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_';
    name.starts_with(|letter: char| letter.is_ascii_uppercase() || letter == '_') && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "KEY" => Some("hunter2".into()),
            "BROKEN" => Some("hunter2\n".into()),
            _ => None,
        }
    }

    #[test]
    fn values_come_from_the_environment_with_a_scheme_before_them_or_without() {
        let read = headers(" Authorization=Bearer KEY, x-api-key = KEY,", environment).unwrap();
        assert_eq!(
            (&read["authorization"], &read["x-api-key"]),
            (&HeaderValue::from_static("Bearer hunter2"), &HeaderValue::from_static("hunter2"))
        );
        assert!(read["x-api-key"].is_sensitive());
        assert!(headers("", environment).unwrap().is_empty());
    }

    #[test]
    fn what_is_refused_is_not_repeated() {
        for (setting, error) in [
            ("x=sk-hunter2", Unreadable::Form(1)),
            ("x=KEY,y=Bearer sk-hunter2", Unreadable::Form(2)),
            ("x=hunter2 KEY", Unreadable::Form(1)),
            ("hunter2", Unreadable::Form(1)),
            ("a b=KEY", Unreadable::Form(1)),
            ("x=BROKEN", Unreadable::Value(1)),
            ("x=KEY,y=HUNTER2", Unreadable::Missing(2)),
        ] {
            let refused = headers(setting, environment).unwrap_err();
            assert_eq!(refused, error, "{setting}");
            assert!(!refused.to_string().to_lowercase().contains("hunter2"));
        }
    }
}
