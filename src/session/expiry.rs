//! The end of a token, which is the end of the stream that it opened: its client is told ahead of it, and may renew.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// How long before the end the client is told.
const NOTICE: Duration = Duration::from_mins(1);

/// When a stream's token expires.
#[derive(Debug)]
pub(super) struct Expiry {
    expires_at: Timestamp,
    end: Instant,
    told: bool,
}

impl Expiry {
    /// At this moment, by our clock.
    pub(super) fn new(expires_at: Timestamp) -> Self {
        let left = Duration::try_from(expires_at.duration_since(Timestamp::now())).unwrap_or_default();
        let now = Instant::now();
        // A time that is beyond all clocks is never reached.
        Self { expires_at, end: now.checked_add(left).unwrap_or(now + Duration::from_hours(1 << 16)), told: false }
    }

    /// The token has been renewed, if this is another moment.
    pub(super) fn renew(&mut self, expires_at: Timestamp) {
        if expires_at != self.expires_at {
            *self = Self::new(expires_at);
        }
    }

    /// Whether it is over.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        now >= self.end
    }

    /// The end of the token, if it is time to tell; once.
    pub(super) fn take_notice(&mut self, now: Instant) -> Option<Timestamp> {
        let due = !self.told && now >= self.notice_at();
        self.told |= due;
        due.then_some(self.expires_at)
    }

    /// When there is something to do next.
    pub(super) fn next(&self) -> Instant {
        if self.told { self.end } else { self.notice_at() }
    }

    fn notice_at(&self) -> Instant {
        self.end.checked_sub(NOTICE).unwrap_or(self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_client_is_told_a_minute_ahead_and_again_after_a_renewal() {
        tokio::time::sleep(NOTICE * 2).await;
        let begun = Instant::now();
        let first = Timestamp::now() + Duration::from_mins(10);
        let mut expiry = Expiry::new(first);
        assert_eq!(expiry.take_notice(begun), None);
        let notice = expiry.next();
        assert!((notice - begun).abs_diff(Duration::from_mins(9)) < Duration::from_secs(1));
        assert_eq!(expiry.take_notice(notice), Some(first));
        assert_eq!(expiry.take_notice(notice), None, "once");
        assert!(!expiry.is_over(notice) && expiry.is_over(expiry.next()));
        let second = first + Duration::from_mins(10);
        expiry.renew(second);
        assert!(!expiry.is_over(notice + NOTICE));
        assert_eq!(expiry.take_notice(expiry.next()), Some(second));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_with_less_than_a_minute_left_is_told_of_at_once() {
        tokio::time::sleep(NOTICE * 2).await;
        let expires_at = Timestamp::now() + Duration::from_secs(5);
        assert_eq!(Expiry::new(expires_at).take_notice(Instant::now()), Some(expires_at));
        assert!(Expiry::new(Timestamp::now() - Duration::from_secs(5)).is_over(Instant::now()));
        assert!(!Expiry::new(Timestamp::MAX).is_over(Instant::now()));
    }
}
