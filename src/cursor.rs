//! What a client has seen: the cursor, which is the `id:` of the stream.
//!
//! Outbox ids are drawn before commit, so ids become visible out of order. A cursor is therefore a set of ids:
//! everything up to `high`, but for a few gaps that belonged to transactions still open. Written down it is
//! `N[~gaps][@epoch]`, for example `1047~1040.1042-1044`: all up to 1047, except 1040 and 1042 to 1044.
//!
//! Nothing in here does I/O; the laws below are checked against plain sets in the tests.

use std::{fmt, str::FromStr};

/// The first and the last id of a run of ids, both inclusive.
pub type IdRange = (i64, i64);

/// A written cursor names at most this many gaps, so that proxies do not refuse it as a header. With more, those that lie nearest to each other are written
/// as one: that claims less, so a client gets again what lies between them.
pub const MAX_GAPS: usize = 64;

/// The longest text that can be a cursor: [`MAX_GAPS`] ranges of two 19-digit ids, and the rest.
const MAX_TEXT: usize = MAX_GAPS * 40 + 40;

/// A set of outbox ids that a client has seen (or that it never needs to see).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Cursor {
    high: i64,
    /// Ids up to `high` that are not contained: ascending, disjoint, with at least one contained id between two.
    gaps: Vec<IdRange>,
    /// Which life of the database the ids belong to; 0 until a failover has lost the end of one.
    epoch: u32,
}

/// Why a text is not a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Longer than any cursor can be.
    #[error("a cursor has at most {MAX_TEXT} characters")]
    TooLong,
    /// Not `N[~gaps][@epoch]`.
    #[error("a cursor is an outbox id, optionally followed by ~gaps and @epoch, as in 1047~1040.1042-1044")]
    Malformed,
    /// Gaps out of order, overlapping, above the id, or too many.
    #[error("the gaps of a cursor are at most {MAX_GAPS} ascending ranges of ids below its own")]
    Gaps,
}

impl Cursor {
    /// The set of all ids up to `high`.
    #[must_use]
    pub fn up_to(high: i64) -> Self {
        Self { high, gaps: Vec::new(), epoch: 0 }
    }

    /// The set of all ids up to `high` but for `gaps`, which are ascending.
    #[must_use]
    pub fn with_gaps(high: i64, gaps: impl IntoIterator<Item = IdRange>) -> Self {
        let mut cursor = Self::up_to(high);
        for (first, last) in gaps {
            cursor.push_gap(first, last);
        }
        cursor
    }

    /// The highest id it speaks of.
    #[must_use]
    pub fn high(&self) -> i64 {
        self.high
    }

    /// Which life of the database its ids belong to.
    #[must_use]
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The same ids, in another life of the database.
    #[must_use]
    pub fn in_epoch(self, epoch: u32) -> Self {
        Self { epoch, ..self }
    }

    /// The highest id below which nothing is missing.
    #[must_use]
    pub fn floor(&self) -> i64 {
        self.gaps.first().map_or(self.high, |&(first, _)| first - 1)
    }

    /// Whether the client has had this id.
    #[must_use]
    pub fn contains(&self, id: i64) -> bool {
        id <= self.high && {
            let at = self.gaps.partition_point(|&(_, last)| last < id);
            self.gaps.get(at).is_none_or(|&(first, _)| id < first)
        }
    }

    /// Whether every id of `other` is in here.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.high <= self.high && self.gaps.iter().all(|&gap| other.lacks(gap))
    }

    /// Whether none of these ids is contained.
    #[must_use]
    pub fn lacks(&self, (first, last): IdRange) -> bool {
        if first > self.high {
            return true;
        }
        let at = self.gaps.partition_point(|&(_, end)| end < first);
        self.gaps.get(at).is_some_and(|&(start, end)| start <= first && last <= end)
    }

    /// The ids up to `last` that are not contained, as ranges.
    pub fn missing_up_to(&self, last: i64) -> impl Iterator<Item = IdRange> {
        let gaps = self.gaps.iter().map(move |&(start, end)| (start, end.min(last)));
        gaps.chain([(self.high + 1, last)]).filter(|&(start, end)| start <= end)
    }

    /// All ids that are in either. The epoch is that of `self`.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let high = self.high.max(other.high);
        let mut union = Self { high, gaps: Vec::new(), epoch: self.epoch };
        for (first, last) in self.missing_up_to(high) {
            for (start, end) in other.missing_up_to(last) {
                if end >= first {
                    union.push_gap(start.max(first), end);
                }
            }
        }
        union
    }

    /// All ids that are in both. The epoch is that of `self`.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let high = self.high.min(other.high);
        let mut missing: Vec<_> = self.missing_up_to(high).chain(other.missing_up_to(high)).collect();
        missing.sort_unstable();
        Self { epoch: self.epoch, ..Self::with_gaps(high, missing) }
    }

    /// The ids up to `last` only.
    #[must_use]
    pub fn truncated(&self, last: i64) -> Self {
        let high = self.high.min(last);
        let gaps = self.gaps.iter().map(|&(start, end)| (start, end.min(high))).filter(|&(start, end)| start <= end);
        Self { epoch: self.epoch, ..Self::with_gaps(high, gaps) }
    }

    /// Appends a gap that begins no earlier than all others. A gap that reaches `high` lowers it instead, so that equal sets are equal values.
    fn push_gap(&mut self, first: i64, last: i64) {
        if first > self.high {
            return;
        }
        match self.gaps.last_mut() {
            Some(before) if before.1 + 1 >= first => before.1 = before.1.max(last),
            _ => self.gaps.push((first, last)),
        }
        if let Some(&(first, last)) = self.gaps.last()
            && last >= self.high
        {
            self.high = first - 1;
            self.gaps.pop();
        }
    }
}

/// At most this many ranges that hold all ids of `ranges`, which are ascending and disjoint: those that lie nearest to each other become one.
#[must_use]
pub fn merge_nearest(ranges: Vec<IdRange>, most: usize) -> Vec<IdRange> {
    if ranges.len() <= most {
        return ranges;
    }
    // The widest distances are kept, each named by the range above it.
    let mut above: Vec<usize> = (1..ranges.len()).collect();
    above.select_nth_unstable_by_key(most - 1, |&at| std::cmp::Reverse(ranges[at].0 - ranges[at - 1].1));
    above.truncate(most - 1);
    above.sort_unstable();
    let starts = [0].into_iter().chain(above.iter().copied());
    let ends = above.iter().copied().chain([ranges.len()]);
    starts.zip(ends).map(|(start, end)| (ranges[start].0, ranges[end - 1].1)).collect()
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.high)?;
        let mut separator = '~';
        for (first, last) in merge_nearest(self.gaps.clone(), MAX_GAPS) {
            write!(f, "{separator}{first}")?;
            if last > first {
                write!(f, "-{last}")?;
            }
            separator = '.';
        }
        if self.epoch > 0 {
            write!(f, "@{}", self.epoch)?;
        }
        Ok(())
    }
}

impl FromStr for Cursor {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() > MAX_TEXT {
            return Err(ParseError::TooLong);
        }
        let (ids, epoch) = match text.split_once('@') {
            Some((ids, epoch)) => (ids, u32::try_from(number(epoch)?).map_err(|_| ParseError::Malformed)?),
            None => (text, 0),
        };
        let (high, gaps) = match ids.split_once('~') {
            Some((high, gaps)) => (number(high)?, parse_gaps(gaps)?),
            None => (number(ids)?, Vec::new()),
        };
        if gaps.last().is_some_and(|&(_, last)| last >= high) {
            return Err(ParseError::Gaps);
        }
        Ok(Self { epoch, ..Self::with_gaps(high, gaps) })
    }
}

fn parse_gaps(text: &str) -> Result<Vec<IdRange>, ParseError> {
    let mut gaps: Vec<IdRange> = Vec::new();
    for range in text.split('.') {
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(range)?, number(range)?),
        };
        let above = gaps.last().map_or(0, |&(_, end)| end);
        if first <= above || last < first || gaps.len() == MAX_GAPS {
            return Err(ParseError::Gaps);
        }
        gaps.push((first, last));
    }
    Ok(gaps)
}

/// A non-negative decimal number as we write it: digits only, and not so large that adding one overflows.
fn number(text: &str) -> Result<i64, ParseError> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = text.parse().map_err(|_| ParseError::Malformed)?;
    if digits && number < i64::MAX { Ok(number) } else { Err(ParseError::Malformed) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Ids in the tests run from 1 to here; small, so that sets overlap and touch.
    const LIMIT: i64 = 40;

    fn cursor_of(ids: &BTreeSet<i64>) -> Cursor {
        let high = ids.last().copied().unwrap_or(0);
        Cursor::with_gaps(high, (1..=high).filter(|id| !ids.contains(id)).map(|id| (id, id)))
    }

    fn ids_of(cursor: &Cursor) -> BTreeSet<i64> {
        (1..=LIMIT).filter(|&id| cursor.contains(id)).collect()
    }

    fn ids() -> impl Strategy<Value = BTreeSet<i64>> {
        prop::collection::btree_set(1..=LIMIT, 0..40_usize)
    }

    proptest! {
        #[test]
        fn contains_what_it_was_made_of(ids in ids()) {
            prop_assert_eq!(ids_of(&cursor_of(&ids)), ids);
        }

        #[test]
        fn text_and_back(ids in ids(), epoch in 0_u32..3) {
            let cursor = Cursor { epoch, ..cursor_of(&ids) };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn floor_is_the_last_id_before_anything_is_missing(ids in ids()) {
            let floor = (1..=LIMIT).take_while(|id| ids.contains(id)).last().unwrap_or(0);
            prop_assert_eq!(cursor_of(&ids).floor(), floor);
        }

        #[test]
        fn covers_is_superset(a in ids(), b in ids()) {
            prop_assert_eq!(cursor_of(&a).covers(&cursor_of(&b)), a.is_superset(&b));
            let both: BTreeSet<_> = a.union(&b).copied().collect();
            prop_assert!(cursor_of(&both).covers(&cursor_of(&b)));
        }

        #[test]
        fn lacks_is_disjoint(ids in ids(), first in 1..=LIMIT, length in 0..5_i64) {
            let disjoint = (first..=first + length).all(|id| !ids.contains(&id));
            prop_assert_eq!(cursor_of(&ids).lacks((first, first + length)), disjoint);
        }

        #[test]
        fn union_is_union(a in ids(), b in ids()) {
            let union: BTreeSet<_> = a.union(&b).copied().collect();
            prop_assert_eq!(cursor_of(&a).union(&cursor_of(&b)), cursor_of(&union));
        }

        #[test]
        fn intersection_is_intersection(a in ids(), b in ids()) {
            let both: BTreeSet<_> = a.intersection(&b).copied().collect();
            prop_assert_eq!(cursor_of(&a).intersection(&cursor_of(&b)), cursor_of(&both));
        }

        #[test]
        fn missing_is_the_complement(ids in ids(), last in 0..=LIMIT) {
            let missing: BTreeSet<_> =
                cursor_of(&ids).missing_up_to(last).flat_map(|(first, last)| first..=last).collect();
            let complement: BTreeSet<_> = (1..=last).filter(|id| !ids.contains(id)).collect();
            prop_assert_eq!(missing, complement);
        }

        #[test]
        fn truncated_is_the_lower_part(ids in ids(), last in 0..=LIMIT) {
            let lower: BTreeSet<_> = ids.iter().copied().filter(|&id| id <= last).collect();
            prop_assert_eq!(cursor_of(&ids).truncated(last), cursor_of(&lower));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[0-9~.@-]{0,40}|.{0,60}") {
            if let Ok(cursor) = text.parse::<Cursor>() {
                prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
            }
        }

        #[test]
        fn a_text_never_claims_more_than_the_set(runs in prop::collection::vec((1..4_i64, 1..4_i64), 0..200)) {
            let mut high = 0;
            let mut gaps = Vec::new();
            for (seen, missing) in runs {
                gaps.push((high + seen + 1, high + seen + missing));
                high += seen + missing;
            }
            let cursor = Cursor::with_gaps(high + 1, gaps);
            let text = cursor.to_string();
            prop_assert!(text.len() <= MAX_TEXT);
            let written: Cursor = text.parse().unwrap();
            prop_assert!(cursor.covers(&written));
            prop_assert_eq!(written.gaps.len(), cursor.gaps.len().min(MAX_GAPS));
            // What it claims less is what lies between gaps that are no further apart than any two that were kept apart.
            let apart = |gaps: &[IdRange]| gaps.windows(2).map(|pair| pair[1].0 - pair[0].1).min();
            let merged = cursor.gaps.windows(2).filter(|pair| written.lacks((pair[0].1, pair[1].0))).map(|pair| pair[1].0 - pair[0].1).max();
            prop_assert!(merged.is_none_or(|merged| apart(&written.gaps).is_some_and(|kept| merged <= kept)));
        }
    }

    #[test]
    fn is_written_as_documented() {
        assert_eq!(Cursor::with_gaps(1047, [(1040, 1040), (1042, 1044)]).to_string(), "1047~1040.1042-1044");
        assert_eq!(Cursor { epoch: 2, ..Cursor::up_to(7) }.to_string(), "7@2");
        assert_eq!(Cursor::default().to_string(), "0");
    }

    #[test]
    fn beyond_64_gaps_the_nearest_are_written_as_one() {
        let far_apart = (1..=63).map(|n| (100 * n, 100 * n));
        let cursor = Cursor::with_gaps(9_000, far_apart.chain([(7_000, 7_001), (7_004, 7_004), (7_006, 7_009)]));
        let text = cursor.to_string();
        assert!(text.ends_with(".6200.6300.7000-7009"), "{text}");
    }

    #[test]
    fn refuses_what_is_not_a_cursor() {
        for text in ["", "-1", "+1", "1~", "1~@", "x", "1@", "9223372036854775807", "1 ", "٣", "1@4294967296"] {
            assert_eq!(text.parse::<Cursor>(), Err(ParseError::Malformed), "{text}");
        }
        for text in ["5~5", "5~6", "9~3.2", "9~3-2", "9~0", "9~2-4.4"] {
            assert_eq!(text.parse::<Cursor>(), Err(ParseError::Gaps), "{text}");
        }
        let many: Vec<_> = (1..=65).map(|n| (2 * n).to_string()).collect();
        assert_eq!(format!("999~{}", many.join(".")).parse::<Cursor>(), Err(ParseError::Gaps));
        assert_eq!("1".repeat(MAX_TEXT + 1).parse::<Cursor>(), Err(ParseError::TooLong));
    }
}
