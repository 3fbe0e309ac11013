//! What an event tells of the calls that led to it, as a text: file, line and function. What was in variables, requests and sources stays with Sentry.

use std::fmt::Write;

use super::{
    report::bounded,
    webhook::{Exception, Frame},
};

/// The most exceptions of a chain, calls of each, letters of a name, and letters in all. Those nearest to the fault are kept.
const MOST_EXCEPTIONS: usize = 5;
const MOST_FRAMES: usize = 50;
const LONGEST_NAME: usize = 200;
const LONGEST: usize = 8 * 1024;

/// The stacks of a chain of exceptions: the cause first, and in each the call that failed last.
pub(super) fn text(chain: &[Option<Exception>]) -> Option<String> {
    let mut text = String::new();
    let chain: Vec<&Exception> = chain.iter().flatten().collect();
    for exception in &chain[chain.len().saturating_sub(MOST_EXCEPTIONS)..] {
        let frames = exception.stacktrace.iter().flat_map(|stack| &stack.frames).flatten().flatten();
        let frames: Vec<&Frame> = frames.collect();
        if frames.is_empty() {
            continue;
        }
        let left_out = frames.len().saturating_sub(MOST_FRAMES);
        let kind = exception.kind.as_deref().and_then(|kind| bounded(kind, LONGEST_NAME));
        // Writing to a String does not fail.
        let _ = writeln!(text, "{}:", kind.as_deref().unwrap_or("error"));
        if left_out > 0 {
            let _ = writeln!(text, "  … {left_out} earlier calls");
        }
        for frame in &frames[left_out..] {
            let _ = writeln!(text, "  {}", line(frame));
        }
    }
    let text = text.trim_end();
    // From its end, where the fault is.
    let cut =
        text.char_indices().rev().nth(LONGEST).map(|(at, _)| text[at..].find('\n').map_or(at, |end| at + end + 1));
    let text = cut.map_or_else(|| text.to_owned(), |at| format!("…\n{}", &text[at..]));
    (!text.is_empty()).then_some(text)
}

fn line(frame: &Frame) -> String {
    // Of a page's script the address, but not what was asked of it.
    let file = frame.filename.as_deref().map(|file| file.split(['?', '#']).next().unwrap_or_default());
    let file = file.or(frame.module.as_deref()).and_then(|file| bounded(file, LONGEST_NAME));
    let function = frame.function.as_deref().and_then(|function| bounded(function, LONGEST_NAME));
    let line = frame.lineno.map(|line| format!(":{line}")).unwrap_or_default();
    let function = function.map(|function| format!(" in {function}")).unwrap_or_default();
    format!("{}{line}{function}", file.as_deref().unwrap_or("?"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(chain: Value) -> Option<String> {
        text(&serde_json::from_value::<Vec<Option<Exception>>>(chain).unwrap())
    }

    #[test]
    fn the_call_that_failed_is_last_and_nothing_but_places_is_told() {
        let frames = json!([
            {"filename": "app/main.py", "function": "serve", "lineno": 10, "vars": {"password": "hunter2"}, "context_line": "hunter2"},
            {"filename": "https://a.example/x.js?token=hunter2#hunter2", "function": null, "lineno": null},
            {"filename": null, "module": "app.db", "function": "ask\nhunter", "lineno": 3},
        ]);
        let chain = json!([
            {"type": "KeyError", "value": "hunter2", "stacktrace": {"frames": frames}},
            {"type": "Later", "value": "hunter2", "stacktrace": null},
            {"type": null, "stacktrace": {"frames": [{}]}},
        ]);
        let expected =
            "KeyError:\n  app/main.py:10 in serve\n  https://a.example/x.js\n  app.db:3 in ask hunter\nerror:\n  ?";
        assert_eq!(of(chain).as_deref(), Some(expected));
        assert_eq!((of(json!([])), of(json!([{"type": "KeyError"}]))), (None, None));
    }

    #[test]
    fn however_long_it_is_what_is_kept_is_its_end() {
        let frames = |count: u32| (1..=count).map(|line| json!({"filename": "ü".repeat(300), "lineno": line}));
        let deep = of(json!([{"type": "Deep", "stacktrace": {"frames": frames(60).collect::<Vec<_>>()}}])).unwrap();
        assert!(deep.chars().count() <= LONGEST + 2 && deep.starts_with("…\n  ü") && deep.ends_with(":60"), "{deep}");
        let short = (1..=60).map(|line| json!({"filename": "a", "lineno": line})).collect::<Vec<_>>();
        let short = of(json!([{"type": "Deep", "stacktrace": {"frames": short}}])).unwrap();
        assert!(short.starts_with("Deep:\n  … 10 earlier calls\n  a:11\n"), "{short}");
    }
}
