//! Runs a Spin HTTP application on the engine that Spin is made of, where Spin is not installed.
//!
//! What it reads:
//! - [`document`]: reads TOML tables that remember their lines
//! - [`manifest`]: reads `spin.toml`
//! - [`runtime_config`]: reads `runtime-config.toml`
//! - [`template`] and [`variables`]: `{{ variable }}`, and who provides the values
//! - [`allowed_hosts`]: the grammar of `allowed_outbound_hosts`
//!
//! What it does:
//! - [`engine`]: wasmtime, and the interfaces that components import
//! - [`instance`]: an instance of a component
//! - [`room`]: the memory that instances may take, and which of them go first
//! - [`dispatch`]: which instance takes a request; they are reused as in Spin
//! - [`sqlite`]: the database that instances may open
//! - [`outbound`]: requests that leave an instance, to the app itself or to the network
//! - [`app`]: the components and their routes
//! - [`server`]: HTTP in, until [`shutdown`] says so
//! - [`connection`]: one connection, and what is said to clients that do not keep to HTTP/1.1
//! - [`addressee`]: whom a request is for
//! - [`connections`]: all of them: how many there may be, and which have to go
//! - [`request_body`]: bodies are here before an instance is asked
//! - [`shard`]: the threads that answer it
//! - [`output`]: what components print

pub mod addressee;
pub mod allowed_hosts;
pub mod app;
pub mod connection;
pub mod connections;
pub mod dispatch;
pub mod document;
pub mod engine;
pub mod instance;
pub mod manifest;
pub mod outbound;
pub mod output;
pub mod request_body;
pub mod room;
pub mod routes;
pub mod runtime_config;
pub mod server;
pub mod shard;
pub mod shutdown;
pub mod sqlite;
pub mod template;
pub mod variables;
