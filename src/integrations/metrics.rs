//! The figures of chatbots for apps that have none themselves: computed again and again from their messages, by one server at a time. The arithmetic is done where the
//! messages are (`sql/functions/69_measured.sql`); here is when, and what people are told of it.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::duty::{Duty, Work};
use crate::postgres::{
    self, Connection,
    measuring::{self, Outcome},
};

/// Measures every `interval`, over a `window` that ends then, until `shutdown`.
pub async fn run(duty: Duty, interval: Duration, window: Duration, shutdown: CancellationToken) {
    let measuring = Measuring { server: duty.server.clone(), window, told: Told::default() };
    duty.perform(interval, shutdown, measuring).await;
}

struct Measuring {
    server: Box<str>,
    window: Duration,
    told: Told,
}

impl Work for Measuring {
    async fn turn(&mut self, connection: Connection) -> Result<(), postgres::Error> {
        let outcome = measuring::measure(&connection, self.window, &self.server).await?;
        self.told.tell(&outcome);
        Ok(())
    }
}

/// What people have been told already: they are told again only when it has changed.
#[derive(Debug, Default)]
struct Told {
    is_unset: bool,
    has_left_out: bool,
    unpriced_models: Vec<String>,
}

impl Told {
    fn tell(&mut self, outcome: &Outcome) {
        let was_unset = std::mem::replace(&mut self.is_unset, *outcome == Outcome::Unset);
        let measured = match outcome {
            Outcome::Unset if was_unset => return,
            Outcome::Unset => {
                return warn!("nothing is measured: call rowcast.use_messages() with a query for the app's messages");
            }
            Outcome::Busy => return debug!("somebody else is measuring"),
            Outcome::Lost => return debug!("another server measures by now"),
            Outcome::Measured(measured) => measured,
        };
        if was_unset {
            info!("there are messages to measure by from now on");
        }
        debug!(chatbots = measured.chatbots, messages = measured.messages, "measured");
        let had_left_out = std::mem::replace(&mut self.has_left_out, measured.left_out > 0);
        if measured.left_out > 0 && !had_left_out {
            warn!(
                messages = measured.left_out,
                "not counted: they have no chatbot, organization or session in rowcast.messages, or a role other than user, bot and system"
            );
        }
        if measured.unpriced_models != self.unpriced_models {
            if !measured.unpriced_models.is_empty() {
                warn!(models = ?measured.unpriced_models, "no price in rowcast.model_prices: their cost is counted as 0");
            }
            self.unpriced_models.clone_from(&measured.unpriced_models);
        }
    }
}
