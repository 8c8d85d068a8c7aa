//! The database: what it holds, and how it gets in and out.

pub mod read;
pub mod schema;
pub mod write;
