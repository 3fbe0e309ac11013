//! The view that a stream has now: another one as soon as its user's grants, the policy, or what the stream is to send have changed.

use std::sync::Arc;

use tokio::sync::watch;

use super::view::{Stretch, View, Views};
use crate::{
    access::Versioned,
    connections::Terms,
    log::{Log, Position},
    policy::{Grants, Policy},
};

/// What a stream's view is made of, and the view that was made of it last.
pub(super) struct Outlook {
    grants: watch::Receiver<Arc<Versioned<Grants>>>,
    terms: watch::Receiver<Terms>,
    view: Option<Arc<View>>,
}

impl Outlook {
    /// By these grants and terms, whatever they become.
    pub(super) fn new(grants: watch::Receiver<Arc<Versioned<Grants>>>, terms: watch::Receiver<Terms>) -> Self {
        Self { grants, terms, view: None }
    }

    /// Another log is read: the one before need not be kept for its view.
    pub(super) fn leave_log(&mut self) {
        self.view = None;
    }

    /// The view of now.
    pub(super) fn view(&mut self, views: &Views, log: &Arc<Log>, policy: Arc<Versioned<Policy>>) -> Arc<View> {
        if let Some(view) = self.view.as_ref().filter(|view| self.is_current(view, log, &policy)) {
            return Arc::clone(view);
        }
        // Gone before the next one is looked for: what only this stream has is not kept beside it.
        self.view = None;
        let grants = Arc::clone(&self.grants.borrow_and_update());
        let wanted = self.terms.borrow_and_update().wanted.clone();
        Arc::clone(self.view.insert(views.view(log, policy, grants, wanted)))
    }

    /// What comes after a position, as everybody with the same view is shown it; none if it has left the log.
    pub(super) fn stretch(
        &mut self,
        from: Position,
        views: &Views,
        log: &Arc<Log>,
        policy: impl Fn() -> Arc<Versioned<Policy>>,
    ) -> Option<Arc<Stretch>> {
        loop {
            let view = self.view(views, log, policy());
            let stretch = views.stretch(&view, from);
            // Asked after reading, and of the rules of now: what was read was published after the grants that it is judged by, and what the client asked for
            // before it was published is in the terms.
            if self.is_current(&view, log, &policy()) {
                return stretch;
            }
        }
    }

    fn is_current(&self, view: &View, log: &Arc<Log>, policy: &Arc<Versioned<Policy>>) -> bool {
        view.is_of(log, policy)
            && !self.grants.has_changed().unwrap_or(false)
            && !self.terms.has_changed().unwrap_or(false)
    }

    /// For models: as if it had followed whatever has changed, of the grants or of the terms.
    #[cfg(test)]
    pub(super) fn take_for_current(&mut self, grants: bool) {
        if grants {
            self.grants.mark_unchanged();
        } else {
            self.terms.mark_unchanged();
        }
    }
}
