//! Who is connected, and what they hold.

mod grants;
pub mod ticket;
pub mod token;

pub use grants::{Access, Versioned, Viewer};
