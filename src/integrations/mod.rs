//! Producers of events beside the app's own tables: what rowcast measures, is told by others, and concludes. Each writes rows into a table of its own
//! (`sql/functions/96_attach_producers.sql` attaches them), and from there they go the way of every row.

pub mod alerts;
pub mod duty;
pub mod health;
pub mod metrics;
pub mod sentry;
