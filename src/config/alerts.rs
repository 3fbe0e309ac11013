//! How often alert rules are judged.

use std::{str::FromStr, time::Duration};

use clap::Args;

use super::duration;

/// Alerts by the rules in `rowcast.alert_rules`. Without rules there is nothing to do, and next to nothing is done.
#[derive(Args, Clone)]
pub struct Alerts {
    /// How often new metrics are judged by the rules in rowcast.alert_rules, such as 1s, or `off`: not by this server.
    #[arg(long, env = "ROWCAST_ALERTS", default_value = "1s")]
    pub alerts: Evaluation,
}

/// How often, if at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evaluation {
    /// As often as this.
    Every(Duration),
    /// Not by this server.
    Off,
}

impl FromStr for Evaluation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" => Ok(Self::Off),
            _ => duration(text)
                .map(Self::Every)
                .map_err(|reason| format!("{reason}, or `off` to leave it to other servers or cron")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_judged_now_and_then_or_not_by_this_server() {
        assert_eq!("5s".parse(), Ok(Evaluation::Every(Duration::from_secs(5))));
        assert_eq!("off".parse(), Ok(Evaluation::Off));
        assert!(["", "0s", "never"].iter().all(|text| text.parse::<Evaluation>().unwrap_err().contains("`off`")));
    }
}
