//! What the program tells while it runs: its log, and, with the feature `otel`, its spans for OpenTelemetry.

use std::{env, io::IsTerminal};

use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// What is logged unless `ROWCAST_LOG` says otherwise.
const FILTER: &str = "rowcast=info,deadpool=off,warn";

/// Ends what tells: hand it to [`finish`](Self::finish) last of all.
#[must_use = "what has not been sent yet is lost without finish()"]
pub struct Telemetry {
    #[cfg(feature = "otel")]
    traces: Option<otel::Traces>,
}

/// Begins to log to standard error, as `ROWCAST_LOG` (targets and levels) and `ROWCAST_LOG_FORMAT` (`text` or `json`) say; and to send spans, where
/// the standard variables of OpenTelemetry name a collector.
///
/// # Panics
/// When it is called twice.
pub fn start() -> Telemetry {
    let filter = EnvFilter::try_from_env("ROWCAST_LOG").unwrap_or_else(|_| EnvFilter::new(FILTER));
    let log = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let json = env::var("ROWCAST_LOG_FORMAT").is_ok_and(|format| format == "json");
    let log: Box<dyn Layer<Registry> + Send + Sync> = if json { log.json().boxed() } else { log.boxed() };
    #[cfg(feature = "otel")]
    {
        let (traces, failed) = match otel::Traces::from_environment() {
            Ok(traces) => (traces, None),
            Err(error) => (None, Some(error)),
        };
        let spans = traces.as_ref().map(otel::Traces::layer);
        let layers = [Some(log), spans].into_iter().flatten().collect::<Vec<_>>();
        tracing_subscriber::registry().with(layers.with_filter(filter)).init();
        failed.inspect(|error| tracing::error!(%error, "spans are not sent"));
        Telemetry { traces }
    }
    #[cfg(not(feature = "otel"))]
    {
        tracing_subscriber::registry().with(log.with_filter(filter)).init();
        Telemetry {}
    }
}

impl Telemetry {
    /// Sends what has not been sent yet.
    #[cfg_attr(
        not(feature = "otel"),
        expect(clippy::unused_async, reason = "there is something to wait for with the feature")
    )]
    pub async fn finish(self) {
        #[cfg(feature = "otel")]
        if let Some(traces) = self.traces {
            traces.finish().await;
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
