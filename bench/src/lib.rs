//! Measures the service beside a floor and the program that it succeeds.
//!
//! - [`rows`]: what stands side by side, and the meshes among it
//! - [`server`] and [`peer`]: how a row is started, and what it uses
//! - [`load`]: requests, from `wrk` and `oha`
//! - [`sample`]: one load on one server
//! - [`table`]: interleaved rounds over all rows
//! - [`series`], [`growth`] and [`plot`]: how the service grows, as tables and plots
//! - [`pressure`]: collectors that fail, under load
//! - [`viewer_load`], [`viewer`] and [`exports`]: the viewer, taking traces in and asked for them
//! - [`report`] and [`stats`]: medians, ratios, bars, and the page
//! - [`cost`]: a request taken apart into [`bench_steps`], and what each costs
//! - [`instances`]: a component's instances in this process, one by one
//! - [`cold_start`]: what the first request to an instance waits for, and what the instance holds
//! - [`fuel`]: the instructions of a request in the component as it is shipped
//! - [`versions`]: what was measured, and on which machine

pub mod cold_start;
pub mod cost;
pub mod exports;
pub mod fuel;
pub mod growth;
pub mod instances;
pub mod load;
pub mod peer;
pub mod plot;
pub mod pressure;
pub mod report;
pub mod rows;
pub mod sample;
pub mod series;
pub mod server;
pub mod stats;
pub mod table;
pub mod versions;
pub mod viewer;
pub mod viewer_load;
