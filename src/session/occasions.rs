//! What may give a stream something to say, beside new events: other grants or terms, another log, a database that was lost or is back, the time, the server's end.
//!
//! All of that is rare, and new events are not. So it is listened to once and not anew for each write: what listens is kept, and rings a bell when it is worth looking at.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use tokio::{task::unconstrained, time::Instant};

use crate::log::Bell;

/// Listens to all of them.
#[derive(Default)]
pub(super) struct Occasions {
    bell: Arc<Bell>,
    listening: Option<Listening>,
}

/// What listens, until it has heard something, and at the latest until when.
struct Listening {
    until: Instant,
    heard: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Occasions {
    /// Ready when there is one, or when it is `until`; now and then without either. `listen` makes what completes then, and notices all that has changed since the stream looked.
    pub(super) fn poll<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        context: &Context<'_>,
        until: Instant,
        listen: impl FnOnce() -> F,
    ) -> Poll<()> {
        // Who listens for longer than is needed is too late, who listens for less only looks around once more.
        let mut listening = self.listening.take().filter(|listening| listening.until <= until).unwrap_or_else(|| {
            self.bell.ring();
            // It is polled when it has rung, which is seldom, and not as part of what the task may do at once.
            Listening { until, heard: Box::pin(unconstrained(listen())) }
        });
        while self.bell.poll_rung(context).is_ready() {
            let waker = Waker::from(Arc::clone(&self.bell));
            if listening.heard.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                return Poll::Ready(());
            }
        }
        self.listening = Some(listening);
        Poll::Pending
    }
}
