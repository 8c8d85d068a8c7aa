//! The list of traces.

use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use super::{JSON, ROWS, id, store};
use crate::harness::{Test, tests};
use crate::support::{Browser, launch_app, screenshot};
use crate::viewer::{export, send, span};

pub(crate) const TESTS: &[Test] = tests! {
    browser: [
        the_list_updates_filters_and_pauses_without_jumping,
        marks_pinned_incomplete_and_refused_traces,
    ]
};

async fn the_list_updates_filters_and_pauses_without_jumping() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    browser.resize(1100, 800).await;
    for number in 1..=30 {
        store(
            &app,
            "shop",
            &[span(
                &id(number),
                number,
                0,
                &format!("op {number}"),
                (0, number),
            )],
        )
        .await;
    }
    browser.open(&app.url("/traces/")).await;
    browser
        .wait_until("all are listed", &format!("{ROWS} === 30"))
        .await;
    store(&app, "shop", &[span(&id(31), 31, 0, "new", (0, 5))]).await;
    browser
        .wait_until("a new one appears", &format!("{ROWS} === 31"))
        .await;
    // The list does not move while a row is selected.
    browser.press('j').await;
    let before = browser
        .execute("return document.querySelector('.chosen').getBoundingClientRect().top")
        .await;
    store(&app, "shop", &[span(&id(32), 32, 0, "newer", (0, 5))]).await;
    browser
        .wait_until(
            "it is announced",
            "document.querySelector('.fresh').innerText === '+1 new'",
        )
        .await;
    assert_eq!(browser.execute(&format!("return {ROWS}")).await, 31);
    let after = "return document.querySelector('.chosen').getBoundingClientRect().top";
    assert_eq!(browser.execute(after).await, before, "nothing has moved");
    let chosen = browser
        .execute("return document.querySelector('.chosen').innerText")
        .await;
    assert!(chosen.as_str().unwrap().contains("new"), "{chosen}");
    browser.execute("document.activeElement.blur()").await;
    browser.click(".fresh").await;
    browser
        .wait_until("it is listed", &format!("{ROWS} === 32"))
        .await;
    browser.press('p').await;
    store(
        &app,
        "other",
        &[span(&id(33), 33, 0, "while paused", (0, 500))],
    )
    .await;
    browser
        .wait_until(
            "it waits",
            "document.querySelector('.fresh').innerText === '+1 new'",
        )
        .await;
    screenshot(&browser, "list-light").await;
    browser.press('p').await;
    browser
        .wait_until("it is listed", &format!("{ROWS} === 33"))
        .await;
    browser.fill("[name=q]", "duration>=400ms").await;
    browser.click(".filters .primary").await;
    browser
        .wait_until("one is left", &format!("{ROWS} === 1"))
        .await;
    browser.press('/').await;
    browser
        .wait_until(
            "the search has the focus",
            "document.activeElement.type === 'search'",
        )
        .await;
    browser.fill("[name=q]", "nothing has this").await;
    browser.click(".filters .primary").await;
    browser
        .wait_until(
            "none is left",
            "document.querySelector('.empty').innerText.includes('No trace matches')",
        )
        .await;
    // A query that is not understood says where, and what was found stays.
    browser.fill("[name=q]", "duration>fast").await;
    browser.click(".filters .primary").await;
    browser
        .wait_until(
            "the place is named",
            "document.getElementById('query-error').innerText.startsWith('Character 10')",
        )
        .await;
    let refused = browser.console_errors().await;
    assert!(
        refused.iter().all(|message| message.contains("400")),
        "{refused:?}"
    );
    browser.press('?').await;
    browser.execute("document.activeElement.blur()").await;
    browser.press('?').await;
    browser
        .wait_until(
            "the keys are explained",
            "document.getElementById('keys').open",
        )
        .await;
    browser.click("#keys button").await;
    browser.fill("[name=q]", "duration>0").await;
    browser.click(".filters .primary").await;
    browser
        .wait_until("all are listed again", &format!("{ROWS} === 33"))
        .await;
    // In a wide window a chosen row shows its trace beside the list.
    browser.resize(1500, 900).await;
    browser.press('j').await;
    browser
        .wait_until(
            "the trace is shown",
            "document.querySelector('.position').innerText === '1 of 33' && document.querySelectorAll('.span').length === 1",
        )
        .await;
    browser.press(']').await;
    browser
        .wait_until(
            "and the next one",
            "document.querySelector('.position').innerText === '2 of 33' && location.search.includes('q=duration')",
        )
        .await;
    screenshot(&browser, "one-window").await;
    browser.click(".danger").await;
    browser.accept_alert().await;
    browser
        .wait_until(
            "all are gone",
            "document.getElementById('held').innerText.startsWith('0 traces')",
        )
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn marks_pinned_incomplete_and_refused_traces() {
    let state = TempDir::new().unwrap();
    let app = launch_app().state_dir(state.path()).start().await;
    let mut large = span(&id(1), 2, 1, "large", (1, 2));
    large["attributes"] = json!([{ "key": "k", "value": { "stringValue": "x".repeat(300_000) } }]);
    store(&app, "shop", &[span(&id(1), 1, 0, "buy", (0, 9)), large]).await;
    store(&app, "shop", &[span(&id(2), 1, 0, "look", (0, 9))]).await;
    let database = rusqlite::Connection::open(state.path().join("sqlite_db.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = send(
        &app,
        JSON,
        export("shop", &[span(&id(3), 1, 0, "away", (0, 9))]).to_string(),
    );
    assert_eq!(answer.await.status(), 503);
    database.execute_batch("COMMIT").unwrap();
    // The instance that counted it stores the count with its next response, and may end before a browser has started.
    let counts = app.request(Method::GET, "/traces/api/counts").send();
    assert_eq!(counts.await.unwrap().status(), 200);
    let browser = Browser::start().await;
    browser.resize(1100, 800).await;
    browser
        .open(&app.url(&format!("/traces/#/trace/{}", id(1))))
        .await;
    browser
        .wait_until(
            "the trace says what it lacks",
            "document.querySelector('main').innerText.includes('incomplete: 1 span could not be stored')",
        )
        .await;
    browser.click("button.pin").await;
    browser
        .wait_until(
            "it is pinned",
            "document.querySelector('button.pin[aria-pressed=true]')?.innerText === 'Unpin'",
        )
        .await;
    screenshot(&browser, "pinned-incomplete").await;
    browser.open(&app.url("/traces/#/")).await;
    browser
        .wait_until(
            "the list says so too",
            "document.querySelectorAll('.rows .row .tag').length === 2",
        )
        .await;
    browser
        .wait_until(
            "refused exports are reported",
            "document.body.innerText.includes('1 export turned away since')",
        )
        .await;
    screenshot(&browser, "list-pinned").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}
