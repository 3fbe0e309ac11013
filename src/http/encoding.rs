//! Whether a client takes gzip: [RFC 9110, 12.5.3](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3).

use warp::http::{HeaderMap, header};

/// Whether it says so. One that takes anything is sent what needs no work.
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codings = values.flat_map(|value| value.split(','));
    let gzip = codings.map(|coding| coding.split(';').map(str::trim)).find_map(|mut parts| {
        let is_gzip = parts.next()?.eq_ignore_ascii_case("gzip");
        is_gzip.then_some(parts)
    });
    let parameters = gzip.map(|parts| parts.filter_map(|parameter| parameter.split_once('=')));
    parameters.is_some_and(|mut parameters| parameters.all(|(name, value)| !is_never(name, value)))
}

/// A weight of zero: not even if there is nothing else.
fn is_never(name: &str, value: &str) -> bool {
    name.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>().is_ok_and(|weight| weight == 0.0)
}

#[cfg(test)]
mod tests {
    use warp::http::HeaderValue;

    use super::*;

    fn takes(values: &[&'static str]) -> bool {
        let headers = values.iter().map(|value| (header::ACCEPT_ENCODING, HeaderValue::from_static(value)));
        takes_gzip(&headers.collect())
    }

    #[test]
    fn who_names_gzip_takes_it_unless_its_weight_is_zero() {
        for values in [&["gzip"][..], &["br, GZIP;q=0.1"], &["deflate", "gzip ; q = 1.0"], &["gzip;level=0"]] {
            assert!(takes(values), "{values:?}");
        }
        for values in [&[][..], &["*"], &["identity"], &["gzip;q=0"], &["gzip; Q=0.000, br"], &["x-gzip"]] {
            assert!(!takes(values), "{values:?}");
        }
    }
}
