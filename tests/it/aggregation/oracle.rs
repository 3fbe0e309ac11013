//! The same figures, computed another way.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

/// As the app has it.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) chatbot: Option<&'static str>,
    pub(super) organization: Option<&'static str>,
    pub(super) session: Option<i32>,
    pub(super) role: Option<&'static str>,
    pub(super) at: Timestamp,
    pub(super) response_time_ms: Option<f64>,
    pub(super) failed: Option<bool>,
    pub(super) input_tokens: Option<i32>,
    pub(super) output_tokens: Option<i32>,
    pub(super) model: Option<&'static str>,
    pub(super) satisfaction: Option<i32>,
}

/// What a model costs from some time on, in hundredths of a dollar for a million tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Price {
    pub(super) model: &'static str,
    pub(super) from: Timestamp,
    pub(super) input: i64,
    pub(super) output: i64,
}

/// A price in cents for a million, times tokens: 1e-8 dollars.
pub(super) const UNITS_PER_DOLLAR: f64 = 1e8;

/// An organization and one of its chatbots.
pub(super) type Key = (&'static str, &'static str);

/// Of one chatbot in one window.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures {
    pub(super) messages: i64,
    pub(super) active_conversations: i64,
    pub(super) p50: Option<f64>,
    pub(super) p95: Option<f64>,
    pub(super) success_rate: Option<f64>,
    pub(super) input_tokens: i64,
    pub(super) output_tokens: i64,
    pub(super) unpriced_tokens: i64,
    pub(super) unpriced_models: BTreeSet<String>,
    /// In 1e-8 dollars.
    pub(super) cost: i64,
    pub(super) satisfaction: Option<f64>,
}

impl Message {
    fn key(&self) -> Option<(Key, i32)> {
        let role = self.role?;
        if !["user", "bot", "system"].contains(&role) {
            return None;
        }
        Some(((self.organization?, self.chatbot?), self.session?))
    }

    pub(super) fn is_countable(&self) -> bool {
        self.key().is_some()
    }

    fn tokens(&self) -> (i64, i64) {
        (self.input_tokens.unwrap_or(0).into(), self.output_tokens.unwrap_or(0).into())
    }

    /// The last price of its model that was valid by then.
    fn cost(&self, prices: &[Price]) -> Option<i64> {
        let valid = prices.iter().filter(|price| Some(price.model) == self.model && price.from <= self.at);
        let price = valid.max_by_key(|price| price.from)?;
        let (input, output) = self.tokens();
        Some(input * price.input + output * price.output)
    }

    /// From the question to it, where it is an answer.
    fn answered_in(&self, all: &[Self]) -> Option<f64> {
        if self.response_time_ms.is_some() {
            return self.response_time_ms;
        }
        let mut questions: Vec<_> = all
            .iter()
            .filter(|message| message.role == Some("user") && message.key() == self.key() && message.at <= self.at)
            .collect();
        questions.sort_by_key(|message| message.at);
        let waited = self.at.duration_since(questions.last()?.at);
        (waited <= SignedDuration::from_hours(1)).then(|| waited.as_secs_f64() * 1_000.0)
    }
}

/// Between the two nearest of sorted values.
fn percentile(sorted: &[f64], percent: usize) -> Option<f64> {
    let place = sorted.len().checked_sub(1)? * percent;
    let (below, above) = (sorted[place / 100], sorted[place.div_ceil(100)]);
    let part = f64::from(u32::try_from(place % 100).unwrap()) / 100.0;
    Some(below + (above - below) * part)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap()))
}

/// Of all chatbots with a message from `since` to just before `until`.
pub(super) fn figures(all: &[Message], prices: &[Price], since: Timestamp, until: Timestamp) -> BTreeMap<Key, Figures> {
    let mut by_chatbot: BTreeMap<Key, Vec<&Message>> = BTreeMap::new();
    for message in all.iter().filter(|message| message.at >= since && message.at < until) {
        if let Some((key, _)) = message.key() {
            by_chatbot.entry(key).or_default().push(message);
        }
    }
    by_chatbot.into_iter().map(|(key, messages)| (key, figures_of(&messages, all, prices))).collect()
}

fn figures_of(messages: &[&Message], all: &[Message], prices: &[Price]) -> Figures {
    let mut figures = Figures { messages: i64::try_from(messages.len()).unwrap(), ..Figures::default() };
    let mut ratings: BTreeMap<i32, Vec<f64>> = BTreeMap::new();
    let mut times = Vec::new();
    let (mut answers, mut replies) = (0, 0);
    for message in messages {
        let stars = ratings.entry(message.session.unwrap()).or_default();
        stars.extend(message.satisfaction.map(f64::from));
        let (input, output) = message.tokens();
        figures.input_tokens += input;
        figures.output_tokens += output;
        match message.cost(prices) {
            Some(cost) => figures.cost += cost,
            None if input + output > 0 => {
                figures.unpriced_tokens += input + output;
                figures.unpriced_models.insert(message.model.unwrap_or("(none)").to_owned());
            }
            None => {}
        }
        if message.role == Some("bot") {
            replies += 1;
            if message.failed != Some(true) {
                answers += 1;
                times.extend(message.answered_in(all));
            }
        }
    }
    times.sort_by(f64::total_cmp);
    figures.active_conversations = i64::try_from(ratings.len()).unwrap();
    figures.p50 = percentile(&times, 50);
    figures.p95 = percentile(&times, 95);
    figures.success_rate = (replies > 0).then(|| f64::from(answers) / f64::from(replies));
    let of_sessions: Vec<f64> = ratings.values().filter_map(|stars| mean(stars)).collect();
    figures.satisfaction = mean(&of_sessions);
    figures
}
