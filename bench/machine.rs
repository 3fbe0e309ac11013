//! Where and with what it was measured.

use std::{fs, process::Command};

use serde_json::{Value, json};

/// What the figures depend on: machine, versions, commit.
pub(crate) fn describe() -> Value {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        processor.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1).map(str::to_owned));
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes = memory.lines().next().and_then(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok());
    json!({
        "measuredAt": jiff::Timestamp::now().to_string(),
        "processor": model,
        "processors": std::thread::available_parallelism().map_or(0, usize::from),
        "memoryMiB": kilobytes.map(|kilobytes| kilobytes / 1024),
        "kernel": told_by("uname", &["-sr"]),
        "load": fs::read_to_string("/proc/loadavg").ok().map(|load| load.trim().to_owned()),
        "rustc": told_by("rustc", &["--version"]),
        "commit": told_by("git", &["describe", "--always", "--dirty", "--abbrev=12"]),
    })
}

/// The first line that a program tells.
pub(crate) fn told_by(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    let told = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8(told).ok()?.lines().next().map(str::to_owned)
}
