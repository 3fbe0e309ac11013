use proptest::prelude::*;
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};

use super::*;

fn take(text: &str) -> (Parameters, Config) {
    let (parameters, rest) = Parameters::take(text, |_| None).unwrap();
    (parameters, rest.parse().unwrap_or_else(|error| panic!("{rest}: {error:?}")))
}

fn value<'a>(parameters: &'a Parameters, keyword: &str) -> Option<&'a str> {
    parameters.get(keyword).map(|given| given.value.as_str())
}

#[test]
fn passwords_have_to_be_percent_encoded() {
    for password in ["p@ss", "p/ss", "p?ss", "p#ss", "a@b/c?d"] {
        let url = format!("postgres://u:{password}@host:5432/db");
        assert!(matches!(Parameters::take(&url, |_| None), Err(Error::Unescaped)), "{url}");
    }
    for (url, host) in [
        ("postgres://u:p%40ss@host/db", Host::Tcp("host".into())),
        ("postgresql:///db?host=/run/a@b&user=u", Host::Unix("/run/a@b".into())),
        ("postgres://host/db?application_name=a@b", Host::Tcp("host".into())),
        ("postgres://host/db?sslrootcert=/etc/a@b.crt", Host::Tcp("host".into())),
        ("postgres://u:p?s=s@host/db", Host::Tcp("host".into())),
        ("host=/run/a@b user=u password=p@ss", Host::Unix("/run/a@b".into())),
    ] {
        assert_eq!(take(url).1.get_hosts(), [host], "{url}");
    }
}

#[test]
fn what_hosted_databases_say() {
    let (parameters, config) = take(
        "postgresql://u:p%3Fw@ep-x.example:5433/db?sslmode=require&channel_binding=require&options=endpoint%3Dep-x&connect_timeout=9",
    );
    assert_eq!(
        (value(&parameters, "sslmode"), value(&parameters, "channel_binding")),
        (Some("require"), Some("require"))
    );
    assert_eq!((config.get_password(), config.get_options()), (Some(&b"p?w"[..]), Some("endpoint=ep-x")));
    assert_eq!(config.get_ports(), [5433]);
    let (parameters, config) =
        take("host=a,b sslmode = 'verify-full' sslrootcert='/my ca/it\\'s.pem' password='a\\\\b c'");
    assert_eq!(value(&parameters, "sslrootcert"), Some("/my ca/it's.pem"));
    assert_eq!((config.get_password(), config.get_hosts().len()), (Some(&br"a\b c"[..]), 2));
    assert_eq!(value(&take("postgres://h/db?ssl=true").0, "sslmode"), Some("require"));
    let hosts = [Host::Tcp("a".into()), Host::Unix("/run".into())];
    assert_eq!(take("postgres:///db?host=a,/run&port=1,2").1.get_hosts(), hosts);
}

#[test]
fn the_last_of_several_counts_and_the_string_before_the_environment() {
    let environment = |name: &str| match name {
        "PGSSLMODE" => Some("disable".into()),
        "PGSSLROOTCERT" => Some("system".into()),
        "PGSSLKEY" => Some(String::new()),
        _ => None,
    };
    let text = "postgres://h/db?sslmode=prefer&sslmode=verify-full";
    let (parameters, rest) = Parameters::take(text, environment).unwrap();
    assert_eq!(rest, "postgres://h/db");
    assert_eq!(parameters.get("sslmode"), Some(&Given { name: "sslmode", value: "verify-full".into() }));
    assert_eq!(parameters.get("sslrootcert"), Some(&Given { name: "PGSSLROOTCERT", value: "system".into() }));
    assert_eq!(parameters.get("sslkey"), None);
}

/// Nothing that is demanded may be overlooked.
#[test]
fn what_makes_no_sense_is_refused() {
    for text in ["=x sslmode=verify-full", "sslmode", "host=h sslmode='verify-full", "sslmode= ", "mysql://h/db"] {
        assert!(matches!(Parameters::take(text, |_| None), Err(Error::Malformed)), "{text}");
    }
    for text in
        ["postgres://h/db?sslmode", "postgres://h/db?sslcrl=/x", "postgres://h/db?ssl=maybe", "sslcrl=/x host=h"]
    {
        let (_, rest) = Parameters::take(text, |_| None).unwrap();
        assert!(rest.parse::<Config>().is_err(), "{text}");
    }
}

/// What strings may be made of, in sense or nonsense.
const PIECES: [&str; 20] = [
    "sslmode=require",
    "sslmode='disable'",
    "sslmode",
    "ssl%6dode=disable",
    "require",
    "host=h",
    "user",
    "password=",
    "h",
    "=",
    "@",
    "/",
    "?",
    "&",
    ":",
    " ",
    "'",
    "\\",
    "%",
    "é",
];

fn encode(value: &str) -> String {
    value.bytes().fold(String::new(), |code, byte| code + &format!("%{byte:02x}"))
}

proptest! {
    /// It may be refused; but if tokio-postgres accepts what is left, then without having been told anything about TLS.
    #[test]
    fn nothing_of_ours_is_left(pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..12), scheme in prop::bool::ANY) {
        let text = format!("{}{}", if scheme { SCHEMES[0] } else { "" }, pieces.concat());
        if let Ok((_, rest)) = Parameters::take(&text, |_| None)
            && let Ok(config) = rest.parse::<Config>()
        {
            prop_assert_eq!(config.get_ssl_mode(), SslMode::Prefer, "{} became {}", text, rest);
        }
    }

    /// Wherever they stand among other parameters, ours come out as they went in, and the others too.
    #[test]
    fn both_notations_say_the_same(
        values in prop::collection::vec((0..KEYWORDS.len(), "[^\u{0}]{1,12}"), 0..8),
        password in "[^\u{0}]{1,12}",
        at in 0..8_usize,
    ) {
        let mut pairs: Vec<(&str, &str)> = values.iter().map(|(at, value)| (KEYWORDS[*at].0, value.as_str())).collect();
        let expected: HashMap<_, _> = pairs.iter().copied().collect();
        pairs.insert(at.min(pairs.len()), ("password", &password));
        pairs.push(("host", "h"));
        let query: Vec<_> = pairs.iter().map(|(keyword, value)| format!("{keyword}={}", encode(value))).collect();
        let keywords: Vec<_> = pairs.iter().map(|(keyword, value)| format!("{keyword} = '{}'", escape(value))).collect();
        for text in [format!("postgresql:///db?{}", query.join("&")), keywords.join("\n")] {
            let (parameters, config) = take(&text);
            let found: HashMap<_, _> = parameters.0.iter().map(|(keyword, given)| (*keyword, given.value.as_str())).collect();
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(config.get_password(), Some(password.as_bytes()));
        }
    }
}
