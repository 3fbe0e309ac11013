//! Whatever comes from outside and has to be read: cursors, tokens and tickets, query strings, headers and cookies, bodies, requests as bytes, and the expressions and JSON of a DBA. Long runs of properties.
//!
//! `cargo test` tries some hundred cases of each; `make fuzz` goes on for ten minutes with each. Settings:
//! - `ROWCAST_FUZZ_SECONDS`: for how long each property is tried.
//! - `PROPTEST_RNG_SEED`: the cases of another run. A case that failed is shown, as small as it can be made.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bodies;
mod cursors;
mod expressions;
#[path = "../it/harness/mod.rs"]
mod harness;
mod queries;
mod requests;
mod tokens;
mod webhooks;

use std::{
    fmt::Debug,
    time::{Duration, Instant},
};

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseError, TestRunner},
};

/// Tries `check` on this many values, or for as long as `ROWCAST_FUZZ_SECONDS` says.
#[track_caller]
fn try_out<S: Strategy<Value: Debug>>(cases: u32, strategy: &S, check: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let seconds = std::env::var("ROWCAST_FUZZ_SECONDS").ok().filter(|text| !text.is_empty());
    let until = seconds.map(|text| Instant::now() + Duration::from_secs(text.parse().expect("a number of seconds")));
    // Nothing is kept of a failure: it is shown, and becomes a test of its own.
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    loop {
        if let Err(failure) = runner.run(strategy, &check) {
            panic!("{failure}");
        }
        if until.is_none_or(|until| Instant::now() >= until) {
            return;
        }
    }
}
