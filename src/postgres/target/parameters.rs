//! What a connection string says of TLS, taken out of it: tokio-postgres refuses most of it.
//!
//! Where the string is silent, libpq's environment variables speak.

use std::collections::HashMap;

use super::Error;

/// What is taken out, and what speaks where it is not given.
const KEYWORDS: [(&str, &str); 6] = [
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("channel_binding", "PGCHANNELBINDING"),
];

const SCHEMES: [&str; 2] = ["postgres://", "postgresql://"];

/// A value, and the name of the parameter or variable that it was given by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// What was given, by keyword.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters(HashMap<&'static str, Given>);

impl Parameters {
    /// Takes them out of a URL or a string of keywords; what is left is for tokio-postgres.
    pub(super) fn take(text: &str, environment: impl Fn(&str) -> Option<String>) -> Result<(Self, String), Error> {
        let mut taken = Self::default();
        let rest = match SCHEMES.iter().find(|scheme| text.starts_with(*scheme)) {
            Some(scheme) => taken.take_from_url(scheme, &text[scheme.len()..])?,
            None => taken.take_from_keywords(text)?,
        };
        for (keyword, variable) in KEYWORDS {
            if let Some(value) = environment(variable).filter(|value| !value.is_empty()) {
                taken.0.entry(keyword).or_insert(Given { name: variable, value });
            }
        }
        Ok((taken, rest))
    }

    /// A parameter, by its keyword.
    pub(super) fn get(&self, keyword: &str) -> Option<&Given> {
        self.0.get(keyword)
    }

    /// Keeps it if it is one of ours. As everywhere in Postgres the last of several counts.
    fn keep(&mut self, keyword: &str, value: &str) -> bool {
        // As JDBC writes it; libpq understands that too.
        let (keyword, value) =
            if keyword == "ssl" && value == "true" { ("sslmode", "require") } else { (keyword, value) };
        let Some(&(name, _)) = KEYWORDS.iter().find(|(name, _)| *name == keyword) else { return false };
        self.0.insert(name, Given { name, value: value.to_owned() });
        true
    }

    fn take_from_url(&mut self, scheme: &str, rest: &str) -> Result<String, Error> {
        if is_unescaped(rest) {
            return Err(Error::Unescaped);
        }
        let Some((before, query)) = split_query(rest) else { return Ok(format!("{scheme}{rest}")) };
        let others = query.split('&').filter(|option| {
            !option.is_empty()
                && !option.split_once('=').is_some_and(|(keyword, value)| self.keep(&decode(keyword), &decode(value)))
        });
        // tokio-postgres takes any @ for the end of the password, and all of this for one host.
        let plainer = |option: &str| match option.strip_prefix("host=") {
            Some(hosts) => format!("host={}", hosts.replace(',', "&host=")),
            None => option.to_owned(),
        };
        let others: Vec<String> = others.map(|option| plainer(&option.replace('@', "%40"))).collect();
        let mark = if others.is_empty() { "" } else { "?" };
        Ok(format!("{scheme}{before}{mark}{}", others.join("&")))
    }

    fn take_from_keywords(&mut self, text: &str) -> Result<String, Error> {
        let pairs = keywords(text).ok_or(Error::Malformed)?;
        let others = pairs.into_iter().filter(|(keyword, value)| !self.keep(keyword, value));
        let quoted = others.map(|(keyword, value)| format!("{keyword}='{}'", escape(&value)));
        Ok(quoted.collect::<Vec<_>>().join(" "))
    }
}

/// Whether a URL has an `@` more than the one after its password, or behind what looks like its host: then the password was not
/// percent-encoded, and a piece of it would be taken for the host.
fn is_unescaped(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // An option may have one, such as the directory of a socket.
    let (before_options, _) = rest.rsplit_once('?').filter(|(_, options)| options.contains('=')).unwrap_or((rest, ""));
    let (before_host, in_all) = (authority.matches('@').count(), before_options.matches('@').count());
    before_host > 1 || in_all > before_host
}

/// A question mark in the password does not begin the query.
fn split_query(rest: &str) -> Option<(&str, &str)> {
    let host = rest.find(['@', '/']).filter(|&at| rest[at..].starts_with('@')).unwrap_or_default();
    let at = host + rest[host..].find('?')?;
    Some((&rest[..at], &rest[at + 1..]))
}

/// Undoes percent-encoding. What is no code stays as it is, as in libpq's other parsers.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|&digit| char::from(digit).to_digit(16));
        if let (b'%', Some(high), Some(low)) = (byte, digit(0), digit(1)) {
            bytes.extend(u8::try_from(high * 16 + low));
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The pairs of `keyword = 'value' …`, if it is that.
fn keywords(text: &str) -> Option<Vec<(&str, String)>> {
    let mut pairs = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest.find(|character: char| character.is_whitespace() || character == '=').filter(|&end| end > 0)?;
        let (keyword, after) = rest.split_at(end);
        let (value, after) = value(after.trim_start().strip_prefix('=')?.trim_start())?;
        pairs.push((keyword, value));
        rest = after.trim_start();
    }
    Some(pairs)
}

/// A value, with or without quotes, and what comes after it.
fn value(text: &str) -> Option<(String, &str)> {
    let quoted = text.strip_prefix('\'');
    let mut characters = quoted.unwrap_or(text).chars();
    let mut value = String::new();
    loop {
        let rest = characters.as_str();
        match characters.next() {
            Some('\'') if quoted.is_some() => return Some((value, characters.as_str())),
            Some(character) if quoted.is_none() && character.is_whitespace() => {
                return (!value.is_empty()).then_some((value, rest));
            }
            Some('\\') => value.extend(characters.next()),
            Some(character) => value.push(character),
            None => return (quoted.is_none() && !value.is_empty()).then_some((value, "")),
        }
    }
}

/// For between quotes.
fn escape(value: &str) -> String {
    value.replace('\\', r"\\").replace('\'', r"\'")
}

#[cfg(test)]
mod tests;
