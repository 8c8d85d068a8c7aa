//! Requests that the page sends, and the map.

use serde_json::{Value, json};

use super::ROWS;
use crate::harness::{Test, tests};
use crate::support::{Browser, launch_app, screenshot};

pub(crate) const TESTS: &[Test] = tests! {
    browser: [
        sends_a_request_and_shows_its_trace_without_reloading,
        a_fault_from_the_form_hits_its_hop,
    ]
    browser_and_embedded_host: [
        the_page_says_that_the_host_loses_what_is_stored,
    ]
};

/// The minimum contrast of text with its background, and of a service's colour with a card
/// (WCAG 2.2, 1.4.3 and 1.4.11).
const CONTRAST: &str = "
    const probe = document.body.appendChild(document.createElement('i'))
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
    const light = name => {
        probe.style.color = `var(${name})`
        canvas.fillStyle = getComputedStyle(probe).color; canvas.fillRect(0, 0, 1, 1)
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

async fn sends_a_request_and_shows_its_trace_without_reloading() {
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
    let path = "document.querySelector('[name=path]').value === '/chain/process'";
    browser.wait_until("the path is the mesh's", path).await;
    browser.fill("[name=path]", "/process").await;
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
            "the link of the span under the pointer is drawn",
            "[...document.querySelectorAll('.span')].some(row => (row.dispatchEvent(new PointerEvent('pointerover', { bubbles: true })), document.querySelectorAll('.link').length === 1))",
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
            &format!("location.search.includes('calls=') && {ROWS} === 4"),
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
    let path = "document.querySelector('[name=path]').value === '/chain/process'";
    browser.wait_until("the path is the mesh's", path).await;
    browser.fill("[name=path]", "/process").await;
    browser.fill("[name=service]", "service-b").await;
    browser.fill("[name=errors]", "503:100").await;
    browser.fill("[name=seed]", "7").await;
    browser.click("[name=report]").await;
    browser.click(".try .primary").await;
    browser
        .wait_until(
            "the report is there as tables",
            "document.querySelectorAll('.report table').length === 2",
        )
        .await;
    for text in ["service-b", "simulated error", "baggage", "1 of 1"] {
        let script = format!("document.querySelector('.report').innerText.includes('{text}')");
        browser.wait_until(text, &script).await;
    }
    let whole =
        "document.querySelector('.outcome details pre').textContent.includes('\"version\": 2')";
    browser.wait_until("the JSON is folded below", whole).await;
    browser.resize(1280, 1600).await;
    screenshot(&browser, "report").await;
    browser.click(".outcome .note a").await;
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
    for text in ["tracing_tail.override.errors", "503:100", "baggage"] {
        let script = format!("document.body.innerText.includes('{text}')");
        browser.wait_until(text, &script).await;
    }
}

async fn the_page_says_that_the_host_loses_what_is_stored() {
    let browser = Browser::start().await;
    let notice = "document.querySelector('#in-memory').checkVisibility()";
    let counted = "document.querySelector('#held').textContent.includes('0 traces')";
    let app = launch_app().start().await;
    browser.open(&app.url("/traces/")).await;
    browser.wait_until("the counts are there", counted).await;
    let shown = browser.execute(&format!("return {notice}")).await;
    assert_eq!(shown, false, "traces are kept");
    let app = launch_app()
        .argument("--sharing")
        .argument("own-memory")
        .start()
        .await;
    browser.open(&app.url("/traces/")).await;
    browser.wait_until("it is said", notice).await;
    let text = browser.text("#in-memory").await;
    assert!(text.contains("--state-dir"), "the way out: {text}");
    screenshot(&browser, "in-memory").await;
}
