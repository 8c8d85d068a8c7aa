//! Messages between services: who publishes what, how it is delivered, and what becomes of it.
//!
//! There is no broker: the instance that publishes a message keeps it while it is in the queue, and delivers it over
//! HTTP to the components that consume it. Such a request has no spans of its own.
//!
//! - [`queue`]: queues, as the settings describe them
//! - `publish`: what one request publishes
//! - `broker`: the messages of an instance, on their way to the consumers
//! - `attempts`: deliveries to one consumer, until one succeeds
//! - [`delivery`]: what a consumer gets
//! - [`account`]: what becomes of messages

pub mod account;
mod attempts;
pub(crate) mod broker;
pub mod delivery;
pub(crate) mod publish;
pub mod queue;

/// The path on which a component takes deliveries. Only components of the same app may use it.
pub const PATH: &str = "/deliver";

#[cfg(test)]
mod tests;
