//! rowcast
