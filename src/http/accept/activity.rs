//! How many requests a connection is at. HTTP/2 has no time-out of its own for a connection that is not used.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use hyper::body::{Body, Frame, SizeHint};
use tokio::{sync::watch, time::timeout};

/// The requests of one connection.
#[derive(Clone, Default)]
pub(super) struct Activity(watch::Sender<Count>);

#[derive(Default)]
struct Count {
    /// At work now.
    now: usize,
    /// Whether there ever was one.
    begun: bool,
}

impl Activity {
    /// A request has come. It is at work until what this returns is dropped.
    pub(super) fn begin(&self) -> Request {
        self.0.send_modify(|count| *count = Count { now: count.now + 1, begun: true });
        Request(self.0.clone())
    }

    /// Returns once there has been a request.
    pub(super) async fn begun(&self) {
        // It does not fail: this is a sender.
        let _ = self.0.subscribe().wait_for(|count| count.begun).await;
    }

    /// Returns once there has been no request for so long.
    pub(super) async fn idle(&self, patience: Duration) {
        let mut requests = self.0.subscribe();
        // Nor do these.
        while requests.wait_for(|count| count.now == 0).await.is_ok() {
            if timeout(patience, requests.wait_for(|count| count.now > 0)).await.is_err() {
                return;
            }
        }
    }
}

/// One request that is at work.
pub(super) struct Request(watch::Sender<Count>);

impl Drop for Request {
    fn drop(&mut self) {
        self.0.send_modify(|count| count.now -= 1);
    }
}

/// The body of an answer, whose request is at work for as long.
pub(super) struct Answering<B> {
    body: Pin<Box<B>>,
    _request: Request,
}

impl<B> Answering<B> {
    pub(super) fn new(body: B, request: Request) -> Self {
        Self { body: Box::pin(body), _request: request }
    }
}

impl<B: Body> Body for Answering<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.body.as_mut().poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_idle_when_nothing_has_been_asked_for_long_enough() {
        let (activity, begun) = (Activity::default(), Instant::now());
        let (first, second) = (activity.begin(), activity.begin());
        let requests = async {
            sleep(Duration::from_mins(1)).await;
            drop(first);
            sleep(Duration::from_mins(1)).await;
            drop(second);
            sleep(Duration::from_secs(9)).await;
            let third = activity.begin();
            sleep(Duration::from_mins(1)).await;
            drop(third);
        };
        tokio::join!(requests, activity.idle(Duration::from_secs(10)));
        assert_eq!(begun.elapsed().as_secs(), 60 + 60 + 9 + 60 + 10);
    }
}
