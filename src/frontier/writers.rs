//! Who may still write outbox rows, and with which ids.

use crate::cursor::IdRange;

/// The transactions that may still write outbox rows, at one moment.
#[derive(Debug)]
pub struct Writers {
    /// Newer than every transaction that had begun to write before this was asked; only when it was asked for.
    pub bound: Option<u64>,
    /// All that hold the mark or a window.
    pub running: Vec<Writer>,
}

/// An open transaction that has said that it writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// Its id; none if it could not be identified.
    pub xid: Option<u64>,
    /// Its windows: an outbox id outside of them is not its own.
    pub windows: Vec<IdRange>,
}

impl Writer {
    /// One that has not said which ids it may own.
    #[must_use]
    pub fn of_any(xid: Option<u64>) -> Self {
        Self { xid, windows: vec![(0, i64::MAX)] }
    }
}

impl Writers {
    /// Whether one of them could not be identified.
    #[must_use]
    pub fn has_unidentified(&self) -> bool {
        self.running.iter().any(|writer| writer.xid.is_none())
    }

    /// The ids of all that could be identified.
    pub fn xids(&self) -> impl Iterator<Item = u64> {
        self.running.iter().filter_map(|writer| writer.xid)
    }

    /// The ids that those below the bound, or unidentified, may own: ascending and disjoint.
    pub(super) fn owned_below(&self, bound: u64) -> Vec<IdRange> {
        let owners = self.running.iter().filter(|writer| writer.xid.is_none_or(|xid| xid < bound));
        let mut windows: Vec<IdRange> = owners.flat_map(|writer| writer.windows.iter().copied()).collect();
        windows.sort_unstable();
        windows.dedup_by(|next, before| {
            let touching = next.0 <= before.1.saturating_add(1);
            if touching {
                before.1 = before.1.max(next.1);
            }
            touching
        });
        windows
    }
}

/// Whether two ranges have an id in common.
pub(super) fn meet(a: IdRange, b: IdRange) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

/// The parts of a range that are in `owned`, which is ascending and disjoint, and those that are not; together they are the range, in order.
pub(super) fn split((first, last): IdRange, owned: &[IdRange]) -> Vec<(IdRange, bool)> {
    let mut parts = Vec::new();
    let mut next = first;
    for &(start, end) in &owned[owned.partition_point(|&(_, end)| end < first)..] {
        if start > last {
            break;
        }
        if next < start {
            parts.push(((next, start - 1), false));
        }
        parts.push(((next.max(start), end.min(last)), true));
        if end >= last {
            return parts;
        }
        next = end + 1;
    }
    parts.push(((next, last), false));
    parts
}
