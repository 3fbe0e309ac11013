//! What came out: rounds, medians, ratios, and whether they are what we want to reach.

use std::{fs, path::Path};

use serde::Serialize;
use serde_json::json;

use crate::machine;

/// What a figure is to reach.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Goal {
    /// At least so many times the peer's.
    AtLeastTimes(f64),
    /// At most so many times the peer's.
    AtMostTimes(f64),
    /// At most this.
    AtMost(f64),
    /// It is told for comparison.
    None,
}

/// One line of the table.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: String,
    /// In which unit.
    pub(crate) unit: &'static str,
    /// rowcast's, by round.
    pub(crate) ours: Vec<f64>,
    /// Whom it is compared with, and theirs.
    pub(crate) peer: Option<(String, Vec<f64>)>,
    /// What it is to reach.
    pub(crate) goal: Goal,
}

/// All of them.
#[derive(Default)]
pub(crate) struct Figures(Vec<Figure>);

impl Figure {
    fn ratio(&self) -> Option<f64> {
        self.peer.as_ref().map(|(_, theirs)| median(&self.ours) / median(theirs))
    }

    fn reached(&self) -> Option<bool> {
        let (ours, ratio) = (median(&self.ours), self.ratio());
        match self.goal {
            Goal::AtLeastTimes(times) => ratio.map(|ratio| ratio >= times),
            Goal::AtMostTimes(times) => ratio.map(|ratio| ratio <= times),
            Goal::AtMost(most) => Some(ours <= most),
            Goal::None => None,
        }
    }
}

impl Figures {
    pub(crate) fn add(&mut self, figure: Figure) {
        self.0.push(figure);
    }

    /// Prints the table, and writes what it was made of to `bench/results`.
    pub(crate) fn report(&self) {
        println!();
        println!("| what | rowcast | beside | ratio | to reach | |");
        println!("|---|---:|---:|---:|---:|---|");
        for figure in &self.0 {
            let theirs = figure
                .peer
                .as_ref()
                .map_or_else(String::new, |(name, theirs)| format!("{name} {}", number(median(theirs))));
            let ratio = figure.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            let goal = match figure.goal {
                Goal::AtLeastTimes(times) => format!("≥ {times}×"),
                Goal::AtMostTimes(times) => format!("≤ {times}×"),
                Goal::AtMost(most) => format!("≤ {}", number(most)),
                Goal::None => String::new(),
            };
            let reached = figure.reached().map_or("", |reached| if reached { "reached" } else { "not reached" });
            println!(
                "| {}, {} | {} | {theirs} | {ratio} | {goal} | {reached} |",
                figure.what,
                figure.unit,
                number(median(&figure.ours))
            );
        }
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/results");
        let results = json!({ "machine": machine::describe(), "figures": self.0 });
        let name = format!("{}.json", jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%S"));
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(&name), serde_json::to_string_pretty(&results).unwrap()).unwrap();
        println!("\nRounds, machine and versions: bench/results/{name}");
    }
}

/// The middle one.
pub(crate) fn median(rounds: &[f64]) -> f64 {
    let mut sorted = rounds.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// Three digits that mean something.
fn number(value: f64) -> String {
    let digits: usize = if value.abs() >= 100.0 {
        0
    } else if value.abs() >= 10.0 {
        1
    } else {
        2
    };
    let text = format!("{value:.digits$}");
    if digits > 0 || text.len() < 5 {
        return text;
    }
    let (sign, plain) = text.strip_prefix('-').map_or(("", &*text), |plain| ("-", plain));
    let groups: Vec<&str> =
        plain.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    format!("{sign}{}", groups.join(","))
}
