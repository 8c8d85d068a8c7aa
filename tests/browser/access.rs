//! The token, and pages of other origins.

use serde_json::json;

use super::{ROWS, id};
use crate::harness::{Test, tests};
use crate::support::{Browser, launch_app};
use crate::viewer::{export, span};

pub(crate) const TESTS: &[Test] = tests! {
    browser: [
        a_link_with_the_token_opens_the_page_and_removes_the_token_from_the_url,
        a_page_of_another_origin_can_send_traces_but_not_read_them,
    ]
};

async fn a_link_with_the_token_opens_the_page_and_removes_the_token_from_the_url() {
    let app = launch_app().env("APP_VIEWER_TOKEN", "s3cret").start().await;
    let browser = Browser::start().await;
    browser.open(&app.url("/traces/?token=s3cret#/map")).await;
    browser
        .wait_until(
            "the view is the link's",
            "location.hash === '#/map' && document.querySelector('.map')",
        )
        .await;
    assert_eq!(browser.execute("return location.search").await, "");
    assert_eq!(
        browser.execute("return document.cookie").await,
        "",
        "no script reads it"
    );
    browser.open(&app.url("/traces/#/")).await;
    browser
        .wait_until(
            "the page may ask",
            "document.querySelector('.empty').innerText.includes('No traces yet')",
        )
        .await;
    browser.click(".danger").await;
    browser.accept_alert().await;
    browser
        .wait_until(
            "and change",
            "document.getElementById('said').innerText === 'All traces are deleted'",
        )
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn a_page_of_another_origin_can_send_traces_but_not_read_them() {
    let (app, other) = (launch_app().start().await, launch_app().start().await);
    let browser = Browser::start().await;
    // A page without a policy of its own.
    browser.open(&other.url("/.well-known/spin/health")).await;
    let body = export("browser", &[span(&id(1), 1, 0, "click", (0, 9))]).to_string();
    let sent = browser
        .execute_async(&format!(
            "const done = arguments[0], headers = {{ 'content-type': 'application/json', traceparent: '00-{}-0000000000000001-01' }}
            fetch({:?}, {{ method: 'POST', headers, body: {} }}).then(async answer => done([answer.status, await answer.text()]), problem => done(String(problem)))",
            id(1), app.url("/v1/traces"), json!(body)
        ))
        .await;
    assert_eq!(sent, json!([200, "{}"]));
    let beacon = browser
        .execute(&format!(
            "return navigator.sendBeacon({:?}, new Blob([{}], {{ type: 'application/json' }}))",
            app.url("/v1/traces"),
            json!(export("browser", &[span(&id(2), 1, 0, "leave", (0, 9))]).to_string())
        ))
        .await;
    assert_eq!(beacon, true);
    let read = browser
        .execute_async(&format!(
            "const done = arguments[0]; fetch({:?}).then(() => done('read'), () => done('refused'))",
            app.url("/traces/api/traces")
        ))
        .await;
    assert_eq!(read, "refused");
    let browser = Browser::start().await;
    browser.open(&app.url("/traces/")).await;
    browser
        .wait_until("both have arrived", &format!("{ROWS} === 2"))
        .await;
}
