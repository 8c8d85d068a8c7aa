//! The list's traces, grouped by their shape.

use serde_json::{Value, json};

use super::{ROWS, id, store};
use crate::harness::{Test, tests};
use crate::support::{App, Browser, launch_app, screenshot};
use crate::viewer::span;

pub(crate) const TESTS: &[Test] = tests! {
    browser: [
        a_group_of_traces_opens_to_them,
    ]
};

fn answered(mut span: Value, status: u16) -> Value {
    span["attributes"] = json!([{ "key": "http.response.status_code", "value": { "intValue": status.to_string() } }]);
    if status >= 500 {
        span["status"] = json!({ "code": 2 });
    }
    span
}

/// A request to the shop. Where it fails, that began in `fraud`.
async fn buy(app: &App, number: u64, status: u16) {
    let root = span(&id(number), 1, 0, "POST /buy", (number, number + 100));
    store(app, "shop", &[answered(root, status)]).await;
    let call = span(&id(number), 2, 1, "POST /check", (number, number + 50));
    store(
        app,
        "fraud",
        &[answered(call, if status == 502 { 503 } else { 200 })],
    )
    .await;
}

async fn a_group_of_traces_opens_to_them() {
    let app = launch_app().start().await;
    for number in 1..=5 {
        buy(&app, number, if number > 3 { 502 } else { 200 }).await;
    }
    let browser = Browser::start().await;
    browser.resize(1400, 900).await;
    browser.open(&app.url("/traces/")).await;
    browser
        .wait_until("all are listed", &format!("{ROWS} === 5"))
        .await;
    browser
        .wait_until(
            "each says what the root answered, and where the error began",
            "document.querySelector('.rows .row').innerText.includes('502') && document.querySelector('.rows .row').innerText.includes('in fraud')",
        )
        .await;
    browser.click(".list .actions button").await;
    browser
        .wait_until(
            "two groups",
            "location.search === '?grouped=true' && document.querySelectorAll('.group').length === 2 && document.querySelector('.rows').offsetHeight === 0",
        )
        .await;
    let text = browser.text(".groups").await;
    for part in [
        "POST /buy",
        "200",
        "× 3",
        "502 from fraud",
        "× 2",
        "2 services, 2 spans",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    screenshot(&browser, "groups").await;
    browser.press('j').await;
    browser.press('j').await;
    browser.press('\u{e007}').await;
    browser
        .wait_until(
            "its traces, and what they are limited to",
            &format!("{ROWS} === 2 && location.search.includes('shape=') && document.querySelector('.several').innerText.includes('502 from fraud')"),
        )
        .await;
    buy(&app, 6, 502).await;
    browser
        .wait_until(
            "another of the shape is announced or shown",
            &format!("{ROWS} === 3 || document.querySelector('.fresh').innerText === '+1 new'"),
        )
        .await;
    browser.reload().await;
    browser
        .wait_until("a reload shows the same", &format!("{ROWS} === 3"))
        .await;
    browser.execute("history.back()").await;
    browser
        .wait_until(
            "and back are the groups, with the new one",
            "document.querySelector('.groups')?.innerText.includes('502 from fraud') && document.querySelector('.groups').innerText.match(/× 3/g).length === 2",
        )
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}
