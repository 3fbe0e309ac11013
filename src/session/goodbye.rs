//! How a stream ends: when it does so by itself, and what its client is told, with a moment of its own at which to come back.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::sse::{self, CloseReason, ConnectionStatus};

/// When clients come back that were sent away: after the first, and within the second, each at its own moment.
const RETRY_LATER: (Duration, Duration) = (Duration::from_millis(750), Duration::from_secs(4));

/// The same for those who may come back to the same server.
const RETRY_AT_ONCE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(450));

/// By which part of its time a stream may end early, so that those that were opened together do not end together.
const MAX_STREAM_SPREAD: f64 = 0.2;

/// What is said to a client that cannot be served now: it comes back by itself, at a moment of its own.
#[must_use]
pub fn unavailable() -> String {
    closing(CloseReason::Unavailable)
}

/// The last frame of a stream.
pub(super) fn closing(reason: CloseReason) -> String {
    let (least, spread) = match reason {
        CloseReason::MaxStream => RETRY_AT_ONCE,
        _ => RETRY_LATER,
    };
    let retry = least + spread.mul_f64(fastrand::f64());
    sse::retry_line(retry) + &sse::status_frame(&ConnectionStatus::Closing { reason }, None, Timestamp::now())
}

/// When a stream that may last so long ends: never later, as whatever is behind that limit would cut it off, and each at a moment of its own.
pub(super) fn ends_at(longest: Duration) -> Option<Instant> {
    Instant::now().checked_add(longest.mul_f64(1.0 - MAX_STREAM_SPREAD * fastrand::f64()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_that_begin_together_end_apart_and_never_late() {
        let longest = Duration::from_secs(100);
        let now = Instant::now();
        let lengths: Vec<Duration> = (0..1_000).map(|_| ends_at(longest).unwrap() - now).collect();
        let (first, last) = (lengths.iter().min().unwrap(), lengths.iter().max().unwrap());
        assert!(*first >= longest.mul_f64(0.8) && *last <= longest + now.elapsed(), "{first:?} to {last:?}");
        assert!(*last > *first + longest.mul_f64(0.15), "{first:?} to {last:?}");
    }
}
