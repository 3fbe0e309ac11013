//! A bell: rung by whoever has something for a session, heard once however often it was rung.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake},
};

use futures_util::task::AtomicWaker;

/// One session's bell. Only one task listens. Ringing takes no lock, and costs next to nothing where it has been rung already.
#[derive(Debug, Default)]
pub struct Bell {
    rung: AtomicBool,
    listener: AtomicWaker,
}

impl Bell {
    /// Rings.
    pub fn ring(&self) {
        // Whoever found it silent wakes the listener, and nobody else needs to.
        if !self.rung.swap(true, Ordering::AcqRel) {
            self.listener.wake();
        }
    }

    /// Whether it was rung since it was last heard.
    pub fn poll_rung(&self, context: &Context<'_>) -> Poll<()> {
        if !self.hear() {
            self.listener.register(context.waker());
            // It may have been rung just before that.
            if !self.hear() {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// Completes when it was rung since it was last heard.
    pub async fn rung(&self) {
        poll_fn(|context| self.poll_rung(context)).await;
    }

    /// Whether it was rung since this was last asked.
    pub fn hear(&self) -> bool {
        self.rung.load(Ordering::Acquire) && self.rung.swap(false, Ordering::AcqRel)
    }
}

/// Futures can be told to ring it.
impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}
