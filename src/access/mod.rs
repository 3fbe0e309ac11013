//! Who is connected, and what they may see.

mod grants;
pub mod policy;
pub mod redaction;
pub mod token;

pub use grants::{Access, Versioned, Viewer};
