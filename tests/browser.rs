//! The viewer's page in a real Chromium, without a window. Pictures are kept in `target/screenshots/`.

use serde_json::Value;

use crate::support::App;
use crate::viewer::{export, send};

pub(crate) mod access;
pub(crate) mod accessibility;
pub(crate) mod groups;
pub(crate) mod list;
pub(crate) mod live;
pub(crate) mod map;
pub(crate) mod peers;
pub(crate) mod requests;
pub(crate) mod rows;
pub(crate) mod states;
pub(crate) mod trace;

const JSON: &str = "application/json";

async fn store(app: &App, service: &str, spans: &[Value]) {
    let answer = send(app, JSON, export(service, spans).to_string()).await;
    assert_eq!(answer.status(), 200);
}

fn id(number: u64) -> String {
    format!("{number:032x}")
}

/// How many rows the list has, though only those in sight are elements.
const ROWS: &str = "Number(document.querySelector('.rows li')?.getAttribute('aria-setsize') ?? 0)";
