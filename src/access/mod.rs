//! Who is connected, and what they hold.

mod grants;
mod loader;
pub mod ticket;
pub mod token;

pub use grants::{Access, Versioned, Viewer};
pub use loader::Unreadable;
