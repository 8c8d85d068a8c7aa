//! The rows of the list, of which only those in sight are elements, and the walk through all of them.

use super::{ROWS, id, store};
use crate::harness::{Test, tests};
use crate::support::{App, Browser, launch_app, screenshot};
use crate::viewer::span;

pub(crate) const TESTS: &[Test] = tests! {
    browser: [
        only_the_rows_in_sight_are_elements_and_keys_lead_through_all,
        what_is_in_sight_stays_while_traces_arrive,
        the_walk_goes_beyond_what_is_loaded_and_a_reload_finds_its_place,
    ]
};

/// The number of the row with the focus, from 1; 0 without one.
const FOCUSED: &str =
    "Number(document.activeElement.closest('.rows li')?.getAttribute('aria-posinset') ?? 0)";
/// The rows that are elements.
const ELEMENTS: &str = "document.querySelectorAll('.rows li').length";

const HOME: char = '\u{e011}';
const END: char = '\u{e010}';
const PAGE_DOWN: char = '\u{e00f}';
const DOWN: char = '\u{e015}';
const ESCAPE: char = '\u{e00c}';

/// Stores traces from one number to another, the last of them the newest.
async fn store_traces(app: &App, from: u64, to: u64) {
    let spans = |number| span(&id(number), number, 0, &format!("op {number}"), (0, number));
    let spans: Vec<_> = (from..=to).map(spans).collect();
    store(app, "shop", &spans).await;
}

async fn only_the_rows_in_sight_are_elements_and_keys_lead_through_all() {
    let app = launch_app().start().await;
    store_traces(&app, 1, 400).await;
    let browser = Browser::start().await;
    browser.resize(1100, 800).await;
    browser.open(&app.url("/traces/")).await;
    browser
        .wait_until("all are counted", &format!("{ROWS} === 400"))
        .await;
    let rows = browser.execute(&format!("return {ELEMENTS}")).await;
    assert!(rows.as_i64().unwrap() < 50, "{rows} rows are elements");
    browser.press(DOWN).await;
    browser
        .wait_until("the first has the focus", &format!("{FOCUSED} === 1"))
        .await;
    browser.press(PAGE_DOWN).await;
    browser.press(PAGE_DOWN).await;
    browser
        .wait_until("a later one has it", &format!("{FOCUSED} > 10"))
        .await;
    // The end of what is loaded is not the end: older ones come as it is reached.
    for _ in 0..3 {
        browser.press(END).await;
        browser
            .wait_until(
                "older ones are there",
                &format!("{FOCUSED} === 400 || {FOCUSED} < Math.round(document.querySelector('.rows').offsetHeight / document.querySelector('.rows li').offsetHeight)"),
            )
            .await;
    }
    browser
        .wait_until("the last has the focus", &format!("{FOCUSED} === 400"))
        .await;
    let order = "[...document.querySelectorAll('.rows li')].every((row, index, all) => index === 0
        || Number(all[index - 1].getAttribute('aria-posinset')) < Number(row.getAttribute('aria-posinset'))
        && all[index - 1].getBoundingClientRect().top < row.getBoundingClientRect().top)";
    browser
        .wait_until("the elements are in the order that is seen", order)
        .await;
    // The row with the focus stays, however far away.
    browser.execute("scrollTo(0, 0)").await;
    browser
        .wait_until(
            "the first is in sight",
            "document.querySelector('.rows li[aria-posinset=\"1\"]')",
        )
        .await;
    assert_eq!(browser.execute(&format!("return {FOCUSED}")).await, 400);
    browser.press(HOME).await;
    browser
        .wait_until("the first has the focus", &format!("{FOCUSED} === 1"))
        .await;
    let stops = "document.querySelectorAll('.rows [tabindex=\"0\"]').length";
    assert_eq!(browser.execute(&format!("return {stops}")).await, 1);
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn what_is_in_sight_stays_while_traces_arrive() {
    let app = launch_app().start().await;
    store_traces(&app, 1, 100).await;
    let browser = Browser::start().await;
    browser.resize(1100, 800).await;
    browser.open(&app.url("/traces/")).await;
    browser
        .wait_until("all are counted", &format!("{ROWS} === 100"))
        .await;
    browser.execute("scrollTo(0, 1200)").await;
    let place = |number: u64| {
        format!(
            "document.querySelector('.rows [href$=\"{}\"]')?.getBoundingClientRect().top",
            id(number)
        )
    };
    browser
        .wait_until(
            "one is in sight",
            &format!("{} > 0 && {} < 800", place(75), place(75)),
        )
        .await;
    let before = browser.execute(&format!("return {}", place(75))).await;
    store_traces(&app, 101, 105).await;
    browser
        .wait_until(
            "they are announced",
            "document.querySelector('.fresh').innerText === '+5 new'",
        )
        .await;
    let seen = "const { top, bottom } = document.querySelector('.fresh').getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight";
    assert_eq!(browser.execute(seen).await, true, "where one looks");
    assert_eq!(
        browser.execute(&format!("return {}", place(75))).await,
        before,
        "nothing has moved"
    );
    screenshot(&browser, "list-announced").await;
    // A row that changes keeps its place and the focus.
    browser
        .execute(&format!(
            "document.querySelector('.rows [href$=\"{}\"]').focus({{ preventScroll: true }})",
            id(75)
        ))
        .await;
    store(&app, "stock", &[span(&id(75), 9_000, 75, "below", (1, 2))]).await;
    browser
        .wait_until(
            "it has another span, and the focus",
            "document.activeElement.innerText.includes('2 spans')",
        )
        .await;
    assert_eq!(
        browser.execute(&format!("return {}", place(75))).await,
        before
    );
    browser.click(".fresh").await;
    browser
        .wait_until(
            "the newest are shown",
            &format!("{ROWS} === 105 && {} > 0", place(105)),
        )
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn the_walk_goes_beyond_what_is_loaded_and_a_reload_finds_its_place() {
    let app = launch_app().start().await;
    store_traces(&app, 1, 300).await;
    let browser = Browser::start().await;
    browser.resize(1500, 900).await;
    // The fiftieth is the last of the first page.
    let address = format!("/traces/?q=name~op&paused=true#/trace/{}", id(251));
    browser.open(&app.url(&address)).await;
    let position = |text: &str| {
        format!(
            "document.querySelector('.position')?.innerText === '{text}' && document.querySelectorAll('.span').length === 1"
        )
    };
    browser
        .wait_until("its place among all", &position("50 of 300"))
        .await;
    store_traces(&app, 301, 303).await;
    browser
        .wait_until(
            "new ones wait",
            "document.querySelector('.fresh').innerText === '+3 new'",
        )
        .await;
    browser.press(']').await;
    browser
        .wait_until("the next one is loaded", &position("51 of 300"))
        .await;
    let opened = format!("location.hash.startsWith('#/trace/{}')", id(250));
    browser.wait_until("and opened", &opened).await;
    browser.reload().await;
    browser
        .wait_until(
            "the same trace in the same view, paused",
            &format!(
                "{} && {opened} && document.querySelector('.list [aria-pressed=true]')?.innerText === 'Resume'",
                position("54 of 303")
            ),
        )
        .await;
    let open = "document.querySelector('.rows [aria-current]')?.getBoundingClientRect()";
    browser
        .wait_until(
            "its row is in sight",
            &format!("{open}?.top > 0 && {open}?.bottom <= innerHeight"),
        )
        .await;
    // Back to the list, which is where it was.
    browser.press(ESCAPE).await;
    browser
        .wait_until(
            "the list alone, at the row of the trace",
            &format!("location.hash === '#/' && location.search.includes('paused=true') && {FOCUSED} === 54"),
        )
        .await;
    browser.execute("history.back()").await;
    browser
        .wait_until("and back to the trace", &position("54 of 303"))
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}
