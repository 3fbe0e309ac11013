//! The log, read as sessions read it.

mod model;

use super::*;

fn organizations(names: &[&str]) -> Interest {
    Interest::Organizations(names.iter().map(|&name| name.into()).collect())
}

/// Reads to the end in pieces of `max_bytes`; with each piece, what the client has seen after it.
fn drain(log: &Log, mut position: Position, interest: &Interest, max_bytes: usize) -> Vec<(Vec<i64>, Arc<Cursor>)> {
    let mut pieces = Vec::new();
    loop {
        let Read::Entries { entries, cursor, position: next, at_end } = log.read(position, interest, max_bytes) else {
            panic!("position {position} is gone");
        };
        pieces.push((entries.iter().map(|entry| entry.event.id).collect(), cursor));
        position = next;
        if at_end {
            return pieces;
        }
    }
}

pub(super) fn is_woken(subscription: &Subscription) -> bool {
    subscription.bell().hear()
}

#[test]
fn wakes_those_whose_organizations_have_something_new() {
    let log = Log::new(1 << 20, 0);
    let [mut one, two, staff] =
        [organizations(&["o1"]), organizations(&["o2"]), Interest::Everything].map(|interest| log.subscribe(interest));
    log.append(vec![Event::sample(1, Some("o1"))], Cursor::up_to(1));
    assert_eq!([&one, &two, &staff].map(is_woken), [true, false, true]);
    log.append(vec![Event::sample(2, None)], Cursor::up_to(2));
    assert_eq!([&one, &two, &staff].map(is_woken), [true, true, true]);
    one.set_interest(organizations(&["o3"]));
    log.append(vec![Event::sample(3, Some("o1"))], Cursor::up_to(3));
    assert_eq!([&one, &two, &staff].map(is_woken), [false, false, true]);
}

#[test]
fn what_nobody_may_see_is_not_kept_but_moves_the_cursor() {
    let log = Log::new(1 << 20, 0);
    log.append(vec![Event { audience: Audience::Nobody, ..Event::sample(1, Some("o1")) }], Cursor::up_to(1));
    assert_eq!(drain(&log, 0, &Interest::Everything, 1_000), [(vec![], Arc::new(Cursor::up_to(1)))]);
}

#[test]
fn who_falls_off_the_old_end_is_told_so() {
    let log = Log::new(Event::sample(1, Some("o1")).size() * 3, 0);
    for id in 1..=10 {
        log.append(vec![Event::sample(id, Some("o1"))], Cursor::up_to(id));
    }
    assert!(matches!(log.read(0, &Interest::Everything, 1_000), Read::Gone));
    assert_eq!(log.position_after(&Cursor::up_to(6)), None);
    let position = log.position_after(&Cursor::up_to(8)).unwrap();
    assert_eq!(drain(&log, position, &organizations(&["o1"]), 100_000)[0].0, [9, 10]);
}

#[test]
fn who_missed_nothing_has_not_fallen_off() {
    let log = Log::new(Event::sample(1, Some("busy")).size() * 3, 0);
    for id in 1..=20 {
        log.append(vec![Event::sample(id, Some("busy"))], Cursor::up_to(id));
    }
    assert_eq!(drain(&log, 0, &organizations(&["quiet"]), 1_000), [(vec![], Arc::new(Cursor::up_to(20)))]);
}

#[test]
fn an_old_gap_that_is_still_open_keeps_nobody_out_of_the_log() {
    let log = Log::new(Event::sample(1, Some("o1")).size() * 3, 0);
    for id in 2..=10 {
        log.append(vec![Event::sample(id, Some("o1"))], Cursor::with_gaps(id, [(1, 1)]));
    }
    assert!(log.position_after(&Cursor::with_gaps(8, [(1, 1)])).is_some());
    log.append(vec![Event::sample(1, Some("o1"))], Cursor::up_to(10));
    log.append(
        vec![Event::sample(11, Some("o1")), Event::sample(12, Some("o1")), Event::sample(13, Some("o1"))],
        Cursor::up_to(13),
    );
    assert_eq!(log.position_after(&Cursor::with_gaps(12, [(1, 1)])), None, "1 has come and gone since");
}
