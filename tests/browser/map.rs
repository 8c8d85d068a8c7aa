//! The map of services, and that of one trace.

use serde_json::{Value, json};

use super::{id, store};
use crate::harness::{Test, tests};
use crate::support::{App, Browser, launch_app, screenshot};
use crate::viewer::span;

pub(crate) const TESTS: &[Test] = tests! {
    browser: [
        sixty_leaves_stay_apart_and_readable,
        the_map_is_walked_and_zoomed_by_keyboard_and_keeps_its_focus,
        a_trace_has_its_map,
    ]
};

/// The names of boxes that overlap: nodes and labels. Then texts that are not within theirs.
const COLLISIONS: &str = "
    const rect = one => one.getBoundingClientRect()
    const boxes = [...document.querySelectorAll('.scene .node .outline, .scene .edge .plate')]
    const named = one => one.closest('a').getAttribute('aria-label')
    const apart = (one, other) =>
        one.right <= other.left + 0.5 || other.right <= one.left + 0.5 || one.bottom <= other.top + 0.5 || other.bottom <= one.top + 0.5
    const found = []
    boxes.forEach((one, at) => boxes.slice(at + 1).forEach(other => {
        if (!apart(rect(one), rect(other))) found.push([named(one), named(other)])
    }))
    for (const box of boxes) for (const text of box.closest('a').querySelectorAll('text')) {
        const [inner, outer] = [rect(text), rect(box)]
        if (inner.left < outer.left || inner.right > outer.right || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1)
            found.push([named(box), text.textContent])
    }
    return found
";

/// How large the picture is drawn.
const SCALE: &str = "Number(document.querySelector('.scene > g').getAttribute('transform').match(/scale\\((.*)\\)/)[1])";

const LEFT: char = '\u{e012}';
const RIGHT: char = '\u{e014}';
const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

/// The data of the node or the call that has the focus.
const FOCUSED: &str = "(({ id, edge }) => id ?? edge)(document.activeElement.dataset)";

/// A CLIENT span that calls a store.
fn query(mut span: Value, system: &str, host: &str) -> Value {
    let attribute =
        |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    span["kind"] = json!(3);
    span["attributes"] = json!([
        attribute("db.system.name", system),
        attribute("server.address", host),
    ]);
    span
}

/// A trace of a service with stores, which calls a service with a long name.
async fn store_trace(app: &App, trace: u64, stores: u64) {
    let trace = id(trace);
    let mut spans = vec![span(&trace, 1, 0, "POST /order", (0, 900))];
    let systems = ["mysql", "redis", "mongodb"].into_iter().cycle();
    for (number, system) in (0..stores).zip(systems) {
        let one = span(
            &trace,
            10 + number,
            1,
            "SELECT",
            (number, number + 1 + number % 9),
        );
        let mut one = query(one, system, &format!("store-{number}"));
        if number == 1 {
            one["status"] = json!({ "code": 2 });
        }
        spans.push(one);
    }
    let mut call = span(&trace, 2, 1, "POST", (100, 300));
    call["kind"] = json!(3);
    spans.push(call);
    store(app, "shop", &spans).await;
    let mut failed = span(&trace, 3, 2, "POST /advice", (110, 290));
    failed["status"] = json!({ "code": 2 });
    let long = "recommendations-and-personalisation-for-everyone";
    store(app, long, &[failed]).await;
}

async fn sixty_leaves_stay_apart_and_readable() {
    let app = launch_app().start().await;
    store_trace(&app, 1, 60).await;
    let browser = Browser::start().await;
    for (width, scheme) in [(1400, "light"), (2000, "dark"), (400, "dark")] {
        browser.resize(width, 900).await;
        browser.set_color_scheme(scheme).await;
        browser.open("about:blank").await;
        browser.open(&app.url("/traces/#/map")).await;
        browser
            .wait_until(
                "all nodes are drawn",
                "document.querySelectorAll('.scene .node').length === 62",
            )
            .await;
        assert_eq!(
            browser.execute(COLLISIONS).await,
            json!([]),
            "at {width} px"
        );
        let scale = browser.execute(&format!("return {SCALE}")).await;
        assert!(scale.as_f64().unwrap() >= 0.7, "{scale} at {width} px");
        screenshot(&browser, &format!("map-leaves-{width}")).await;
        browser.click(".map-buttons button:last-child").await;
        let all = "(scene => [...document.querySelectorAll('.scene .node')].every(node => { const { left, right, top, bottom } = node.getBoundingClientRect(); return left >= scene.left && right <= scene.right && top >= scene.top && bottom <= scene.bottom }))(document.querySelector('.scene').getBoundingClientRect())";
        browser.wait_until("all of it is in sight", all).await;
    }
    let cut = "[...document.querySelectorAll('.scene .node')].find(node => node.querySelector('.title').textContent.endsWith('…'))?.querySelector('title').textContent.includes('-for-everyone')";
    browser
        .wait_until("a name that is cut can be read", cut)
        .await;
    let failing = browser
        .execute("const line = document.querySelector(`.line[data-edge*='store-1\"']`); return [line.getAttribute('class'), document.querySelector(`.node[data-id$='store-1']`).textContent.includes('✕')]")
        .await;
    assert_eq!(failing, json!(["line grade4 shared", true]));
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn the_map_is_walked_and_zoomed_by_keyboard_and_keeps_its_focus() {
    let app = launch_app().start().await;
    store_trace(&app, 1, 3).await;
    let browser = Browser::start().await;
    browser.resize(1400, 900).await;
    browser.open(&app.url("/traces/#/map")).await;
    browser
        .wait_until(
            "all nodes are drawn",
            "document.querySelectorAll('.scene .node').length === 5",
        )
        .await;
    browser
        .execute("document.querySelector('.map-buttons button:last-child').focus()")
        .await;
    let focused = |what: &str| format!("String({FOCUSED}).includes('{what}')");
    browser.press(TAB).await;
    browser
        .wait_until("Tab goes to the map", &focused("shop"))
        .await;
    browser.press(RIGHT).await;
    browser
        .wait_until(
            "an arrow goes to what is called",
            &format!("{FOCUSED} !== 'shop'"),
        )
        .await;
    browser.press(LEFT).await;
    browser.wait_until("and back", &focused("shop")).await;
    for (key, comparison) in [('+', ">"), ('-', "<"), ('-', "<"), ('0', ">")] {
        let before = browser.execute(&format!("return {SCALE}")).await;
        browser.press(key).await;
        browser
            .wait_until("a key zooms", &format!("{SCALE} {comparison} {before}"))
            .await;
    }
    // Another shape: the map is laid out anew, its elements and the focus stay.
    browser
        .execute("window.kept = document.activeElement")
        .await;
    store_trace(&app, 2, 5).await;
    browser
        .wait_until(
            "new stores are drawn",
            "document.querySelectorAll('.scene .node').length === 7",
        )
        .await;
    assert_eq!(
        browser
            .execute("return window.kept.isConnected && document.activeElement === window.kept")
            .await,
        true,
        "the focus stays"
    );
    assert_eq!(browser.execute(COLLISIONS).await, json!([]));
    browser.press(TAB).await;
    browser
        .wait_until("Tab goes to its calls", &focused("\"shop\",\""))
        .await;
    browser.press(ENTER).await;
    browser
        .wait_until(
            "Enter shows the traces of the call",
            "location.hash === '#/' && location.search.includes('service=shop') || location.search.includes('calls=shop')",
        )
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn a_trace_has_its_map() {
    let app = launch_app().start().await;
    store_trace(&app, 1, 3).await;
    store_trace(&app, 2, 3).await;
    let browser = Browser::start().await;
    browser.resize(1400, 900).await;
    browser
        .open(&app.url(&format!("/traces/#/trace/{}", id(1))))
        .await;
    browser
        .wait_until(
            "the rows are drawn",
            "document.querySelectorAll('.span').length === 6",
        )
        .await;
    let colours = "[...new Set([...document.querySelectorAll('.span .dot')].map(dot => getComputedStyle(dot).backgroundColor))].sort()";
    let in_rows = browser.execute(&format!("return {colours}")).await;
    browser.click(".shapes [data-shape=map]").await;
    let drawn = "location.hash.endsWith('?view=map') && document.querySelectorAll('.scene .node').length === 5";
    browser.wait_until("its map is drawn", drawn).await;
    assert_eq!(browser.execute(COLLISIONS).await, json!([]));
    let in_map = browser
        .execute("return [...document.querySelectorAll('.scene .node.service .stripe')].map(stripe => getComputedStyle(stripe).fill).sort()")
        .await;
    assert_eq!(in_map, in_rows, "colours are those of the rows");
    screenshot(&browser, "trace-map-light").await;
    browser.reload().await;
    browser.wait_until("the address keeps the map", drawn).await;
    browser.execute("document.querySelector('.edge[aria-label*=\"recommendations\"]').dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true }))").await;
    browser
        .wait_until(
            "a call leads to its span, which is marked",
            "location.hash.endsWith('/0000000000000003') && document.querySelector('.span.selected.hit') && document.querySelectorAll('.span.hit').length === 1",
        )
        .await;
    browser.execute("history.back()").await;
    browser.wait_until("Back shows the map", drawn).await;
    let shown = browser.execute("return location.hash.split('?')[0]").await;
    let step = "document.querySelector('.walk button:not(:disabled)')";
    browser.wait_until("the list is there", step).await;
    browser.execute(&format!("{step}.click()")).await;
    browser
        .wait_until(
            "the next trace is shown as a map, too",
            &format!(
                "!location.hash.includes('{}') && {drawn}",
                shown.as_str().unwrap()
            ),
        )
        .await;
    browser.resize(400, 800).await;
    browser.set_color_scheme("dark").await;
    browser
        .wait_until(
            "on a phone it is there, and goes down",
            "(([first, ...others]) => others.every(node => node.getBoundingClientRect().top > first.getBoundingClientRect().bottom))([...document.querySelectorAll('.scene .node')])",
        )
        .await;
    assert_eq!(browser.execute(COLLISIONS).await, json!([]));
    screenshot(&browser, "trace-map-dark-400").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}
