//! For the models in the tests: runs a world in miniature under many schedules, always the same ones.
//!
//! A model that finds nothing proves little: it may be blind. So each of them is also run with one of its rules broken, and has to find a schedule that
//! loses something. The seeds are fixed: what a model finds, it finds in every run.

use std::{fmt::Debug, ops::Range};

use proptest::{
    prelude::any,
    strategy::Strategy,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner},
};

/// What a run of a model ends with: an error says what went wrong.
pub(crate) type Verdict = Result<(), TestCaseError>;

/// What can happen next, and how often it does: a weight, and what it makes of a small number (below twelve, which many small numbers divide).
pub(crate) type Choices<M> = &'static [(u16, fn(usize) -> M)];

/// Schedules of so many moves. Each is made of one drawn number: a strategy for each kind of move would take longer than running the model.
pub(crate) fn schedules_of<M: Debug + 'static>(
    choices: Choices<M>,
    length: Range<usize>,
) -> impl Strategy<Value = Vec<M>> {
    let total: u16 = choices.iter().map(|&(weight, _)| weight).sum();
    let choose = move |drawn: u16| {
        let mut left = drawn % total;
        let chosen = choices.iter().find(|&&(weight, _)| left.checked_sub(weight).map(|rest| left = rest).is_none());
        let (_, make) = chosen.expect("the rest is below the total");
        make(usize::from(drawn / total % 12))
    };
    proptest::collection::vec(any::<u16>().prop_map(choose), length)
}

/// Runs `model` under `cases` schedules. If one goes wrong: the shortest that could be made of it, and what went wrong.
pub(crate) fn violation<S: Strategy>(
    cases: u32,
    schedules: &S,
    model: impl Fn(S::Value) -> Verdict,
) -> Option<(S::Value, String)>
where
    S::Value: Debug,
{
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    match runner.run(schedules, model) {
        Ok(()) => None,
        Err(TestError::Fail(reason, schedule)) => Some((schedule, reason.message().to_owned())),
        Err(TestError::Abort(reason)) => panic!("the model was not run: {reason}"),
    }
}

/// Runs `model` with all its rules in place, which must never go wrong.
#[track_caller]
pub(crate) fn holds<S: Strategy>(cases: u32, schedules: &S, model: impl Fn(S::Value) -> Verdict)
where
    S::Value: Debug,
{
    if let Some((schedule, reason)) = violation(cases, schedules, model) {
        panic!("{reason}, under {schedule:#?}");
    }
}

/// Runs `model` with a rule broken, which must be found out, and by what the rule is there to prevent.
#[track_caller]
pub(crate) fn finds<S: Strategy>(cases: u32, schedules: &S, expected: &str, model: impl Fn(S::Value) -> Verdict)
where
    S::Value: Debug,
{
    let found = violation(cases, schedules, |schedule| match model(schedule) {
        Err(TestCaseError::Fail(reason)) if reason.message().contains(expected) => Err(TestCaseError::Fail(reason)),
        _ => Ok(()),
    });
    assert!(found.is_some(), "the broken rule was not found out");
}
