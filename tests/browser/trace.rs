//! One trace: its waterfall and its spans.

use serde_json::{Value, json};

use super::{ROWS, id, store};
use crate::harness::{Test, tests};
use crate::support::{Browser, launch_app, screenshot};
use crate::viewer::span;

pub(crate) const TESTS: &[Test] = tests! {
    browser: [
        shows_hostile_late_and_skewed_spans_correctly,
        renders_few_rows_of_five_thousand_spans_and_the_keyboard_reaches_all,
        draws_a_trace_as_an_icicle_and_keeps_it_in_the_address,
        finds_spans_by_the_query_language,
        updates_continue_after_a_failed_poll,
        shows_unusual_names_and_values_without_affecting_the_layout,
    ]
};

const HOSTILE: &str = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";

async fn shows_hostile_late_and_skewed_spans_correctly() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    browser.resize(400, 800).await;
    let mut hostile = span(&id(1), 2, 1, HOSTILE, (5, 9));
    hostile["attributes"] = json!([{ "key": HOSTILE, "value": { "stringValue": HOSTILE } }]);
    hostile["events"] = json!([{ "timeUnixNano": "1790000000007000000", "name": HOSTILE }]);
    hostile["links"] = json!([{ "traceId": id(2), "spanId": "0000000000000007" }]);
    hostile["status"] = json!({ "code": 2, "message": HOSTILE });
    store(&app, HOSTILE, &[hostile]).await;
    store(&app, "linked", &[span(&id(2), 7, 0, "elsewhere", (0, 3))]).await;
    browser
        .open(&app.url(&format!("/traces/#/trace/{}/0000000000000002", id(1))))
        .await;
    browser
        .wait_until(
            "an orphan says so",
            "document.querySelector('.span').innerText.includes('parent missing')",
        )
        .await;
    assert!(
        browser.text(".details").await.contains(HOSTILE),
        "markup is text"
    );
    screenshot(&browser, "hostile-400").await;
    store(&app, "front", &[span(&id(1), 1, 0, "late root", (6, 20))]).await;
    browser.wait_until("the root takes its place", "document.querySelectorAll('.span').length === 2 && document.querySelector('.span').innerText.includes('late root')").await;
    browser
        .wait_until(
            "skew is marked",
            "document.querySelectorAll('.span')[1].innerText.includes('1.00 ms')",
        )
        .await;
    browser
        .wait_until(
            "the details stay open",
            "document.querySelector('.details')",
        )
        .await;
    browser.click(".details .links a").await;
    browser
        .wait_until(
            "a link leads to another trace",
            "document.querySelector('h1').innerText.includes('elsewhere')",
        )
        .await;
    for view in ["", "map", "try"] {
        browser.open(&app.url(&format!("/traces/#/{view}"))).await;
        browser
            .wait_until("it is drawn", "document.querySelector('main section')")
            .await;
        let wider = browser
            .execute("return document.documentElement.scrollWidth - innerWidth")
            .await;
        assert!(
            wider.as_i64().unwrap() <= 0,
            "#/{view} is wider than the window by {wider}"
        );
        screenshot(&browser, &format!("narrow-{view}")).await;
    }
    assert_eq!(
        browser.execute("return window.hacked ?? null").await,
        Value::Null
    );
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn renders_few_rows_of_five_thousand_spans_and_the_keyboard_reaches_all() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    browser.resize(2000, 1100).await;
    let service = |number: u64| format!("service-{}", number % 9);
    for one in 0..9 {
        let mine = (1..=5_000_u64).filter(|number| number % 9 == one);
        let spans = mine.map(|number| {
            span(
                &id(1),
                number,
                number / 4,
                &format!("step {number}"),
                (number, number + 5_000 / number),
            )
        });
        store(&app, &service(one), &spans.collect::<Vec<_>>()).await;
    }
    browser
        .open(&app.url(&format!("/traces/#/trace/{}", id(1))))
        .await;
    browser
        .wait_until(
            "it is drawn",
            "document.querySelectorAll('.span').length > 20",
        )
        .await;
    browser
        .wait_until(
            "all are there",
            "document.querySelector('.facts').innerText.includes('5,000 spans')",
        )
        .await;
    let rows = browser
        .execute("return document.querySelectorAll('.span').length")
        .await;
    assert!(
        rows.as_i64().unwrap() < 120,
        "only what is in sight is drawn, not {rows}"
    );
    let most = browser
        .execute_async(
            "const done = arguments[0], pane = document.querySelector('.waterfall'); let most = 0, left = 80
            const next = () => {
                most = Math.max(most, document.querySelectorAll('.span').length)
                pane.scrollTop += 600
                left-- > 0 ? requestAnimationFrame(next) : done(most)
            }
            requestAnimationFrame(next)",
        )
        .await;
    assert!(
        most.as_i64().unwrap() < 120,
        "nor while it is scrolled: {most}"
    );
    screenshot(&browser, "wide-5000").await;
    browser
        .execute("document.querySelector('.spans').focus()")
        .await;
    browser.press('\u{e010}').await;
    browser
        .wait_until(
            "the last row is chosen and in sight",
            "document.querySelector('.span.selected')",
        )
        .await;
    browser.press('\u{e011}').await;
    browser
        .wait_until(
            "and the first",
            "document.querySelector('.span.selected .label')?.innerText.endsWith(' step 1')",
        )
        .await;
    browser.press('\u{e012}').await;
    browser
        .wait_until(
            "it collapses",
            "document.querySelector('.span.selected').getAttribute('aria-expanded') === 'false'",
        )
        .await;
    browser.press('\u{e014}').await;
    browser
        .wait_until(
            "and expands",
            "document.querySelector('.span.selected').getAttribute('aria-expanded') === 'true'",
        )
        .await;
    browser.fill(".trace [type=search]", "step 4321").await;
    browser
        .wait_until(
            "one is found",
            "document.querySelector('.found').innerText === '1 found'",
        )
        .await;
    browser.press('\u{e007}').await;
    browser
        .wait_until(
            "and shown",
            "document.querySelector('.span.selected')?.innerText.includes('step 4321')",
        )
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

/// A root, two calls at the same time, and what is below the first.
fn overlapping() -> [Value; 4] {
    [
        span(&id(1), 1, 0, "GET /", (0, 100)),
        span(&id(1), 2, 1, "search", (10, 60)),
        span(&id(1), 3, 2, "index", (15, 40)),
        span(&id(1), 4, 1, "ads", (20, 50)),
    ]
}

async fn draws_a_trace_as_an_icicle_and_keeps_it_in_the_address() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    browser.resize(1400, 900).await;
    store(&app, "shop", &overlapping()).await;
    browser
        .open(&app.url(&format!("/traces/#/trace/{}", id(1))))
        .await;
    browser.click("[data-shape=icicle]").await;
    browser
        .wait_until(
            "all are boxes",
            "document.querySelectorAll('.spans .box').length === 4",
        )
        .await;
    let places = browser
        .execute(
            "return [...document.querySelectorAll('.spans .box')].map((box) =>
                [box.querySelector('bdi').textContent, box.style.top, box.style.left, box.style.width])",
        )
        .await;
    assert_eq!(
        places,
        json!([
            ["GET /", "0px", "0%", "100%"],
            ["search", "22px", "10%", "50%"],
            ["index", "44px", "15%", "25%"],
            ["ads", "66px", "20%", "30%"],
        ]),
        "depth goes down, and what runs at the same time is stacked"
    );
    screenshot(&browser, "icicle-1400").await;
    browser
        .execute("document.querySelector('.spans').focus()")
        .await;
    for key in ['j', 'j', 'z'] {
        browser.press(key).await;
    }
    browser
        .wait_until(
            "the address says what is seen",
            "/0000000000000002\\?view=icicle&from=\\d+&to=\\d+$/.test(location.hash)",
        )
        .await;
    let before = browser.execute("return location.hash").await;
    browser.reload().await;
    let same = format!(
        "document.querySelector('.box.selected')?.textContent.includes('search') && location.hash === {before}"
    );
    browser.wait_until("a reload shows the same", &same).await;
    browser.press('i').await;
    browser
        .wait_until(
            "the timeline has the same selection and time",
            "document.querySelector('.span.selected')?.textContent.includes('search')
                && /0000000000000002\\?from=\\d+&to=\\d+$/.test(location.hash)",
        )
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn finds_spans_by_the_query_language() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    browser.resize(1400, 900).await;
    let mut spans = overlapping();
    spans[2]["attributes"] = json!([{ "key": "shard", "value": { "intValue": "7" } }]);
    spans[3]["attributes"] = json!([{ "key": "shard", "value": { "intValue": "9" } }]);
    store(&app, "shop", &spans).await;
    browser
        .open(&app.url(&format!("/traces/#/trace/{}?q=shard>=7", id(1))))
        .await;
    let found = |text: &str| format!("document.querySelector('.found').textContent === '{text}'");
    browser.wait_until("two are found", &found("2 found")).await;
    browser
        .wait_until(
            "they are marked",
            "[...document.querySelectorAll('.span.hit .label')].map((one) => one.textContent).join() === 'shop index,shop ads'",
        )
        .await;
    browser
        .execute("document.querySelector('.spans').focus()")
        .await;
    for (key, position) in [
        ('n', "1 of 2"),
        ('n', "2 of 2"),
        ('n', "1 of 2"),
        ('N', "2 of 2"),
    ] {
        browser.press(key).await;
        browser.wait_until(position, &found(position)).await;
    }
    browser.fill(".trace [type=search]", "shard>x").await;
    browser
        .wait_until(
            "it says where the query is wrong",
            "document.querySelector('.trace .query-error').textContent.startsWith('Character 7')",
        )
        .await;
    browser
        .wait_until(
            "the last hits stay, and say so",
            "document.querySelectorAll('.span.hit').length === 2 && document.querySelector('.found.stale').textContent.includes('shard>=7')",
        )
        .await;
    browser.fill(".trace [type=search]", "sha").await;
    browser
        .wait_until(
            "keys of the trace are suggested",
            "document.querySelector('#trace-suggestions li')?.textContent.includes('shard')",
        )
        .await;
}

async fn updates_continue_after_a_failed_poll() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    store(&app, "shop", &[span(&id(1), 1, 0, "first", (0, 9))]).await;
    browser
        .open(&app.url(&format!("/traces/#/trace/{}", id(1))))
        .await;
    browser
        .wait_until(
            "it is drawn",
            "document.querySelectorAll('.span').length === 1",
        )
        .await;
    browser
        .execute(
            "const real = window.fetch; window.failed = 0
            window.fetch = (url, ...rest) => url.includes('api/traces/') && window.failed < 2
                ? (window.failed++, Promise.reject(new TypeError('the network is gone'))) : real(url, ...rest)",
        )
        .await;
    store(&app, "shop", &[span(&id(1), 2, 1, "second", (1, 2))]).await;
    browser
        .wait_until("it fails, and says so", "window.failed > 0 && document.querySelector('.trace .empty').innerText.includes('the network is gone')")
        .await;
    browser
        .wait_until(
            "what was shown stays",
            "document.querySelectorAll('.span').length > 0",
        )
        .await;
    browser
        .wait_until(
            "it is brought up to date",
            "window.failed === 2 && document.querySelectorAll('.span').length === 2 && document.querySelector('.trace .empty').hidden",
        )
        .await;
}

async fn shows_unusual_names_and_values_without_affecting_the_layout() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    browser.resize(1280, 800).await;
    let turned = "\u{202e}gpj.exe";
    let family = "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}";
    let mut odd = span(&id(1), 2, 1, turned, (1, 2));
    odd["attributes"] = json!([
        { "key": "big", "value": { "intValue": "9007199254740993" } },
        { "key": "most", "value": { "intValue": "9223372036854775807" } },
        { "key": "list", "value": { "arrayValue": { "values": [{ "intValue": "-9223372036854775808" }] } } },
        { "key": "double", "value": { "doubleValue": 1.0 } },
        { "key": "blank", "value": { "stringValue": " \u{200b}" } },
        { "key": "", "value": { "stringValue": "no key" } },
    ]);
    let blank = span(&id(1), 3, 1, " \u{2800}", (2, 3));
    let loose = span(&id(1), 4, 1, "\u{301}begins inside", (3, 4));
    let unnamed = span(&id(1), 5, 1, "", (4, 5));
    let root = span(&id(1), 1, 0, "\u{5d0}\u{5d1}\u{5d2}", (0, 9));
    store(&app, &family.repeat(30), &[root, blank, loose, unnamed]).await;
    store(&app, " ", &[odd]).await;
    browser
        .open(&app.url(&format!("/traces/#/trace/{}/0000000000000002", id(1))))
        .await;
    browser
        .wait_until("the span is shown", "document.querySelector('.details')")
        .await;
    let names = "[...document.querySelectorAll('.span .label > bdi')]";
    let shown = browser
        .execute(&format!(
            "return {names}.map(name => [name.textContent, getComputedStyle(name).unicodeBidi])"
        ))
        .await;
    let expected = [
        "\u{5d0}\u{5d1}\u{5d2}",
        turned,
        " \u{2800}",
        "\u{301}begins inside",
        "(no name)",
    ];
    let expected: Vec<Value> = expected
        .iter()
        .map(|name| json!([name, "isolate"]))
        .collect();
    assert_eq!(shown, json!(expected));
    let marks = browser
        .execute(&format!("return {names}.map(name => [getComputedStyle(name, '::before').content, getComputedStyle(name, '::after').content])"))
        .await;
    let none = json!(["none", "none"]);
    let expected = [
        none.clone(),
        none.clone(),
        json!(["none", "\"(blank)\""]),
        json!(["\"◌\"", "none"]),
        none,
    ];
    assert_eq!(marks, json!(expected));
    let values = browser
        .execute("return [...document.querySelectorAll('.details dl')[0].children].map(one => (one.querySelector('.value') ?? one).textContent)")
        .await;
    let expected = [
        "big",
        "9007199254740993",
        "most",
        "9223372036854775807",
        "list",
        "[-9223372036854775808]",
        "double",
        "1.0",
        "blank",
        " \u{200b}",
        "(no key)",
        "no key",
    ];
    assert_eq!(values, json!(expected));
    screenshot(&browser, "odd-names").await;
    browser.open(&app.url("/traces/#/map")).await;
    browser
        .wait_until(
            "the services are drawn",
            "document.querySelectorAll('.scene .node').length === 2",
        )
        .await;
    let drawn = browser
        .execute(
            "return [...document.querySelectorAll('.scene .title')].map(name => name.textContent)",
        )
        .await;
    let drawn: Vec<&str> = drawn
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(drawn.contains(&"(blank)"), "{drawn:?}");
    let mut cut = drawn.iter().filter_map(|name| name.strip_suffix('…'));
    assert!(
        cut.any(|name| !name.is_empty() && name.replace(family, "").is_empty()),
        "no half characters: {drawn:?}"
    );
    browser.open(&app.url("/traces/#/")).await;
    browser
        .fill("[name=q]", "list=[-9223372036854775808]")
        .await;
    browser.click(".filters .primary").await;
    browser
        .wait_until(
            "what is shown is found",
            &format!("{ROWS} === 1 && location.search.includes('q=list')"),
        )
        .await;
    browser
        .fill("[name=q]", "list=[-9223372036854775808] most=1")
        .await;
    browser.click(".filters .primary").await;
    browser
        .wait_until("both are wanted", &format!("{ROWS} === 0"))
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}
