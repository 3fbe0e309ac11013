//! One event in the log, with the frames that its viewers share.

use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;

use crate::{
    access::Versioned,
    event::Event,
    policy::{Policy, RedactionMask},
    sse,
};

/// An event and its rendered frames: one for those who may see all of it, one for each set of redactions that some viewer needs.
#[derive(Debug)]
pub struct Entry {
    /// The event.
    pub event: Event,
    whole: OnceLock<Bytes>,
    redacted: Mutex<Vec<(Variant, Bytes)>>,
}

/// Which redactions, by which version of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Variant {
    policy: u64,
    mask: RedactionMask,
}

impl Entry {
    /// An entry that has not been rendered.
    #[must_use]
    pub fn new(event: Event) -> Self {
        Self { event, whole: OnceLock::new(), redacted: Mutex::default() }
    }

    /// The frame for a viewer to whom the redactions in `mask` apply.
    #[must_use]
    pub fn frame(&self, policy: &Versioned<Policy>, mask: RedactionMask) -> Bytes {
        if mask == 0 {
            return self.whole();
        }
        let variant = Variant { policy: policy.version, mask };
        let mut redacted = self.redacted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, frame)) = redacted.iter().find(|(rendered, _)| *rendered == variant) {
            return frame.clone();
        }
        let frame = match policy.value.redact(&self.event, mask) {
            Some(data) => sse::event_frame(&self.event, &data),
            None => self.whole(),
        };
        redacted.retain(|(rendered, _)| rendered.policy == policy.version);
        redacted.push((variant, frame.clone()));
        frame
    }

    fn whole(&self) -> Bytes {
        self.whole.get_or_init(|| sse::event_frame(&self.event, &self.event.data)).clone()
    }
}
