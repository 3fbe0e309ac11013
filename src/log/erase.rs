//! What `rowcast.erase` does to the log: events stay, what they say of the row goes.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use super::{Entry, Log};
use crate::event::Event;

/// What is left of the data, in the outbox too.
const ERASED: &str = r#"{"erased": true}"#;

impl Log {
    /// Replaces what events say of a row: who reads them from now on does not learn it any more.
    pub fn erase(&self, source: &str, source_key: &str) {
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        let concerned = |entry: &Entry| {
            entry.event.source.as_deref() == Some(source) && entry.event.source_key.as_deref() == Some(source_key)
        };
        for batch in &mut recent.batches {
            for entry in batch.entries.iter_mut().filter(|entry| concerned(entry)) {
                // Another entry, not this one changed: sessions share it, and the frames that were rendered go with it.
                *entry = Arc::new(Entry::new(Event { data: ERASED.into(), ..entry.event.clone() }));
            }
            batch.bytes = batch.entries.iter().map(|entry| entry.event.size()).sum();
        }
        recent.bytes = recent.batches.iter().map(|batch| batch.bytes).sum();
        // Before anybody can read again.
        self.edition.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cursor::Cursor,
        log::{Interest, Read},
    };

    fn data(log: &Log) -> Vec<String> {
        let Read::Entries { entries, .. } = log.read(0, &Interest::Everything, usize::MAX) else {
            panic!("the log is large enough");
        };
        entries.iter().map(|entry| entry.event.data.to_string()).collect()
    }

    #[test]
    fn one_row_is_forgotten_and_no_other() {
        let log = Log::new(1 << 20, 0);
        let of_row = |id, source: &str, key: &str| Event {
            source: Some(source.into()),
            source_key: Some(key.into()),
            data: "x".repeat(1_000).into(),
            ..Event::sample(id, Some("o1"))
        };
        let kept = "x".repeat(1_000);
        log.append(vec![of_row(1, "public.docs", "7"), of_row(2, "public.docs", "8")], Cursor::up_to(2));
        log.append(
            vec![of_row(3, "public.docs", "7"), of_row(4, "public.notes", "7"), Event::sample(5, None)],
            Cursor::up_to(5),
        );
        let before = log.recent.read().unwrap().bytes;
        log.erase("public.docs", "7");
        assert_eq!(data(&log), [ERASED, &kept, ERASED, &kept, "{}"]);
        let freed = before - log.recent.read().unwrap().bytes;
        assert_eq!(freed, 2 * (1_000 - ERASED.len()), "the room is there for others");
    }
}
