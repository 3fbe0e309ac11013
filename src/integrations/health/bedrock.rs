//! A model of AWS Bedrock, asked for one token by `Converse`: the least that proves that it answers.
//!
//! Signed by AWS' own signer, with credentials from the usual chain (environment, profile, SSO, web identity, ECS, EC2). `AWS_ENDPOINT_URL_BEDROCK_RUNTIME` and `AWS_ENDPOINT_URL` lead
//! elsewhere.

use std::{
    env,
    time::{Duration, Instant, SystemTime},
};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::{Credentials, provider::ProvideCredentials};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use bytes::Bytes;
use reqwest::{Client, Url, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::{
    sync::{Mutex, OnceCell},
    time::timeout,
};

use super::{
    Measured,
    exchange::{client, exchange, place},
    figure::{Figure, Reading},
    milliseconds,
};

/// Temporary credentials are asked for again so long before they end.
const MARGIN: Duration = Duration::from_mins(5);

/// Asks it.
pub struct Probe {
    model: String,
    figure: Figure,
    patience: Duration,
    /// Found at the first measurement: it may take a while, and may come to be there later.
    place: OnceCell<Place>,
    /// Those that end, until they do.
    credentials: Mutex<Option<Credentials>>,
}

/// Where the model is.
struct Place {
    config: SdkConfig,
    region: String,
    url: Url,
    client: Client,
}

impl Probe {
    /// One that gives up after `patience`.
    #[must_use]
    pub fn new(model: String, figure: Figure, patience: Duration) -> Self {
        Self { model, figure, patience, place: OnceCell::new(), credentials: Mutex::default() }
    }

    /// What it measures.
    #[must_use]
    pub fn figure(&self) -> Figure {
        self.figure
    }

    /// Measures, from connecting to the end of the answer. Finding credentials is not counted.
    pub async fn measure(&self) -> Measured {
        let prepared = timeout(self.patience, async {
            let place = self.place.get_or_try_init(|| find(&self.model)).await?;
            Ok((place, self.credentials(&place.config).await?))
        });
        let started = Instant::now();
        let asked = match prepared.await {
            Err(_) => Err(format!("no credentials of AWS were found within {} s", self.patience.as_secs_f64())),
            Ok(Err(why)) => Err(why),
            Ok(Ok((place, credentials))) => self.ask(place, credentials).await,
        };
        let reading = match asked {
            Ok(took) => Reading::Value(took),
            Err(why) => {
                // They may have been withdrawn before their time.
                *self.credentials.lock().await = None;
                Reading::Failed { after: milliseconds(started.elapsed()), why }
            }
        };
        (self.figure, reading)
    }

    async fn credentials(&self, config: &SdkConfig) -> Result<Credentials, String> {
        let mut kept = self.credentials.lock().await;
        let is_good = |expiry: SystemTime| expiry.duration_since(SystemTime::now()).is_ok_and(|left| left > MARGIN);
        if let Some(credentials) = kept.as_ref().filter(|kept| kept.expiry().is_some_and(is_good)) {
            return Ok(credentials.clone());
        }
        let missing =
            "there are no credentials of AWS: see the standard variables, profiles, or the role of the machine";
        let provider = config.credentials_provider().ok_or(missing)?;
        // What it says may name files, accounts and roles.
        let credentials = provider.provide_credentials().await.map_err(|_| missing)?;
        *kept = Some(credentials.clone());
        Ok(credentials)
    }

    async fn ask(&self, place_of: &Place, credentials: Credentials) -> Result<f64, String> {
        let Place { region, url, client, .. } = place_of;
        let question = json!({
            "messages": [{"role": "user", "content": [{"text": "ping"}]}],
            "inferenceConfig": {"maxTokens": 1},
        });
        let body = Bytes::from(question.to_string());
        let headers = signed(url, region, credentials, &body).ok_or("the request could not be signed")?;
        let mut request = client.post(url.clone()).header(CONTENT_TYPE, JSON).body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let started = Instant::now();
        let answer = exchange(request, &place(url), self.patience).await?;
        let took = milliseconds(started.elapsed());
        let answer: Option<Value> = serde_json::from_slice(&answer).ok();
        let answered = answer.is_some_and(|answer| answer["stopReason"].is_string());
        if answered { Ok(took) } else { Err(format!("what {} answered is no answer of a model", place(url))) }
    }
}

const JSON: &str = "application/json";

/// The headers that sign a request; none if it cannot be signed.
fn signed(url: &Url, region: &str, credentials: Credentials, body: &[u8]) -> Option<Vec<(String, String)>> {
    let identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("bedrock")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .ok()?;
    let headers = std::iter::once((CONTENT_TYPE.as_str(), JSON));
    let request = SignableRequest::new("POST", url.as_str(), headers, SignableBody::Bytes(body)).ok()?;
    let (instructions, _) = sign(request, &parameters.into()).ok()?.into_parts();
    Some(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Finds out where the model is.
async fn find(model: &str) -> Result<Place, String> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let region = config.region().map(ToString::to_string);
    let region = region.ok_or("no region of AWS is set: set AWS_REGION")?;
    let elsewhere = env::var("AWS_ENDPOINT_URL_BEDROCK_RUNTIME").ok().filter(|url| !url.is_empty());
    let elsewhere = elsewhere.or_else(|| config.endpoint_url().map(str::to_owned));
    let base = elsewhere.unwrap_or_else(|| format!("https://bedrock-runtime.{region}.amazonaws.com"));
    let mut url: Url = base.parse().map_err(|_| "the endpoint of AWS that the environment names is no URL")?;
    url.set_path("");
    url.set_query(None);
    let path = format!("{}model/{}/converse", url, escaped(model));
    let url: Url = path.parse().map_err(|_| "the endpoint of AWS that the environment names is no URL")?;
    let client = client(&url).map_err(|_| "TLS cannot be set up")?;
    Ok(Place { config, region, url, client })
}

/// As AWS has it in a path: all but letters, digits, and `-._~`.
fn escaped(model: &str) -> String {
    let escaped = model.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    escaped.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_named_in_paths_as_aws_has_it() {
        assert_eq!(escaped("amazon.nova-micro-v1:0"), "amazon.nova-micro-v1%3A0");
        assert_eq!(escaped("arn:aws:bedrock:a/b"), "arn%3Aaws%3Abedrock%3Aa%2Fb");
    }
}
