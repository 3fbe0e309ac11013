//! Random series against a model that finds by definition, from the whole series, when an alert fires and is over.

use super::Stage;

/// A rule above a threshold or below it, its times in seconds.
struct Rule {
    above: bool,
    threshold: f64,
    resolve: f64,
    hold: f64,
    window: Option<f64>,
    stale: f64,
}

/// When it was judged, and by which value.
struct Judged {
    at: f64,
    value: f64,
    /// When it was evaluated.
    now: f64,
}

impl Rule {
    fn random() -> Self {
        let (above, threshold) = (fastrand::bool(), 50.0);
        let margin = [0.0, 0.0, 10.0, 25.0][fastrand::usize(..4)];
        Self {
            above,
            threshold,
            resolve: if above { threshold - margin } else { threshold + margin },
            hold: [0.0, 0.0, 3.0, 10.0, 30.0][fastrand::usize(..5)],
            window: [None, Some(1.0), Some(8.0), Some(40.0)][fastrand::usize(..4)],
            stale: [5.0, 15.0, 1000.0][fastrand::usize(..3)],
        }
    }

    fn columns(&self) -> String {
        let window = self.window.map(|seconds| format!(", \"window\" => '{seconds} s'")).unwrap_or_default();
        let (sign, Self { threshold, resolve, hold, stale, .. }) = (if self.above { ">" } else { "<" }, self);
        format!(
            "comparison => '{sign}', threshold => {threshold}, resolve_threshold => {resolve}, \"for\" => '{hold} s', stale_after => '{stale} s'{window}"
        )
    }

    fn beyond(&self, value: f64, threshold: f64) -> bool {
        if self.above { value > threshold } else { value < threshold }
    }

    /// Since when this has been true without a break, up to the last of these.
    fn since(&self, judged: &[Judged], holds: impl Fn(f64) -> bool) -> Option<f64> {
        let mut since: Option<f64> = None;
        for sample in judged.iter().rev() {
            if !holds(sample.value) || since.is_some_and(|next| next - sample.at > self.stale) {
                break;
            }
            since = Some(sample.at);
        }
        since
    }

    /// When it fires and is over: `60 – 300`.
    fn alerts(&self, judged: &[Judged]) -> Vec<String> {
        let (mut alerts, mut fired, mut turned) = (Vec::new(), None::<f64>, 0);
        for n in 0..judged.len() {
            let sample = &judged[n];
            let last = n.checked_sub(1).map_or(sample.at, |before| judged[before].at);
            if let Some(at) = fired.filter(|_| sample.at - last > self.stale) {
                alerts.push(format!("{at} – {}", last + self.stale));
                (fired, turned) = (None, n);
            }
            let run = &judged[turned..=n];
            let held = |since: Option<f64>| since.is_some_and(|since| sample.at - since >= self.hold);
            match fired {
                None if held(self.since(run, |value| self.beyond(value, self.threshold)))
                    && sample.at >= sample.now - self.stale =>
                {
                    (fired, turned) = (Some(sample.at), n + 1);
                }
                Some(at) if held(self.since(run, |value| !self.beyond(value, self.resolve))) => {
                    alerts.push(format!("{at} – {}", sample.at));
                    (fired, turned) = (None, n + 1);
                }
                _ => {}
            }
        }
        alerts.extend(fired.map(|at| format!("{at}")));
        alerts
    }
}

#[tokio::test]
async fn every_alert_fires_and_is_over_when_the_definition_says_so() {
    let seed = fastrand::u64(..);
    fastrand::seed(seed);
    println!("seed {seed}");
    let stage = Stage::new().await;
    let rules: Vec<Rule> = (0..24).map(|_| Rule::random()).collect();
    for rule in &rules {
        stage.rule(&rule.columns()).await.unwrap();
    }
    // Samples of each chatbot in the order of their times, evaluated in pieces of random size.
    let mut series: Vec<Vec<(f64, f64, f64)>> = vec![Vec::new(); 4];
    let mut now = 0.0;
    for _ in 0..40 {
        let begin = now;
        for (chatbot, samples) in series.iter_mut().enumerate() {
            let mut at = begin;
            for _ in 0..fastrand::usize(..8) {
                at += [0.5, 1.0, 1.0, 2.0, 7.0][fastrand::usize(..5)];
                let value = f64::from(fastrand::u8(..=100));
                stage.event(at, &format!("bot{chatbot}"), &format!(r#"{{"responseTime": {value}}}"#)).await;
                samples.push((at, value, f64::NAN));
            }
            now = f64::max(now, at);
        }
        stage.evaluate(now).await;
        for (_, _, evaluated) in series.iter_mut().flatten().filter(|(_, _, evaluated)| evaluated.is_nan()) {
            *evaluated = now;
        }
        // By the clock of this evaluation, which resolves what the model finds with the next sample, or not at all.
    }
    let mut fired = 0;
    for (rule, id) in rules.iter().zip(1..) {
        for (chatbot, samples) in series.iter().enumerate() {
            let average = |at: f64, window: f64| {
                let within = samples.iter().filter(|(other, _, _)| at - window <= *other && *other <= at);
                let (sum, count) = within.fold((0.0, 0.0), |(sum, count), (_, value, _)| (sum + value, count + 1.0));
                sum / count
            };
            let judged = samples.iter().map(|&(at, value, now)| Judged {
                at,
                value: rule.window.map_or(value, |window| average(at, window)),
                now,
            });
            let judged: Vec<_> = judged.collect();
            let mut expected = rule.alerts(&judged);
            if let (Some(open), Some(last)) = (expected.last_mut().filter(|alert| !alert.contains('–')), judged.last())
                && now - last.at > rule.stale
            {
                *open = format!("{open} – {}", last.at + rule.stale);
            }
            let query = format!(
                "SELECT concat(extract(epoch FROM fired_at - {begin})::float8, ' – ' || extract(epoch FROM resolved_at - {begin})::float8)
                 FROM rowcast.alerts WHERE rule_id = {id} AND chatbot_id = 'bot{chatbot}' ORDER BY id",
                begin = super::BEGIN
            );
            fired += expected.len();
            assert_eq!(
                stage.texts(&query).await,
                expected,
                "seed {seed}, rule {id}: {}, bot{chatbot}: {samples:?}",
                rule.columns()
            );
            let told = format!(
                "SELECT o.data->>'status' FROM rowcast.outbox o JOIN rowcast.alerts a ON a.id = o.source_key::bigint
                 WHERE o.event_type = 'performance_alert' AND a.rule_id = {id} AND a.chatbot_id = 'bot{chatbot}' ORDER BY o.id"
            );
            for (n, status) in stage.texts(&told).await.iter().enumerate() {
                assert_eq!(
                    status,
                    if n % 2 == 0 { "firing" } else { "resolved" },
                    "seed {seed}, rule {id}, bot{chatbot}"
                );
            }
        }
    }
    assert!(fired > 50, "nothing happens in the series: {fired}");
}
