//! The viewer's page in a real Chromium, without a window. Pictures are kept in `target/screenshots/`.

use serde_json::Value;

use crate::support::App;
use crate::viewer::{export, send};

pub(crate) mod access;
pub(crate) mod accessibility;
pub(crate) mod list;
pub(crate) mod peers;
pub(crate) mod requests;
pub(crate) mod trace;

const JSON: &str = "application/json";

async fn store(app: &App, service: &str, spans: &[Value]) {
    let answer = send(app, JSON, export(service, spans).to_string()).await;
    assert_eq!(answer.status(), 200);
}

fn id(number: u64) -> String {
    format!("{number:032x}")
}

/// How many rows the list has.
const ROWS: &str = "document.querySelectorAll('.rows .row').length";
