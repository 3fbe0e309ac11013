//! rowcast
pub mod demo;
pub mod postgres;
