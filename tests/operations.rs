//! docs/operations.md and docs/alerts.yml speak of what there is, and of all of it.

use std::collections::BTreeSet;

use rowcast::{cli, metrics::Metrics};

const OPERATIONS: &str = include_str!("../docs/operations.md");
const ALERTS: &str = include_str!("../docs/alerts.yml");

/// The figures made elsewhere than in the table of `src/metrics`.
const OTHERS: [&str; 2] = ["build_info", "start_time_seconds"];

fn figures() -> BTreeSet<String> {
    Metrics::NAMES.iter().chain(&OTHERS).map(|name| format!("rowcast_{name}")).collect()
}

/// The names of figures that a text mentions, without what Prometheus adds.
fn mentioned(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let suffixes = ["_total", "_bucket", "_sum", "_count"];
    let bare = |word: &str| suffixes.iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word).to_owned();
    let roles = ["rowcast_server", "rowcast_writer", "rowcast_reader", "rowcast_serve"];
    words.filter(|word| word.starts_with("rowcast_") && !roles.contains(word)).map(bare).collect()
}

#[test]
fn every_figure_is_explained_and_none_is_that_does_not_exist() {
    assert_eq!(mentioned(OPERATIONS), figures());
}

#[test]
fn alerts_are_about_figures_that_exist_and_name_findings_that_do() {
    let unknown: Vec<_> = mentioned(ALERTS).difference(&figures()).cloned().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let lines: Vec<_> = ALERTS.lines().filter_map(|line| line.split_once("finding").map(|(_, after)| after)).collect();
    assert!(lines.len() > 4, "no alert names a finding");
    for line in lines {
        let words = line.trim_start_matches('s').split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let known = |word: &str| cli::doctor_codes().contains(&word);
        assert!(words.clone().any(known), "no finding is named in {line}");
        let unknown: Vec<_> = words.filter(|word| word.contains('_') && !known(word)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn every_finding_is_explained_once() {
    for code in cli::doctor_codes() {
        let rows = OPERATIONS.lines().filter(|line| line.starts_with(&format!("| `{code}` |"))).count();
        assert_eq!(rows, 1, "{code}");
    }
    let codes: BTreeSet<_> = cli::doctor_codes().into_iter().collect();
    assert_eq!(codes.len(), cli::doctor_codes().len(), "two findings have the same name");
}
