//! OTLP's data, as receiver, store and API share it.
//!
//! - [`schema`]: the messages and their fields, in protobuf and in JSON
//! - [`wire`]: protobuf's wire format
//! - [`any_value`]: attribute values as text and as plain JSON
//! - [`service`]: the name of a span's service
//! - [`timing`]: when a span started and ended
//! - [`text`]: how long texts may be in summaries
//! - [`hex`]: ids as hexadecimal digits

pub mod any_value;
pub mod hex;
pub mod schema;
pub mod service;
pub mod text;
pub mod timing;
pub mod wire;
