//! When visitors ask, and how much: a slice of a real production trace (see `trace/README.md`), over and over.

use std::time::Duration;

use jiff::civil::DateTime;

use super::Error;

/// Pause between the last request of the trace and its first one, come round again.
const LAP_PAUSE: Duration = Duration::from_millis(200);

/// One request to a language model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Request {
    /// Since the start of the simulation.
    pub at: Duration,
    /// Size of the prompt with the conversation so far.
    pub context_tokens: i32,
    /// Size of the answer.
    pub generated_tokens: i32,
}

/// The endless sequence of requests.
#[derive(Debug)]
pub(super) struct Trace {
    requests: Vec<Request>,
    next: usize,
    lap_started: Duration,
}

impl Trace {
    pub(super) fn embedded() -> Result<Self, Error> {
        Self::parse(include_str!("trace/conversations.csv"))
    }

    fn parse(csv: &str) -> Result<Self, Error> {
        let mut requests: Vec<Request> = Vec::new();
        let mut first = None;
        for (index, text) in csv.lines().enumerate().skip(1) {
            let line = index + 1;
            let (time, context_tokens, generated_tokens) = fields(text).ok_or(Error::Trace { line })?;
            let since_first = time.duration_since(*first.get_or_insert(time));
            let at = Duration::try_from(since_first).map_err(|_| Error::Trace { line })?;
            requests.push(Request { at, context_tokens, generated_tokens });
        }
        if requests.is_empty() {
            return Err(Error::Trace { line: 1 });
        }
        Ok(Self { requests, next: 0, lap_started: Duration::ZERO })
    }

    /// The next request; the last is followed by the first.
    pub(super) fn next(&mut self) -> Request {
        let request = self.requests[self.next];
        let at = self.lap_started + request.at;
        self.next += 1;
        if self.next == self.requests.len() {
            self.next = 0;
            self.lap_started = at + LAP_PAUSE;
        }
        Request { at, ..request }
    }
}

fn fields(line: &str) -> Option<(DateTime, i32, i32)> {
    let mut fields = line.split(',');
    let time = fields.next()?.parse().ok()?;
    let context_tokens = fields.next()?.parse().ok()?;
    let generated_tokens = fields.next()?.parse().ok()?;
    fields.next().is_none().then_some((time, context_tokens, generated_tokens))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_trace_is_two_thousand_requests_in_seven_minutes() {
        let trace = Trace::embedded().unwrap();
        assert_eq!(trace.requests.len(), 2_000);
        assert_eq!(trace.requests[0], Request { at: Duration::ZERO, context_tokens: 374, generated_tokens: 44 });
        assert_eq!(trace.requests[1_999].at.as_secs(), 424);
        assert!(trace.requests.is_sorted_by_key(|request| request.at));
    }

    #[test]
    fn after_the_last_request_comes_the_first_again() {
        let mut trace = Trace::parse("heading\n2023-11-16 18:00:00,1,2\n2023-11-16 18:00:03.5,3,4\n").unwrap();
        let tokens = [trace.next(), trace.next(), trace.next(), trace.next()]
            .map(|request| (request.at.as_millis(), request.context_tokens));
        assert_eq!(tokens, [(0, 1), (3_500, 3), (3_700, 1), (7_200, 3)]);
    }

    #[test]
    fn a_line_that_is_no_request_is_named() {
        for (csv, wrong) in [
            ("heading\n2023-11-16 18:00:00,1,2\nnonsense\n", 3),
            ("heading\n2023-11-16 18:00:00,1,2,3\n", 2),
            ("heading\n", 1),
        ] {
            assert!(matches!(Trace::parse(csv), Err(Error::Trace { line }) if line == wrong), "{csv:?}");
        }
    }
}
