//! What may be wrong with a running server, as far as it tells everybody.

use bytes::Bytes;
use hyper::Request;

use crate::{
    client,
    postgres::doctor::{Check, Finding, Level},
};

const LIVE: Check = Check {
    code: "server_live",
    fine: "the server answers",
    why: "nobody can connect, or something in front of it is in the way",
};
const READY: Check = Check {
    code: "server_ready",
    fine: "the server is ready",
    why: "it cannot reach its database, or has not caught up: streams stay open and silent",
};
const VERSION: Check = Check {
    code: "server_version",
    fine: "the server runs this version of rowcast",
    why: "what this doctor says of the database may be wrong for that server",
};
const LISTENER: Check = Check {
    code: "server_listener",
    fine: "the server hears notifications",
    why: "events come by polling, up to a second late",
};
const TAILER: Check =
    Check { code: "server_tailer", fine: "the server reads the outbox", why: "no event reaches anybody until it does" };
const LAG: Check =
    Check { code: "server_lag", fine: "events reach clients at once", why: "people see what happened seconds ago" };

pub(super) const CHECKS: [Check; 6] = [LIVE, READY, VERSION, LISTENER, TAILER, LAG];

/// A listener notifies itself every few seconds; this much silence means that it does not hear.
const DEAF: f64 = 30.0;

/// A tailer reads at least once a second.
const STUCK: f64 = 5.0;

/// The mean of the time from a row's write to a client's socket. Long transactions of the app count in.
const LATE: f64 = 1.0;

/// Looks at the server at `url`.
pub(super) async fn examine(url: &str) -> Vec<Finding> {
    match get(url, "/livez").await {
        Ok((200, _)) => {}
        Ok((status, _)) => {
            return vec![LIVE.finding(
                Level::Problem,
                format!("GET /livez answers {status}"),
                "is this the address of rowcast?",
            )];
        }
        Err(error) => {
            let fix = "look whether it runs and at which address (ROWCAST_LISTEN_ADDR), and into its log: journalctl -u rowcast";
            return vec![LIVE.finding(Level::Problem, format!("{error:#}"), fix)];
        }
    }
    let ready = match get(url, "/readyz").await {
        Ok((200, _)) => READY.fine(),
        Ok((status, _)) => READY.finding(
            Level::Problem,
            format!("GET /readyz answers {status}"),
            "look into its log, and at `connection` above",
        ),
        Err(error) => READY.finding(Level::Problem, format!("{error:#}"), "look into its log"),
    };
    let mut findings = vec![LIVE.fine(), ready];
    findings.extend(match get(url, "/metrics").await {
        Ok((200, text)) => judge(&Figures(&text)),
        Ok((status, _)) => {
            let fix = "give the address of ROWCAST_METRICS_ADDR, or start the server without that setting";
            vec![TAILER.finding(
                Level::Unknown,
                format!("GET /metrics answers {status}: its figures are elsewhere"),
                fix,
            )]
        }
        Err(error) => vec![TAILER.finding(Level::Unknown, format!("{error:#}"), "")],
    });
    findings
}

/// The text of `/metrics`.
struct Figures<'a>(&'a str);

impl Figures<'_> {
    fn get(&self, name: &str) -> Option<f64> {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }

    fn version(&self) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix("rowcast_build_info{version=\"")?.split('"').next())
    }
}

fn judge(figures: &Figures<'_>) -> Vec<Finding> {
    let ours = env!("CARGO_PKG_VERSION");
    let version = match figures.version() {
        Some(theirs) if theirs == ours => VERSION.fine(),
        Some(theirs) => {
            let what = format!("the server runs rowcast {theirs}, this is {ours}");
            VERSION.finding(Level::Warning, what, "use the doctor of the same version")
        }
        None => {
            VERSION.finding(Level::Unknown, "these are not the figures of rowcast", "is this the address of rowcast?")
        }
    };
    let mean = |name: &str| {
        let count = figures.get(&format!("{name}_count")).filter(|&count| count > 0.0)?;
        Some(figures.get(&format!("{name}_sum"))? / count)
    };
    let over = |check: Check, found: Option<f64>, limit: f64, what: &str, fix: &str| match found {
        Some(seconds) if seconds > limit => check.finding(Level::Warning, format!("{what} {seconds:.1} s"), fix),
        _ => check.fine(),
    };
    vec![
        version,
        over(
            LISTENER,
            figures.get("rowcast_listener_age_seconds"),
            DEAF,
            "it has heard nothing, not even itself, for",
            "see `listener` and `pooler` above",
        ),
        over(
            TAILER,
            figures.get("rowcast_tailer_age_seconds"),
            STUCK,
            "it has not read the outbox for",
            "look into its log: the database is away or slow",
        ),
        over(
            LAG,
            mean("rowcast_delivery_lag_seconds"),
            LATE,
            "since its start events took on average",
            "see `long_transactions` above, and rowcast_delivery_lag_seconds in docs/operations.md",
        ),
    ]
}

/// The status and body of the answer.
async fn get(url: &str, path: &str) -> anyhow::Result<(u16, String)> {
    let request = Request::get(format!("{}{path}", url.trim_end_matches('/'))).body(Bytes::new());
    // The only thing in it that can be wrong is the URL.
    let request = request.map_err(|_| client::Error::Scheme)?;
    let response = client::send(request).await?;
    Ok((response.status().as_u16(), String::from_utf8_lossy(response.body()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: &str = concat!(
        "# TYPE rowcast_tailer_age_seconds gauge\nrowcast_tailer_age_seconds 0.4\nrowcast_listener_age_seconds 3.1\n",
        "rowcast_delivery_lag_seconds_sum 0.5\nrowcast_delivery_lag_seconds_count 100\nrowcast_build_info{version=\"",
        env!("CARGO_PKG_VERSION"),
        "\"} 1\n# EOF\n"
    );

    fn bad(text: &str) -> Vec<&'static str> {
        let findings = judge(&Figures(text));
        findings.iter().filter(|finding| finding.level > Level::Ok).map(|finding| finding.code).collect()
    }

    #[test]
    fn figures_are_judged() {
        assert_eq!(bad(WELL), Vec::<&str>::new());
        assert_eq!(bad(&WELL.replace("listener_age_seconds 3.1", "listener_age_seconds 31")), ["server_listener"]);
        assert_eq!(bad(&WELL.replace("tailer_age_seconds 0.4", "tailer_age_seconds 90.2")), ["server_tailer"]);
        assert_eq!(bad(&WELL.replace("lag_seconds_sum 0.5", "lag_seconds_sum 500")), ["server_lag"]);
        assert_eq!(bad(&WELL.replace(env!("CARGO_PKG_VERSION"), "99.0.0")), ["server_version"]);
        assert_eq!(bad("<html>"), ["server_version"]);
    }

    #[tokio::test]
    async fn what_is_no_server_is_said() {
        for (url, said) in [("ftp://example.com", "expected a URL"), ("nonsense", "expected a URL")] {
            let findings = examine(url).await;
            assert_eq!((findings.len(), findings[0].level), (1, Level::Problem));
            assert!(findings[0].what.contains(said), "{}", findings[0].what);
        }
    }
}
