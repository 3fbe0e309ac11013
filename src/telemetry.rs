//! What the program tells while it runs: its log; with the feature `sentry`, its panics and errors; and, with the feature `otel`, its spans for OpenTelemetry.

#[cfg(feature = "sentry")]
mod reports;

use std::{env, io::IsTerminal};

use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// What is logged unless `ROWCAST_LOG` says otherwise.
const FILTER: &str = "rowcast=info,deadpool=off,warn";

/// Ends what tells: hand it to [`finish`](Self::finish) last of all.
#[must_use = "what has not been sent yet is lost without finish()"]
pub struct Telemetry {
    #[cfg(feature = "sentry")]
    reports: Option<reports::Reports>,
    #[cfg(feature = "otel")]
    traces: Option<otel::Traces>,
}

/// Begins to log to standard error, as `ROWCAST_LOG` (targets and levels) and `ROWCAST_LOG_FORMAT` (`text` or `json`) say; to send panics and errors, where `SENTRY_DSN`
/// names a Sentry; and to send spans, where the standard variables of OpenTelemetry name a collector.
///
/// # Panics
/// When it is called twice.
pub fn start() -> Telemetry {
    let filter = EnvFilter::try_from_env("ROWCAST_LOG").unwrap_or_else(|_| EnvFilter::new(FILTER));
    let log = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let json = env::var("ROWCAST_LOG_FORMAT").is_ok_and(|format| format == "json");
    let log: Option<Told> = Some(if json { log.json().boxed() } else { log.boxed() });
    #[cfg(feature = "otel")]
    let (traces, no_traces) = usable(otel::Traces::from_environment());
    #[cfg(feature = "otel")]
    let spans = traces.as_ref().map(otel::Traces::layer);
    #[cfg(not(feature = "otel"))]
    let spans = None;
    #[cfg(feature = "sentry")]
    let (reports, no_reports) = usable(reports::Reports::from_environment());
    #[cfg(feature = "sentry")]
    let reported = reports.as_ref().map(|_| reports::layer());
    #[cfg(not(feature = "sentry"))]
    let reported = None;
    let filtered = [log, spans].into_iter().flatten().collect::<Vec<_>>().with_filter(filter).boxed();
    // An error is reported whether it is logged or not.
    tracing_subscriber::registry().with([Some(filtered), reported].into_iter().flatten().collect::<Vec<Told>>()).init();
    #[cfg(feature = "otel")]
    no_traces.inspect(|error| tracing::error!(%error, "spans are not sent"));
    #[cfg(feature = "sentry")]
    no_reports.inspect(|error| tracing::warn!(%error, "errors are not sent to Sentry"));
    #[cfg(not(feature = "sentry"))]
    if env::var_os("SENTRY_DSN").is_some_and(|dsn| !dsn.is_empty()) {
        tracing::warn!(
            "SENTRY_DSN is set, but this rowcast was built without the feature `sentry`: errors are not sent to Sentry"
        );
    }
    Telemetry {
        #[cfg(feature = "sentry")]
        reports,
        #[cfg(feature = "otel")]
        traces,
    }
}

/// One way in which it is told.
type Told = Box<dyn Layer<Registry> + Send + Sync>;

/// What can be used, or why it cannot.
#[cfg(any(feature = "otel", feature = "sentry"))]
fn usable<T, E>(found: Result<Option<T>, E>) -> (Option<T>, Option<E>) {
    match found {
        Ok(found) => (found, None),
        Err(error) => (None, Some(error)),
    }
}

impl Telemetry {
    /// Sends what has not been sent yet.
    #[cfg_attr(
        not(any(feature = "otel", feature = "sentry")),
        expect(clippy::unused_async, reason = "there is something to wait for with the features")
    )]
    pub async fn finish(self) {
        #[cfg(feature = "otel")]
        if let Some(traces) = self.traces {
            traces.finish().await;
        }
        #[cfg(feature = "sentry")]
        if let Some(reports) = self.reports {
            reports.finish().await;
        }
    }
}

#[cfg(feature = "otel")]
mod otel {
    use std::env;

    use opentelemetry::trace::TracerProvider;
    use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
    use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithHttpConfig};
    use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
    use tokio::runtime::Handle;
    use tracing_subscriber::{Layer, Registry};

    use crate::client;

    /// Either says where to send spans. Without one nothing is sent: the standard's own default would make noise on most machines.
    const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];

    /// The way of spans to a collector.
    pub(super) struct Traces(SdkTracerProvider);

    impl Traces {
        /// As the standard variables say, if they name a collector.
        pub(super) fn from_environment() -> Result<Option<Self>, ExporterBuildError> {
            let is = |name, value: &str| env::var(name).is_ok_and(|found| found.eq_ignore_ascii_case(value));
            let named = ENDPOINTS.iter().any(|name| env::var(name).is_ok_and(|url| !url.is_empty()));
            if !named || is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
                return Ok(None);
            }
            let exporter = SpanExporter::builder().with_http().with_http_client(Client(Handle::current())).build()?;
            let mut resource = Resource::builder();
            if env::var_os("OTEL_SERVICE_NAME").is_none() {
                resource = resource.with_service_name("rowcast");
            }
            let provider = SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.build());
            Ok(Some(Self(provider.build())))
        }

        pub(super) fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
            tracing_opentelemetry::layer().with_tracer(self.0.tracer("rowcast")).boxed()
        }

        pub(super) async fn finish(self) {
            // It blocks until its own thread has sent the rest, and that needs this runtime.
            let finished = tokio::task::spawn_blocking(move || self.0.shutdown()).await;
            if let Ok(Err(error)) = finished {
                tracing::warn!(%error, "the last spans could not be sent");
            }
        }
    }

    /// Sends by our own client, so that telemetry brings no second one along. The exporter's thread is none of tokio's.
    #[derive(Debug)]
    struct Client(Handle);

    #[async_trait::async_trait]
    impl HttpClient for Client {
        async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
            Ok(self.0.spawn(client::send(request)).await??)
        }
    }
}
