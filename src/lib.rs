//! rowcast
pub mod postgres;
