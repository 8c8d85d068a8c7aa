//! An embedded Spin host: runs a Spin HTTP application on wasmtime, where Spin is not installed.
//!
//! Each stage takes the value of the stage before: parse, resolve, link, serve.
//!
//! Parse
//! - [`manifest`]: reads `spin.toml`
//! - [`runtime_config`]: reads `runtime-config.toml`
//! - [`document`]: the TOML reader of both; every value knows its line
//! - [`template`], [`allowed_hosts`], [`routes`]: the grammars of values in a manifest
//!
//! Resolve
//! - [`variables`]: the value of each variable, and the allowed hosts that depend on it
//!
//! Link
//! - [`engine`]: wasmtime, and compiling
//! - [`epochs`]: by which guests that compute for long give way
//! - [`link`]: a component and the interfaces that it imports
//! - [`instance`]: the data of an instance, and `spin:variables`
//! - [`sqlite`]: the database, `spin:sqlite`
//! - [`outbound`]: requests that leave an instance, to another component or to the network
//!
//! Serve
//! - [`server`]: connections, their shards, and the shutdown
//! - [`app`]: finds the component of a request
//! - [`request_body`]: buffers bodies before a component is called
//! - [`dispatch`]: finds or starts the instance that handles a request
//! - [`context`]: what all shards share
//! - [`memory`]: the memory of instances, and which of them end first when it runs out
//! - [`output`]: the terminal

pub mod allowed_hosts;
pub mod app;
pub mod context;
pub mod dispatch;
pub mod document;
pub mod engine;
pub mod epochs;
pub mod instance;
pub mod link;
pub mod manifest;
pub mod memory;
pub mod outbound;
pub mod output;
pub mod request_body;
pub mod routes;
pub mod runtime_config;
pub mod server;
pub mod sqlite;
pub mod template;
pub mod variables;
