//! The keys of an issuer: fetched, kept, and fetched again when they may have changed.
//!
//! A key that is not known is mostly one that is new, so its token is worth a look at the issuer's. Anybody can make up a key id, though, so there is a limit to
//! how often that is done, and those who ask meanwhile share one request. When the issuer cannot be reached, the keys that are known stay.

use std::{error::Error as StdError, net::IpAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use jsonwebtoken::Algorithm;
use reqwest::{Client, StatusCode, Url, header, redirect::Policy};
use tokio::{sync::Mutex, time::Instant};
use tracing::{debug, error, info, warn};

use super::{
    Error, Misconfigured,
    key::{Expected, Key},
    key_set::{Found, KeySet, Unusable},
};
use crate::metrics::Metrics;

/// How often keys are fetched though nobody asks for one. A key that the issuer has withdrawn is believed for this long at the most.
const REFRESH: Duration = Duration::from_mins(10);

/// The same while the issuer cannot be reached.
const RETRY: Duration = Duration::from_secs(10);

/// On average, tokens with unknown keys make us ask the issuer this often at the most.
const PACE: Duration = Duration::from_secs(10);

/// How many times of that may come at once: keys may change twice in a row, and a first look may come too early.
const BURST: u32 = 5;

/// How long the issuer may take for a whole answer; those who wait for it hold a request open.
const PATIENCE: Duration = Duration::from_secs(5);

/// Larger answers are not read to the end. Real ones have a few KB.
const MOST_BYTES: usize = 256 * 1024;

/// Whoever signs the tokens.
pub(super) struct Issuer {
    url: Url,
    client: Client,
    expected: Expected,
    /// None before they could be fetched for the first time.
    keys: ArcSwapOption<KeySet>,
    /// Whoever holds it is the one who fetches.
    turn: Mutex<Turn>,
    metrics: Arc<Metrics>,
}

struct Turn {
    /// When tokens with unknown keys will have used up nothing of their share.
    idle_at: Instant,
    /// Whether the last attempt failed, which has been told then.
    failing: bool,
}

/// Why keys could not be fetched.
#[derive(Debug, thiserror::Error)]
enum Unfetched {
    #[error("no answer: {}", reason(.0))]
    Request(reqwest::Error),
    #[error("the answer has the status {}", .0.as_u16())]
    Status(StatusCode),
    #[error("the answer has more than {MOST_BYTES} bytes")]
    TooLarge,
    #[error(transparent)]
    Unusable(#[from] Unusable),
}

impl From<reqwest::Error> for Unfetched {
    fn from(error: reqwest::Error) -> Self {
        // Some issuers want a key in the query.
        Self::Request(error.without_url())
    }
}

/// What went wrong at the bottom of it: the top only says that something did.
fn reason(error: &reqwest::Error) -> String {
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        reason = format!("{reason}: {error}");
        cause = error.source();
    }
    reason
}

impl Issuer {
    pub(super) fn new(url: &str, expected: Expected, metrics: Arc<Metrics>) -> Result<Self, Misconfigured> {
        let url: Url = url.parse().map_err(|_| Misconfigured::Url)?;
        let host = url.host_str().ok_or(Misconfigured::Url)?;
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let is_near = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
        match url.scheme() {
            "https" => {}
            "http" if is_near => {}
            "http" => return Err(Misconfigured::Insecure),
            _ => return Err(Misconfigured::Url),
        }
        let client = Client::builder()
            .user_agent(concat!("rowcast/", env!("CARGO_PKG_VERSION")))
            // The address is the anchor of all trust; it is not for an answer to move it.
            .redirect(Policy::none())
            .timeout(PATIENCE);
        // No proxy leads to this machine itself.
        let client = if is_near { client.no_proxy() } else { client };
        let client = client.build().map_err(Misconfigured::Client)?;
        let turn = Mutex::new(Turn { idle_at: Instant::now(), failing: false });
        Ok(Self { url, client, expected, keys: ArcSwapOption::empty(), turn, metrics })
    }

    pub(super) fn has_keys(&self) -> bool {
        self.keys.load().is_some()
    }

    /// The key that signed a token which says so, unless there is none.
    pub(super) async fn key(self: &Arc<Self>, kid: Option<&str>, algorithm: Algorithm) -> Result<Arc<Key>, Error> {
        if let Some(found) = self.find(kid, algorithm) {
            return found;
        }
        let issuer = Arc::clone(self);
        let wanted = kid.map(str::to_owned);
        // A task of its own: others wait for it too, so it must not end because the client that began it went away.
        let fetching = tokio::spawn(async move {
            let mut turn = issuer.turn.lock().await;
            // Somebody else may have fetched it while we waited.
            let is_known = issuer.find(wanted.as_deref(), algorithm).is_some();
            if !is_known && turn.may_ask(Instant::now()) {
                issuer.fetch(&mut turn).await;
            }
        });
        // It does not panic; if it did, the key would not be known.
        let _ = fetching.await;
        self.find(kid, algorithm).unwrap_or(Err(if self.has_keys() { Error::UnknownKey } else { Error::NoKeys }))
    }

    /// What the known keys say; nothing, if others might say something else.
    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Result<Arc<Key>, Error>> {
        match self.keys.load().as_ref()?.find(kid, algorithm) {
            Found::One(key) => Some(Ok(key)),
            Found::Refused => Some(Err(Error::UnknownKey)),
            Found::Unknown => None,
        }
    }

    /// Fetches the keys, whatever is known.
    pub(super) async fn refresh(&self) {
        self.fetch(&mut *self.turn.lock().await).await;
    }

    /// Fetches the keys now and then, for ever.
    pub(super) async fn keep_fresh(&self) {
        loop {
            let failing = self.turn.lock().await.failing;
            tokio::time::sleep(if failing { RETRY } else { REFRESH }).await;
            self.refresh().await;
        }
    }

    async fn fetch(&self, turn: &mut Turn) {
        self.metrics.jwks_fetches.inc();
        match self.try_fetch().await {
            Ok(keys) => {
                if turn.failing || !self.has_keys() {
                    info!(keys = keys.len(), "the issuer's keys were fetched");
                }
                debug!(keys = keys.len(), "fetched keys");
                turn.failing = false;
                self.metrics.jwks_age_seconds.mark();
                self.keys.store(Some(Arc::new(keys)));
            }
            Err(error) => {
                self.metrics.jwks_failures.inc();
                let told = std::mem::replace(&mut turn.failing, true);
                if told {
                    debug!(%error, "the issuer's keys still cannot be fetched");
                } else if self.has_keys() {
                    warn!(%error, "the issuer's keys cannot be fetched; those that are known stay");
                } else {
                    error!(%error, "the issuer's keys cannot be fetched: no token can be checked until they are");
                }
            }
        }
    }

    async fn try_fetch(&self) -> Result<KeySet, Unfetched> {
        let request =
            self.client.get(self.url.clone()).header(header::ACCEPT, "application/json, application/jwk-set+json");
        let mut answer = request.send().await?;
        if answer.status() != StatusCode::OK {
            return Err(Unfetched::Status(answer.status()));
        }
        let mut json = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if json.len() + chunk.len() > MOST_BYTES {
                return Err(Unfetched::TooLarge);
            }
            json.extend_from_slice(&chunk);
        }
        Ok(KeySet::read(&json, &self.expected)?)
    }
}

impl Turn {
    /// Whether a token with an unknown key is reason enough, now; if so, it has used up some of what such tokens may.
    fn may_ask(&mut self, now: Instant) -> bool {
        let idle_at = self.idle_at.max(now) + PACE;
        let may = idle_at <= now + PACE * BURST;
        if may {
            self.idle_at = idle_at;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issuer(url: &str) -> Result<Issuer, Misconfigured> {
        Issuer::new(url, Expected::default(), Arc::default())
    }

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for url in ["https://a.example/jwks", "http://127.0.0.1:8/jwks", "http://[::1]/jwks", "http://localhost:1"] {
            assert!(issuer(url).is_ok(), "{url}");
        }
        for url in
            ["http://a.example/jwks", "http://10.0.0.1/jwks", "http://localhost.example/", "http://127.0.0.1.example/"]
        {
            assert!(matches!(issuer(url), Err(Misconfigured::Insecure)), "{url}");
        }
        for url in ["a.example/jwks", "ftp://a.example/jwks", "file:///etc/jwks.json", "https://", ""] {
            assert!(matches!(issuer(url), Err(Misconfigured::Url)), "{url}");
        }
    }

    #[test]
    fn unknown_keys_are_asked_for_a_few_times_at_once_and_then_now_and_then() {
        let start = Instant::now();
        let mut turn = Turn { idle_at: start, failing: false };
        let mut asked =
            |seconds: u64| (0..1_000).filter(|_| turn.may_ask(start + Duration::from_secs(seconds))).count();
        assert_eq!([asked(0), asked(9), asked(10), asked(19), asked(40), asked(1_000)], [5, 0, 1, 0, 3, 5]);
    }
}
