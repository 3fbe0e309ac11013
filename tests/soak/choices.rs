//! What the actors draw. Each has a stream of its own, made of the seed of the run and its name, and each of its steps draws from a stream of its own again: a step
//! that fails half-way, which depends on the moment, does not change what the next one does.

use std::time::Duration;

use fastrand::Rng;

/// One actor's stream.
pub(crate) struct Choices(Rng);

impl Choices {
    pub(crate) fn of(seed: u64, actor: &str, number: u64) -> Self {
        // FNV-1a, which is the same everywhere and for ever.
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let bytes = actor.bytes().chain(number.to_le_bytes()).chain(seed.to_le_bytes());
        Self(Rng::with_seed(bytes.fold(0xcbf2_9ce4_8422_2325, mix)))
    }

    /// The choices of the next step.
    pub(crate) fn step(&mut self) -> Rng {
        Rng::with_seed(self.0.u64(..))
    }
}

/// A duration of that many milliseconds.
pub(crate) fn milliseconds(random: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.u64(range))
}

#[test]
fn actors_draw_what_the_seed_says_whatever_the_others_do() {
    let draw = |seed, actor, number| {
        let mut choices = Choices::of(seed, actor, number);
        [choices.step().u64(..), choices.step().u64(..)]
    };
    assert_eq!(draw(1, "writer", 0), draw(1, "writer", 0));
    let others = [draw(2, "writer", 0), draw(1, "client", 0), draw(1, "writer", 1)];
    assert!(!others.contains(&draw(1, "writer", 0)), "{others:?}");
}
