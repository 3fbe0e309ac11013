//! What a process, with those that it has started, takes of the machine.

use std::{fs, path::Path, time::Duration};

/// Clock ticks a second, in which Linux tells processor time to everybody.
const TICKS: u32 = 100;

/// Where `/proc/…/stat` has what, counted from behind the name.
const PARENT: usize = 1;
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;

/// A process and its children.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process(pub(crate) u32);

impl Process {
    /// Processor time so far, in user space and in the kernel on its behalf.
    pub(crate) fn processor_time(self) -> Duration {
        let ticks = |process: &u32| {
            let fields = stat(*process).unwrap_or_default();
            let field = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<u32>().ok()).unwrap_or(0);
            field(USER_TICKS) + field(SYSTEM_TICKS)
        };
        Duration::from_secs(1) * self.family().iter().map(ticks).sum::<u32>() / TICKS
    }

    /// Processor time since it had taken so much.
    pub(crate) fn processor_time_since(self, before: Duration) -> Duration {
        self.processor_time().saturating_sub(before)
    }

    /// Resident memory, in bytes.
    pub(crate) fn memory(self) -> u64 {
        let resident = |process: &u32| {
            let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
            let line = status.lines().find(|line| line.starts_with("VmRSS:"));
            line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) * 1024
        };
        self.family().iter().map(resident).sum()
    }

    fn family(self) -> Vec<u32> {
        let mut family = vec![self.0];
        let all: Vec<(u32, u32)> = processes();
        let mut at = 0;
        while let Some(&parent) = family.get(at) {
            family.extend(all.iter().filter(|&&(_, of)| of == parent).map(|&(process, _)| process));
            at += 1;
        }
        family
    }
}

/// Every process, and its parent.
fn processes() -> Vec<(u32, u32)> {
    let names =
        fs::read_dir(Path::new("/proc")).unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let processes = names.filter_map(|name| name.parse().ok());
    processes.filter_map(|process| Some((process, stat(process)?.get(PARENT)?.parse().ok()?))).collect()
}

/// Its name may hold anything, and is left out.
fn stat(process: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_ascii_whitespace().map(str::to_owned).collect())
}
