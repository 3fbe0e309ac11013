//! How often is written to one client: a client that is told a hundred times a second is better told all of it a little later, in one piece. Nothing is dropped; what
//! waits is in the log.

use std::time::Duration;

use tokio::time::Instant;

/// For how long writes may come as they like, before they are spread evenly.
const SLACK: Duration = Duration::from_secs(1);

/// The pace of one stream: a leaky bucket, of which only the moment is kept at which it would be empty.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    empty_at: Instant,
}

impl Pace {
    /// At most so many writes a second, for more than a second.
    pub(super) fn new(per_second: u32) -> Self {
        Self { interval: Duration::from_secs(1) / per_second.max(1), empty_at: Instant::now() }
    }

    /// There was a write. One that could not wait makes the next one wait no longer than any other.
    pub(super) fn note_write(&mut self, now: Instant) {
        self.empty_at = (self.empty_at.max(now) + self.interval).min(now + SLACK + self.interval);
    }

    /// Until when the next write should wait; none if it need not.
    pub(super) fn wait_until(&self, now: Instant) -> Option<Instant> {
        let earliest = self.empty_at.checked_sub(SLACK)?;
        (earliest > now).then_some(earliest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn writes_come_as_they_like_for_a_second_and_then_evenly() {
        tokio::time::sleep(SLACK * 2).await;
        let begun = Instant::now();
        let mut pace = Pace::new(10);
        for _ in 0..10 {
            assert_eq!(pace.wait_until(begun), None);
            pace.note_write(begun);
        }
        pace.note_write(begun);
        let mut now = begun;
        for _ in 0..20 {
            let until = pace.wait_until(now).unwrap();
            assert_eq!(until - now, Duration::from_millis(100));
            now = until;
            pace.note_write(now);
        }
        assert_eq!(pace.wait_until(now + SLACK), None, "what was too much is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn writes_that_do_not_wait_cost_those_after_them_one_turn() {
        tokio::time::sleep(SLACK * 2).await;
        let now = Instant::now();
        let mut pace = Pace::new(2);
        (0..1_000).for_each(|_| pace.note_write(now));
        assert_eq!(pace.wait_until(now).unwrap() - now, Duration::from_millis(500));
    }
}
