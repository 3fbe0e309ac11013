//! rowcast
pub mod postgres;
pub mod private_postgres;
