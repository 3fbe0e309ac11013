//! rowcast streams Postgres rows to browsers over Server-Sent Events.
//!
//! Apps write rows, as they always did. Triggers turn those rows into an outbox; rowcast tails the outbox and streams every event to the
//! browsers that may see it: nothing lost, nothing out of order for a row, nothing leaked.
//!
//! # Layout
//! In the order in which data flows. A module imports only from those above it, but for [`app`], which wires them all, and [`cli`], which starts it.
//!
//! - [`event`], [`cursor`], [`frontier`], [`epoch`], [`command`]: pure. What an event is, what a client has seen, what may still come, whether it still counts
//!   after a failover, and what servers are told to do.
//! - [`payload`]: pure. The data of the built-in event types.
//! - [`metrics`]: every figure that the server tells about itself.
//! - [`gzip`]: pure. Blocks that are compressed once for all who read them.
//! - [`sse`]: event → bytes.
//! - [`policy`]: pure. May this user see this event, and which of its fields?
//! - [`postgres`]: the only place that knows SQL. Statements are files in `sql/queries`.
//! - [`access`]: who is connected, and what they hold, as fresh as the events.
//! - [`log`]: recent events in order, by organization: fan-out and history in one.
//! - [`connections`]: the streams that are open, here and on all servers: what each sends, how many there may be.
//! - [`tailer`]: wake or poll → ordered batches, appended to the log.
//! - [`maintenance`]: keeps house: partitions, and an end to history.
//! - [`session`]: one client: replay → splice → live.
//! - [`integrations`]: producers of events beside the app: what rowcast measures, is told by others, and concludes, written as rows.
//! - [`http`]: routes, one file each. The only place that knows warp.
//! - [`config`], [`app`]: every setting; the wiring.
//! - [`client`], [`telemetry`]: what goes out beside the streams: requests of the doctor, the log, spans for OpenTelemetry.
//! - [`cli`]: one file for each subcommand.
//!
//! Beside the server, for `rowcast demo` and the tests:
//!
//! - [`private_postgres`]: a Postgres of our own, found or installed, and gone when we are.
//! - [`demo`]: the simulated app. It only writes rows and knows nothing of rowcast.

pub mod access;
pub mod app;
pub mod cli;
pub mod client;
pub mod command;
pub mod config;
pub mod connections;
pub mod cursor;
pub mod demo;
pub mod epoch;
pub mod event;
pub mod frontier;
pub mod gzip;
pub mod http;
pub mod integrations;
pub mod log;
pub mod maintenance;
pub mod metrics;
pub mod payload;
pub mod policy;
pub mod postgres;
pub mod private_postgres;
#[cfg(test)]
mod schedules;
pub mod session;
pub mod sse;
pub mod tailer;
pub mod telemetry;
#[cfg(test)]
mod typescript;
