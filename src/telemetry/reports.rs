//! Our own panics and errors, told to Sentry where `SENTRY_DSN` names one: what was logged as an error, and what led to it. Nothing of users, requests or rows.

mod delivery;
mod scrub;

use std::{
    borrow::Cow,
    env,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sentry::{
    Breadcrumb, ClientInitGuard, ClientOptions,
    integrations::tracing::{BreadcrumbLayer, ErrorLayer},
    protocol::Event,
    types::Dsn,
};
use tracing::{Level, Metadata};
use tracing_subscriber::{Layer, Registry, filter::filter_fn};

use self::delivery::Delivery;

/// What is sent at the end is sent within this, or not at all.
const LAST_SECONDS: Duration = Duration::from_secs(2);

/// How many events are sent in a minute. A database that is away makes as many errors as there are requests, and one of them says it all.
const MOST_PER_MINUTE: u32 = 30;

/// How many lines of the log go with an event.
const MOST_BREADCRUMBS: usize = 50;

/// Why nothing can be sent. It does not say what was found: there is a key in it.
#[derive(Debug, thiserror::Error)]
#[error("SENTRY_DSN is not the DSN of a project in Sentry, such as https://key@sentry.example/1")]
pub(super) struct NoDsn;

/// The way of errors to Sentry. What has not been sent yet is sent when this is dropped, also by a panic.
pub(super) struct Reports(ClientInitGuard);

impl Reports {
    /// As the variables of Sentry's own libraries say, if they name one.
    pub(super) fn from_environment() -> Result<Option<Self>, NoDsn> {
        let Some(dsn) = variable("SENTRY_DSN") else { return Ok(None) };
        let dsn: Dsn = dsn.trim().parse().map_err(|_| NoDsn)?;
        let budget = Budget::new(Instant::now());
        let mut options = ClientOptions::new();
        options.release = Some(
            variable("SENTRY_RELEASE").unwrap_or(concat!("rowcast@", env!("CARGO_PKG_VERSION")).to_owned()).into(),
        );
        options.environment = variable("SENTRY_ENVIRONMENT").map(Cow::from);
        options.server_name = variable("SENTRY_SERVER_NAME").map(Cow::from);
        options.max_breadcrumbs = MOST_BREADCRUMBS;
        // A panic must not wait for Sentry: what it waits for may be a stream of somebody else.
        options.shutdown_timeout = Duration::ZERO;
        options.before_send =
            Some(Arc::new(move |event| budget.spend(Instant::now()).then_some(event).and_then(clean)));
        options.before_breadcrumb = Some(Arc::new(|breadcrumb: Breadcrumb| scrub::whole(&breadcrumb)));
        options.transport = Some(Arc::new(Arc::new(Delivery::new(&dsn))));
        options.dsn = Some(dsn);
        Ok(Some(Self(sentry::init(options))))
    }

    /// Sends what has not been sent yet.
    pub(super) async fn finish(self) {
        // It blocks until the runtime has sent the rest.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl Drop for Reports {
    fn drop(&mut self) {
        self.0.close(Some(LAST_SECONDS));
    }
}

/// Errors become events; what we have logged before them goes with them.
pub(super) fn layer() -> Box<dyn Layer<Registry> + Send + Sync> {
    let ours = |metadata: &Metadata<'_>| {
        metadata.is_event() && *metadata.level() <= Level::INFO && metadata.target().starts_with("rowcast")
    };
    let is_error = |metadata: &Metadata<'_>| metadata.is_event() && *metadata.level() == Level::ERROR;
    // In this order an event does not lead to itself.
    let errors = ErrorLayer::new().with_filter(filter_fn(is_error));
    errors.and_then(BreadcrumbLayer::new().with_filter(filter_fn(ours))).boxed()
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Without anything that is not Sentry's business; none if that cannot be made sure.
fn clean(mut event: Event<'static>) -> Option<Event<'static>> {
    event.user = None;
    event.request = None;
    // Chosen by whoever runs us, and `rowcast@1.0.rc` looks like an address.
    let release = event.release.take();
    Some(Event { release, ..scrub::whole(&event)? })
}

/// How many events may be sent: a leaky bucket, of which the moment is kept at which it would be empty.
struct Budget(Mutex<Instant>);

impl Budget {
    fn new(now: Instant) -> Self {
        Self(Mutex::new(now))
    }

    /// Whether one more may be sent; if so, it counts.
    fn spend(&self, now: Instant) -> bool {
        let minute = Duration::from_mins(1);
        let mut empty_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let filled = (*empty_at).max(now) + minute / MOST_PER_MINUTE;
        let may = filled <= now + minute;
        if may {
            *empty_at = filled;
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use sentry::protocol::{Exception, Request, User};

    use super::*;

    #[test]
    fn a_flood_of_errors_is_a_few_events() {
        let now = Instant::now();
        let budget = Budget::new(now);
        assert_eq!((0..1_000).filter(|_| budget.spend(now)).count(), 30);
        assert!(budget.spend(now + Duration::from_secs(2)) && !budget.spend(now + Duration::from_secs(2)));
    }

    #[test]
    fn an_event_keeps_its_form_and_loses_what_is_nobodys_business() {
        let exception = Exception {
            ty: "panic".to_owned(),
            value: Some("cannot reach postgres://ann:hunter2@db/app".to_owned()),
            stacktrace: sentry::integrations::backtrace::current_stacktrace(),
            ..Exception::default()
        };
        let event = Event {
            message: Some("with Bearer hunter2".to_owned()),
            exception: vec![exception].into(),
            release: Some("rowcast@1.0.rc".into()),
            user: Some(User { email: Some("ann@example.com".to_owned()), ..User::default() }),
            request: Some(Request { data: Some("hunter2".to_owned()), ..Request::default() }),
            extra: [("password".to_owned(), "hunter2".into()), ("count".to_owned(), 3.into())].into(),
            ..Event::new()
        };
        let (id, frames) = (event.event_id, event.exception[0].stacktrace.as_ref().unwrap().frames.len());
        let cleaned = clean(event).unwrap();
        assert_eq!((cleaned.event_id, cleaned.user, cleaned.request), (id, None, None));
        assert_eq!(cleaned.release.as_deref(), Some("rowcast@1.0.rc"));
        assert_eq!(cleaned.exception[0].stacktrace.as_ref().unwrap().frames.len(), frames);
        assert_eq!(cleaned.exception[0].value.as_deref(), Some("cannot reach postgres://[secret]@db/app"));
        assert_eq!(cleaned.message.as_deref(), Some("with Bearer [secret]"));
        assert_eq!((&cleaned.extra["password"], &cleaned.extra["count"]), (&"[secret]".into(), &3.into()));
    }
}
