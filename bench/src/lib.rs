//! Measures the service beside a floor and the program that it succeeds.
//!
//! - [`rows`]: the rows of the table, and their meshes
//! - [`server`] and [`peer`]: how a row's server is started, and what it uses
//! - [`load`]: requests, from `wrk` and `oha`
//! - [`sample`]: one load on one server
//! - [`table`]: interleaved rounds over all rows
//! - [`series`], [`growth`] and [`plot`]: how the service grows, as tables and plots
//! - [`pressure`]: broken collectors under load
//! - [`scale`]: what one replica costs a collector
//! - [`viewer_load`], [`viewer`] and [`exports`]: the viewer, as it receives traces and answers queries
//! - [`page`] and [`tab`]: the viewer's page in Chromium, against its budgets
//! - [`report`] and [`stats`]: medians, ratios, goals, and the page
//! - [`cost`]: the [`bench_steps`] of a request, and what each costs
//! - [`instances`]: a component's instances in this process, one by one
//! - [`cold_start`]: the first request to an instance, and the instance's memory
//! - [`fuel`]: the instructions of a request in the component as it is shipped
//! - [`versions`]: the versions that were measured, and the machine

pub mod cold_start;
pub mod cost;
pub mod exports;
pub mod fuel;
pub mod growth;
pub mod instances;
pub mod load;
pub mod page;
pub mod peer;
pub mod plot;
pub mod pressure;
pub mod report;
pub mod rows;
pub mod sample;
pub mod scale;
pub mod series;
pub mod server;
pub mod stats;
pub mod tab;
pub mod table;
pub mod versions;
pub mod viewer;
pub mod viewer_load;
