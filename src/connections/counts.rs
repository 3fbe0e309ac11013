//! How many there are of each: of an address, of a user. Nobody is remembered who is not there.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

/// Counts by key.
#[derive(Debug)]
pub struct Counts<K>(HashMap<K, u32>);

impl<K> Default for Counts<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Counts<K> {
    /// Whether there are as many of this key as there may be.
    pub fn is_full<Q: Eq + Hash + ?Sized>(&self, key: &Q, most: u32) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.get(key).is_some_and(|count| *count >= most)
    }

    /// One more.
    pub fn enter(&mut self, key: K) {
        *self.0.entry(key).or_default() += 1;
    }

    /// One less.
    pub fn leave(&mut self, key: &K) {
        if let Some(count) = self.0.get_mut(key) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(key);
            }
        }
    }

    /// Whether nobody is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
