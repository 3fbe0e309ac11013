//! Whether it is told what users do with their streams.

use clap::Args;

/// User activity.
#[derive(Args, Clone)]
pub struct Activity {
    /// Tell of streams that are opened, closed and changed, as user_activity events.
    #[arg(long, env = "ROWCAST_ACTIVITY", default_value_t = false, num_args = 0..=1, default_missing_value = "true", action = clap::ArgAction::Set)]
    pub activity: bool,

    /// Events of user activity a second, half of them for streams that are closed; what is over is told in sums. A quiet time saves up for five seconds.
    #[arg(long, env = "ROWCAST_ACTIVITY_PER_SECOND", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub activity_per_second: u32,
}
