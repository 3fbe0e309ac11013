//! How many rows may be written: so many a second, and a few seconds' worth at once after a quiet time. Pure.

use tokio::time::Instant;

/// For how many seconds what was not used is saved up.
const SAVED_SECONDS: f64 = 5.0;

/// What is left of it.
#[derive(Debug)]
pub(super) struct Allowance {
    per_second: f64,
    /// Below zero after something that was larger than all that can be saved up.
    left: f64,
    at: Instant,
}

impl Allowance {
    /// All that can be saved up.
    pub(super) fn new(per_second: f64, now: Instant) -> Self {
        Self { per_second, left: most(per_second), at: now }
    }

    /// Takes so many, if there are as many; of more than there can ever be, if nothing was taken lately.
    pub(super) fn take(&mut self, count: usize, now: Instant) -> bool {
        self.refill(now);
        let count = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        let granted = self.left >= count.min(most(self.per_second));
        if granted {
            self.left -= count;
        }
        granted
    }

    /// How many there are.
    pub(super) fn left(&mut self, now: Instant) -> u32 {
        self.refill(now);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is a small number, and none below zero"
        )]
        let whole = self.left.max(0.0) as u32;
        whole
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * self.per_second).min(most(self.per_second));
        self.at = now;
    }
}

/// One at least, or nothing would ever be written.
fn most(per_second: f64) -> f64 {
    (per_second * SAVED_SECONDS).max(1.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn granted(allowance: &mut Allowance, of: usize, now: Instant) -> usize {
        (0..of).filter(|_| allowance.take(1, now)).count()
    }

    #[test]
    fn a_storm_gets_what_was_saved_and_then_so_many_a_second() {
        let start = Instant::now();
        let mut allowance = Allowance::new(10.0, start);
        assert_eq!(granted(&mut allowance, 5_000, start), 50);
        for second in 1..=20 {
            assert_eq!(granted(&mut allowance, 5_000, start + Duration::from_secs(second)), 10, "second {second}");
        }
        assert_eq!(granted(&mut allowance, 5_000, start + Duration::from_hours(1)), 50, "no more is saved up");
    }

    #[test]
    fn what_is_larger_than_all_has_its_turn_and_is_paid_for() {
        let start = Instant::now();
        let mut allowance = Allowance::new(10.0, start);
        assert!(allowance.take(500, start));
        assert_eq!(allowance.left(start), 0);
        assert!(!allowance.take(1, start + Duration::from_secs(45)), "the debt is 450");
        assert!(allowance.take(1, start + Duration::from_secs(46)));
    }

    #[test]
    fn even_the_smallest_lets_something_through() {
        let start = Instant::now();
        let mut allowance = Allowance::new(0.1, start);
        assert_eq!((allowance.left(start), granted(&mut allowance, 10, start)), (1, 1));
        assert_eq!(granted(&mut allowance, 10, start + Duration::from_secs(10)), 1);
    }
}
