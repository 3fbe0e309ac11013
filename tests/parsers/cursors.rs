//! Cursors: text that comes from the client, as a header or in a query.

use proptest::prelude::*;
use rowcast::cursor::{Cursor, MAX_GAPS};

use crate::try_out;

const CASES: u32 = 5_000;

/// Pieces of cursors, sound and not.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0_i64..60).prop_map(|number| number.to_string()),
        1 => prop::sample::select(vec!["9223372036854775806", "9223372036854775807", "18446744073709551616", "4294967295", "4294967296"])
            .prop_map(str::to_owned),
        1 => "[0-9]{18,40}|0{1,30}7",
        5 => prop::sample::select(vec!["~", ".", "-", "@", "~", "."]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["٣", "３", "²", "+", " ", "\0", "\u{feff}", "−", "1e3", "0x1", "\r\n", ""]).prop_map(str::to_owned),
    ]
}

/// A cursor as it is written, with gaps of any kind.
fn written() -> impl Strategy<Value = String> {
    let gap = (0_i64..8, 0_i64..4, any::<bool>());
    (0_i64..400, prop::collection::vec(gap, 0..80), 0_u32..3).prop_map(|(above, gaps, epoch)| {
        let mut at = 0;
        let gaps = gaps.into_iter().map(|(distance, length, as_range)| {
            let first = at + distance;
            at = first + length;
            if length > 0 || as_range { format!("{first}-{at}") } else { first.to_string() }
        });
        let gaps: Vec<String> = gaps.collect();
        let gaps = if gaps.is_empty() { String::new() } else { format!("~{}", gaps.join(".")) };
        let epoch = if epoch > 0 { format!("@{epoch}") } else { String::new() };
        format!("{}{gaps}{epoch}", at + above - 20)
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::collection::vec(piece(), 0..12).prop_map(|pieces| pieces.concat()),
        3 => written(),
        1 => any::<String>(),
    ]
}

/// What the text says, read as plainly as can be: the highest id and the gaps.
fn plainly(text: &str) -> Option<(u128, Vec<(u128, u128)>)> {
    let number =
        |text: &str| (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?;
    let ids = text.split('@').next()?;
    let mut parts = ids.splitn(2, '~');
    let high = number(parts.next()?)?;
    let gaps = parts.next().map(|gaps| {
        let range = |range: &str| match range.split_once('-') {
            Some((first, last)) => Some((number(first)?, number(last)?)),
            None => Some((number(range)?, number(range)?)),
        };
        gaps.split('.').map(range).collect::<Option<Vec<_>>>()
    });
    Some((high, gaps.unwrap_or(Some(Vec::new()))?))
}

#[test]
fn a_cursor_claims_what_its_text_says_and_nothing_else() {
    try_out(CASES, &text(), |text| {
        let Ok(cursor) = text.parse::<Cursor>() else { return Ok(()) };
        let (high, gaps) = plainly(&text).expect("what is read as a cursor looks like one");
        let named = gaps.iter().flat_map(|&(first, last)| [first, last]).chain([high, 1]);
        let near = named.flat_map(|id| [id.saturating_sub(1), id, id + 1]);
        for id in near.filter_map(|id| i64::try_from(id).ok()).filter(|&id| id > 0) {
            let wide = u128::try_from(id).unwrap();
            let said = wide <= high && !gaps.iter().any(|&(first, last)| first <= wide && wide <= last);
            prop_assert_eq!(cursor.contains(id), said, "{} of {}", id, text);
        }
        Ok(())
    });
}

#[test]
fn what_was_read_is_written_so_that_it_is_read_the_same() {
    try_out(CASES, &text(), |text| {
        if let Ok(cursor) = text.parse::<Cursor>() {
            let written = cursor.to_string();
            prop_assert!(written.len() <= text.len(), "{} became {}", text, written);
            prop_assert_eq!(written.parse(), Ok(cursor));
        }
        Ok(())
    });
}

/// Clients send cursors of other servers, of other epochs and of nobody: whatever is done with one must not overflow.
#[test]
fn whatever_was_read_can_be_reckoned_with() {
    try_out(CASES, &(text(), text(), any::<i64>()), |(one, other, id)| {
        let (Ok(one), Ok(other)) = (one.parse::<Cursor>(), other.parse::<Cursor>()) else { return Ok(()) };
        let both = one.union(&other);
        prop_assert!(both.covers(&one) && both.covers(&other));
        prop_assert_eq!(both.contains(id), one.contains(id) || other.contains(id));
        let id = id.clamp(0, i64::MAX - 1);
        let lower = one.truncated(id);
        prop_assert!(one.covers(&lower) && lower.high() <= id);
        prop_assert!(one.missing_up_to(id).count() <= MAX_GAPS + 1);
        prop_assert!(one.floor() <= one.high());
        Ok(())
    });
}

#[test]
fn a_text_longer_than_any_cursor_is_not_looked_at() {
    let many = |count: u32, gap: &dyn Fn(u32) -> String| {
        let gaps: Vec<String> = (1..=count).map(gap).collect();
        format!("9999999~{}", gaps.join("."))
    };
    let texts = [
        many(100_000, &|n| (2 * n).to_string()),
        many(100_000, &|_| "1".into()),
        many(100_000, &|_| String::new()),
        "1".repeat(1 << 20),
        "@".repeat(1 << 20),
        "~".repeat(1 << 20),
        format!("7{}", "\u{feff}".repeat(100_000)),
    ];
    for text in texts {
        assert_eq!(text.parse::<Cursor>(), Err(rowcast::cursor::ParseError::TooLong), "{}", &text[..10]);
    }
}
