//! Every client is an open file, and systems allow few of them unless asked.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use tracing::{debug, warn};

/// So many clients we mean to serve.
const CLIENTS: u64 = 10_000;

/// Files that are no clients: the database, the listener, standard streams, and some to spare.
const OTHERS: u64 = 100;

/// Takes as many as the system lets us have. Says so when those are too few. Returns for how many connections there is room.
pub(super) fn raise_limit() -> u32 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return u32::MAX };
    let limit = wanted(soft, hard);
    let raised = setrlimit(Resource::RLIMIT_NOFILE, limit, hard);
    match raised {
        Ok(()) => debug!(limit, "open files"),
        Err(error) => warn!(%error, limit, "the limit of open files could not be raised"),
    }
    if let Some(clients) = too_few(limit) {
        warn!(
            limit,
            "there is room for about {clients} clients: each is an open file; raise the hard limit (ulimit -Hn, or LimitNOFILE= of systemd)"
        );
    }
    let limit = if raised.is_ok() { limit } else { soft };
    u32::try_from(limit.saturating_sub(OTHERS)).unwrap_or(u32::MAX)
}

fn wanted(soft: u64, hard: u64) -> u64 {
    soft.max(CLIENTS + OTHERS).min(hard)
}

/// How many clients fit, if those are fewer than should.
fn too_few(limit: u64) -> Option<u64> {
    let clients = limit.saturating_sub(OTHERS);
    (clients < CLIENTS).then_some(clients)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_are_needed_and_may_be_had() {
        assert_eq!(wanted(1_024, 524_288), 10_100);
        assert_eq!(wanted(65_536, 524_288), 65_536, "what was allowed stays allowed");
        assert_eq!(wanted(1_024, 4_096), 4_096);
        assert_eq!(too_few(10_100), None);
        assert_eq!(too_few(4_096), Some(3_996));
    }
}
