//! The viewer's page in a real Chromium, without a window. Pictures are kept in `target/screenshots/`.

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Test, tests};
use crate::support::{App, Browser, launch_app, screenshot};
use crate::viewer::{export, send, span};

pub(crate) const TESTS: &[Test] = tests! {
    browser: [
        sends_a_request_and_shows_its_trace_without_a_reload,
        a_fault_from_the_form_hits_its_hop,
        the_list_is_live_filters_pauses_and_never_jumps,
        what_is_hostile_late_or_skewed_is_shown_as_what_it_is,
        what_is_pinned_lacks_spans_or_was_turned_away_is_said,
        five_thousand_spans_are_few_rows_and_the_keyboard_reaches_them_all,
        a_poll_that_fails_does_not_end_the_updates,
        names_and_values_are_shown_as_they_are_and_change_nothing_around_them,
        a_link_with_the_token_opens_the_page_and_leaves_no_token_in_the_address,
        a_page_of_another_origin_sends_traces_and_reads_none,
    ]
};

const JSON: &str = "application/json";
const HOSTILE: &str = "<img src=x onerror=\"window.hacked=1\"><script>window.hacked=1</script>";

async fn store(app: &App, service: &str, spans: &[Value]) {
    let answer = send(app, JSON, export(service, spans).to_string()).await;
    assert_eq!(answer.status(), 200);
}

fn id(number: u64) -> String {
    format!("{number:032x}")
}

/// How many rows the list has.
const ROWS: &str = "document.querySelectorAll('.rows .row').length";

/// The least contrast of text with what it may stand on, and of a service's colour with a card
/// (WCAG 2.2, 1.4.3 and 1.4.11).
const CONTRAST: &str = "
    const style = getComputedStyle(document.documentElement)
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    const light = name => {
        canvas.fillStyle = style.getPropertyValue(name); canvas.fillRect(0, 0, 1, 1)
        const part = value => { value /= 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4 }
        const [red, green, blue] = [...canvas.getImageData(0, 0, 1, 1).data].map(part)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
    const contrast = (one, other) => {
        const [low, high] = [light(one), light(other)].sort((a, b) => a - b)
        return (high + 0.05) / (low + 0.05)
    }
    const pairs = []
    for (const text of ['--text', '--soft', '--accent', '--bad'])
        for (const ground of ['--ground', '--card', '--hover']) pairs.push([text, ground, 4.5])
    pairs.push(['--text', '--chosen', 4.5], ['--soft', '--chosen', 4.5], ['--bad', '--chosen', 4.5], ['--bad', '--bad-ground', 4.5], ['--warn', '--warn-ground', 4.5], ['--on-accent', '--accent', 4.5], ['--link', '--card', 3])
    for (let colour = 0; colour < 12; colour++) pairs.push([`--c${colour}`, '--card', 3], [`--c${colour}`, '--chosen', 3])
    return pairs.map(([one, other, least]) => [one, other, contrast(one, other), least]).filter(([, , is, least]) => is < least)
";

async fn sends_a_request_and_shows_its_trace_without_a_reload() {
    let app = launch_app()
        .env(
            "APP_URL_DESTINO",
            "http://service-b.spin.internal,http://service-c.spin.internal",
        )
        .env("APP_LATENCY", "30ms..60ms")
        .env("APP_B_LATENCY", "80ms..160ms")
        .env("APP_C_LATENCY", "20ms..40ms")
        .start()
        .await;
    let browser = Browser::start().await;
    browser.resize(1280, 800).await;
    browser.open(&app.url("/traces/")).await;
    browser
        .wait_until(
            "the list is empty",
            "document.querySelector('.empty').innerText.includes('No traces yet')",
        )
        .await;
    browser.execute("window.same = true").await;
    browser.click("[data-view=try]").await;
    browser.fill("[name=payload]", "[\"from the form\"]").await;
    screenshot(&browser, "try").await;
    browser.click(".try .primary").await;
    browser
        .wait_until("the trace opens", "location.hash.startsWith('#/trace/')")
        .await;
    browser
        .wait_until(
            "all its spans arrive",
            "document.querySelectorAll('.span').length === 8",
        )
        .await;
    browser
        .wait_until("it is the same page", "window.same")
        .await;
    let drawn = browser.execute("return [...document.querySelectorAll('.span')].map(row => {
        const bar = row.querySelector('.bar').getBoundingClientRect(), track = row.querySelector('.track').getBoundingClientRect();
        return [bar.left - track.left, bar.width, track.width, row.querySelector('.simulated') !== null]
    })").await;
    let drawn = drawn.as_array().unwrap();
    let number = |row: &Value, place: usize| row[place].as_f64().unwrap();
    assert!(
        number(&drawn[0], 0) < 1.0 && number(&drawn[0], 1) > number(&drawn[0], 2) * 0.9,
        "the root has the whole width: {drawn:?}"
    );
    assert_eq!(
        drawn.iter().filter(|row| row[3] == true).count(),
        3,
        "simulated latency is visible as such"
    );
    assert!(
        number(&drawn[2], 0) >= number(&drawn[1], 1) - 2.0,
        "the first call starts after the latency: {drawn:?}"
    );
    browser
        .wait_until(
            "the critical path is drawn",
            "document.querySelectorAll('.critical').length > 3",
        )
        .await;
    browser
        .wait_until(
            "links are drawn",
            "document.querySelectorAll('.link').length === 1",
        )
        .await;
    let target = browser
        .execute("return document.querySelector('.link').dataset.to")
        .await;
    browser.execute("document.querySelector('.link').dispatchEvent(new MouseEvent('click', { bubbles: true }))").await;
    browser
        .wait_until(
            "the link leads to its span",
            &format!(
                "location.hash.endsWith('/' + {target}) && document.querySelector('.details')"
            ),
        )
        .await;
    assert!(
        browser.text(".details").await.contains("http.route"),
        "attributes are shown"
    );
    assert_eq!(
        browser.execute(CONTRAST).await,
        json!([]),
        "contrast in light colours"
    );
    screenshot(&browser, "trace-light").await;
    browser.reload().await;
    browser.wait_until("the deep link survives", &format!("document.querySelector('.span.selected')?.id === 's-' + {target} && document.querySelector('.details')")).await;
    browser.set_color_scheme("dark").await;
    browser
        .wait_until(
            "it is dark",
            "getComputedStyle(document.body).backgroundColor === 'rgb(17, 20, 26)'",
        )
        .await;
    assert_eq!(
        browser.execute(CONTRAST).await,
        json!([]),
        "contrast in dark colours"
    );
    screenshot(&browser, "trace-dark").await;
    for _ in 0..3 {
        app.process("[]").await;
    }
    browser.click("[data-view=map]").await;
    browser
        .wait_until(
            "two calls are drawn",
            "document.querySelectorAll('.edge').length === 2",
        )
        .await;
    screenshot(&browser, "map-dark").await;
    browser.set_color_scheme("light").await;
    screenshot(&browser, "map-light").await;
    browser.execute("document.querySelector('.edge').dispatchEvent(new MouseEvent('click', { bubbles: true }))").await;
    browser
        .wait_until(
            "a call filters the list",
            &format!("location.hash.includes('calls=') && {ROWS} === 4"),
        )
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn a_fault_from_the_form_hits_its_hop() {
    let app = launch_app()
        .env("APP_URL_DESTINO", "http://service-b.spin.internal")
        .start()
        .await;
    let browser = Browser::start().await;
    browser.open(&app.url("/traces/#/try")).await;
    browser
        .wait_until("the form is there", "document.querySelector('form.try')")
        .await;
    browser.fill("[name=service]", "service-b").await;
    browser.fill("[name=errors]", "503:100").await;
    browser.fill("[name=seed]", "7").await;
    browser.click("[name=report]").await;
    browser.click(".try .primary").await;
    browser
        .wait_until("the trace opens", "location.hash.startsWith('#/trace/')")
        .await;
    browser
        .wait_until(
            "the failed call and both services are marked",
            "document.body.innerText.includes('3 spans') && document.body.innerText.includes('3 errors')",
        )
        .await;
    // The rows are drawn a frame after the heading that counts them.
    browser
        .wait_until(
            "the rows are drawn",
            "document.querySelectorAll('.span').length === 3",
        )
        .await;
    browser
        .execute("document.querySelectorAll('.span')[2].click()")
        .await;
    for told in ["tracing_tail.override.errors", "503:100", "baggage"] {
        let script = format!("document.body.innerText.includes('{told}')");
        browser.wait_until(told, &script).await;
    }
}

async fn the_list_is_live_filters_pauses_and_never_jumps() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    browser.resize(1280, 800).await;
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
    // A reader who has chosen a row is not disturbed.
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
    browser.fill("[name=min_duration]", "400").await;
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
    browser.fill("[name=text]", "nothing has this").await;
    browser.click(".filters .primary").await;
    browser
        .wait_until(
            "none is left",
            "document.querySelector('.empty').innerText.includes('No trace passes')",
        )
        .await;
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

async fn what_is_hostile_late_or_skewed_is_shown_as_what_it_is() {
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

async fn what_is_pinned_lacks_spans_or_was_turned_away_is_said() {
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
    // The instance that counted it writes it with its next answer, and may be gone before a browser has started.
    let counts = app.request(Method::GET, "/traces/api/counts").send();
    assert_eq!(counts.await.unwrap().status(), 200);
    let browser = Browser::start().await;
    browser.resize(1280, 800).await;
    browser
        .open(&app.url(&format!("/traces/#/trace/{}", id(1))))
        .await;
    browser
        .wait_until(
            "the trace says what it lacks",
            "document.querySelector('main').innerText.includes('incomplete: 1 span could not be taken')",
        )
        .await;
    browser.click("button[aria-pressed]").await;
    browser
        .wait_until(
            "it is pinned",
            "document.querySelector('button[aria-pressed=true]')?.innerText === 'Unpin'",
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
            "what was turned away is said",
            "document.body.innerText.includes('1 export turned away since')",
        )
        .await;
    screenshot(&browser, "list-pinned").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn five_thousand_spans_are_few_rows_and_the_keyboard_reaches_them_all() {
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

async fn a_poll_that_fails_does_not_end_the_updates() {
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
            window.fetch = (url, ...rest) => url.includes('/api/traces/') && window.failed < 2
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

async fn names_and_values_are_shown_as_they_are_and_change_nothing_around_them() {
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
        .execute("return [...document.querySelectorAll('.details dl')[0].children].map(one => one.textContent)")
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
            "document.querySelectorAll('.node').length === 2",
        )
        .await;
    let drawn = browser
        .execute(
            "return [...document.querySelectorAll('.node .title')].map(name => name.textContent)",
        )
        .await;
    let drawn: Vec<&str> = drawn
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(drawn.contains(&"(blank)"), "{drawn:?}");
    let whole = format!("{}…", family.repeat(21));
    assert!(
        drawn.contains(&whole.as_str()),
        "no half characters: {drawn:?}"
    );
    browser.open(&app.url("/traces/#/")).await;
    browser
        .fill("[name=attribute]", "list=[-9223372036854775808]")
        .await;
    browser.click(".filters .primary").await;
    browser
        .wait_until(
            "what is shown is found",
            &format!("{ROWS} === 1 && location.hash.includes('attribute=')"),
        )
        .await;
    browser.click("[aria-label='Another attribute']").await;
    browser.fill("[name=attribute]:last-child", "most=1").await;
    browser.click(".filters .primary").await;
    browser
        .wait_until("both are wanted", &format!("{ROWS} === 0"))
        .await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}

async fn a_link_with_the_token_opens_the_page_and_leaves_no_token_in_the_address() {
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

async fn a_page_of_another_origin_sends_traces_and_reads_none() {
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
