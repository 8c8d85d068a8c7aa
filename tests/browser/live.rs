//! How the page learns of what has changed.

use std::time::Duration;

use super::{ROWS, id, store};
use crate::harness::{Test, tests};
use crate::support::{App, Browser, EventGate, Passage, eventually, launch_app};
use crate::viewer::span;

pub(crate) const TESTS: &[Test] = tests! {
    browser: [
        all_tabs_share_one_stream_and_another_tab_takes_it_over,
        without_a_stream_the_page_asks_and_streams_again_when_it_can,
    ]
};

/// Stores a trace, and waits until the tab that is driven has a row more.
async fn appears(app: &App, browser: &Browser, number: u64) {
    store(app, "shop", &[span(&id(number), number, 0, "op", (0, 5))]).await;
    let rows = format!("{ROWS} === {number}");
    browser.wait_until("the row appears", &rows).await;
}

/// Says that the tab is hidden or not, as the browser would.
async fn set_hidden(browser: &Browser, hidden: bool) {
    let script = format!(
        "Object.defineProperty(document, 'hidden', {{ value: {hidden}, configurable: true }}); \
         document.dispatchEvent(new Event('visibilitychange'))"
    );
    browser.execute(&script).await;
}

async fn streams(gate: &EventGate, count: usize) {
    let what = format!("{count} streams are open");
    let is_so = || (gate.open_streams() == count).then_some(());
    eventually(&what, is_so).await;
}

/// How many requests the page has sent for the list and the counts.
const REQUESTS: &str = "return performance.getEntriesByType('resource')\
    .filter(({ name }) => /api\\/(traces|counts)/.test(name)).length";

/// Whether the page asks nothing while nothing happens. On a busy machine the last answers come late, but not three times in a row.
async fn falls_silent(browser: &Browser) -> bool {
    for _ in 0..3 {
        let before = browser.execute(REQUESTS).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        if browser.execute(REQUESTS).await == before {
            return true;
        }
    }
    false
}

async fn all_tabs_share_one_stream_and_another_tab_takes_it_over() {
    let app = launch_app().start().await;
    let gate = EventGate::start(app.authority()).await;
    let browser = Browser::start().await;
    let page = gate.url("/traces/");
    browser.open(&page).await;
    browser
        .wait_until(
            "the counts are shown",
            "document.getElementById('held').innerText.startsWith('0 traces')",
        )
        .await;
    appears(&app, &browser, 1).await;
    streams(&gate, 1).await;
    assert_eq!(gate.asked_streams(), 1);
    assert!(falls_silent(&browser).await, "the page goes on asking");
    let first = browser.tab().await;
    let second = browser.open_tab(&page).await;
    // The one that was opened first may count as hidden now; either way there is one stream.
    appears(&app, &browser, 2).await;
    streams(&gate, 1).await;
    set_hidden(&browser, false).await;
    browser.switch_to_tab(&first).await;
    set_hidden(&browser, false).await;
    appears(&app, &browser, 3).await;
    streams(&gate, 1).await;
    set_hidden(&browser, true).await;
    store(&app, "shop", &[span(&id(4), 4, 0, "op", (0, 5))]).await;
    browser.switch_to_tab(&second).await;
    browser
        .wait_until("the other tab has it", &format!("{ROWS} === 4"))
        .await;
    streams(&gate, 1).await;
    set_hidden(&browser, true).await;
    streams(&gate, 0).await;
    browser.switch_to_tab(&first).await;
    assert_eq!(browser.execute(&format!("return {ROWS}")).await, 3);
    set_hidden(&browser, false).await;
    browser
        .wait_until("it sees what it has missed", &format!("{ROWS} === 4"))
        .await;
    streams(&gate, 1).await;
    // Whoever asks is closed: the other one does from then on.
    browser.switch_to_tab(&second).await;
    set_hidden(&browser, false).await;
    browser.switch_to_tab(&first).await;
    browser.close_tab().await;
    browser.switch_to_tab(&second).await;
    appears(&app, &browser, 5).await;
    streams(&gate, 1).await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn without_a_stream_the_page_asks_and_streams_again_when_it_can() {
    let app = launch_app().start().await;
    let gate = EventGate::start(app.authority()).await;
    gate.allow(Passage::NoEvents);
    let browser = Browser::start().await;
    browser.open(&gate.url("/traces/")).await;
    for number in 1..=3 {
        appears(&app, &browser, number).await;
    }
    assert!(gate.asked_streams() > 0);
    gate.allow(Passage::All);
    streams(&gate, 1).await;
    appears(&app, &browser, 4).await;
    gate.allow(Passage::Nothing);
    let gone = "document.getElementById('gone')";
    browser
        .wait_until(
            "it is said",
            &format!("{gone}.checkVisibility() && {gone}.innerText.includes('does not answer')"),
        )
        .await;
    store(&app, "shop", &[span(&id(5), 5, 0, "op", (0, 5))]).await;
    gate.allow(Passage::All);
    browser
        .wait_until("it is back", &format!("{gone}.hidden && {ROWS} === 5"))
        .await;
    streams(&gate, 1).await;
    appears(&app, &browser, 6).await;
}
