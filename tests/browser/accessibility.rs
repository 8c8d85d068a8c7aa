//! Every view of the page: axe finds nothing, and every control is reached by keyboard.

use serde_json::{Value, json};

use super::{id, store};
use crate::harness::{Test, tests};
use crate::support::{App, Browser, launch_app};
use crate::viewer::span;

pub(crate) const TESTS: &[Test] = tests! {
    browser: [
        axe_finds_nothing_in_both_languages_and_colours,
        the_keyboard_reaches_every_control,
        the_language_is_the_browsers_or_the_chosen_one,
    ]
};

/// axe-core, which `tests/vendor/axe-core/origin.json` describes.
const AXE: &str = include_str!("../vendor/axe-core/axe.min.js");

const RUN_AXE: &str = "
    const done = arguments[arguments.length - 1]
    const places = nodes => nodes.map(node => node.target.join(' ')).join(', ')
    axe.run(document, { resultTypes: ['violations'] }).then(
        result => done(result.violations.map(one => `${one.id}: ${places(one.nodes)}`)),
        error => done([String(error)]))
";

/// A view: its name, its address below `/traces/`, a script that opens what is folded, and what is true then.
struct View {
    name: &'static str,
    address: &'static str,
    script: &'static str,
    is_shown: &'static str,
}

const EMPTY: View = View {
    name: "empty list",
    address: "#/",
    script: "",
    is_shown: "document.querySelector('.first-steps .snippet')",
};

const VIEWS: &[View] = &[
    View {
        name: "list",
        address: "#/",
        script: "",
        is_shown: "document.querySelectorAll('.rows .row').length >= 2",
    },
    View {
        name: "filtered list",
        address: "?q=service%3Dshop&errors=true#/",
        script: "document.querySelectorAll('details').forEach(one => one.open = true)",
        is_shown: "document.querySelectorAll('.rows .row').length === 1 && document.querySelector('.several .chip')",
    },
    View {
        name: "list without a match",
        address: "?q=nothing#/",
        script: "",
        is_shown: "document.querySelector('.empty').textContent.length > 12",
    },
    View {
        name: "query that is not understood",
        address: "?q=duration%3Efast#/",
        script: "",
        is_shown: "!document.getElementById('query-error').hidden",
    },
    View {
        name: "help",
        address: "#/map",
        script: "document.getElementById('help').click()",
        is_shown: "document.querySelector('dialog').open",
    },
    View {
        name: "trace",
        address: "#/trace/00000000000000000000000000000001/0000000000000002",
        script: "document.querySelectorAll('details').forEach(one => one.open = true)",
        is_shown: "document.querySelectorAll('.span').length === 3 && document.querySelector('.details .attributes')",
    },
    View {
        name: "menu of a trace",
        address: "#/trace/00000000000000000000000000000001?q=name%3D%22POST%20%2Fpay%22",
        script: "document.querySelector('.menu').open = true",
        is_shown: "document.querySelectorAll('.span.hit').length === 1 && document.querySelectorAll('.span.miss').length === 2",
    },
    View {
        name: "icicle",
        address: "#/trace/00000000000000000000000000000001?view=icicle",
        script: "",
        is_shown: "document.querySelectorAll('.spans .box').length === 3",
    },
    View {
        name: "map of a trace",
        address: "#/trace/00000000000000000000000000000001?view=map",
        script: "document.querySelectorAll('details.for-map').forEach(one => one.open = true)",
        is_shown: "document.querySelectorAll('.trace-map .node').length >= 2",
    },
    View {
        name: "groups",
        address: "?grouped=true#/",
        script: "",
        is_shown: "document.querySelectorAll('.group').length >= 2",
    },
    View {
        name: "map",
        address: "#/map",
        script: "",
        is_shown: "document.querySelectorAll('.node').length >= 2",
    },
    View {
        name: "form with a refusal",
        address: "#/try",
        script: "
            document.querySelector('[name=errors]').value = 'abc'
            document.querySelector('.try .primary').click()",
        is_shown: "document.getElementById('errors-problem').textContent.includes('abc')",
    },
    View {
        name: "report",
        address: "#/try",
        script: "
            document.querySelector('[name=report]').checked = true
            document.querySelector('.try .primary').click()",
        is_shown: "document.querySelector('.report table')",
    },
];

async fn axe_finds_nothing_in_both_languages_and_colours() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    let looks = [
        ("en", "light", 1400),
        ("en", "dark", 400),
        ("pt-BR", "light", 400),
        ("pt-BR", "dark", 1400),
    ];
    let mut findings = Vec::new();
    for is_filled in [false, true] {
        if is_filled {
            fill(&app).await;
        }
        let views = if is_filled { VIEWS } else { &[EMPTY] };
        for (language, scheme, width) in looks {
            browser.resize(width, 900).await;
            browser.set_color_scheme(scheme).await;
            for view in views {
                show(&browser, &app, view, language).await;
                browser.execute(AXE).await;
                let found = browser.execute_async(RUN_AXE).await;
                for finding in found.as_array().expect("axe answers") {
                    findings.push(format!(
                        "{} {language} {scheme} {width}: {finding}",
                        view.name
                    ));
                }
            }
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}

/// What takes the focus; each is numbered, so that it is known again.
const CONTROLS: &str = "
    const all = document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')
    window.controls = [...all].filter(one => one.tabIndex >= 0 && !one.disabled && one.checkVisibility())
    window.reached = new Set(), window.unseen = new Set()
    window.nameOf = one => one.outerHTML.slice(0, 120)
    document.activeElement.blur()
    return controls.length
";

/// Notes what has the focus, and whether that is seen.
const NOTE_FOCUS: &str = "
    const one = document.activeElement
    reached.add(one)
    const style = getComputedStyle(one)
    // On the map, what has the focus has a wider edge.
    const shape = one.querySelector('.outline, .plate')
    const isSeen = (style.outlineStyle !== 'none' && style.outlineWidth !== '0px') || style.boxShadow !== 'none'
        || (shape && parseFloat(getComputedStyle(shape).strokeWidth) >= 2.5)
    if (one !== document.body && !isSeen) unseen.add(nameOf(one))
    return controls.every(control => reached.has(control) || !control.checkVisibility())
";

async fn the_keyboard_reaches_every_control() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    browser.resize(1400, 1000).await;
    show(&browser, &app, &EMPTY, "en").await;
    tab_through(&browser, &EMPTY).await;
    fill(&app).await;
    for view in VIEWS.iter().filter(|view| view.name != "help") {
        show(&browser, &app, view, "en").await;
        tab_through(&browser, view).await;
    }
}

async fn tab_through(browser: &Browser, view: &View) {
    const TAB: char = '\u{e004}';
    let number = browser.execute(CONTROLS).await.as_u64().unwrap();
    assert!(number > 8, "{}: {number} controls", view.name);
    // A field for a time has several stops, and the browser's own controls may be among them.
    for _ in 0..3 * number {
        browser.press(TAB).await;
        if browser.execute(NOTE_FOCUS).await == Value::Bool(true) {
            break;
        }
    }
    let missed =
        "return controls.filter(one => one.checkVisibility() && !reached.has(one)).map(nameOf)";
    let missed = browser.execute(missed).await;
    assert_eq!(missed, json!([]), "{}: not reached", view.name);
    let unseen = browser.execute("return [...unseen]").await;
    assert_eq!(unseen, json!([]), "{}: the focus is not seen", view.name);
}

async fn the_language_is_the_browsers_or_the_chosen_one() {
    let app = launch_app().start().await;
    let browser = Browser::start().await;
    fill(&app).await;
    let address = "/traces/?q=service%3Dshop&sort=-spans#/trace/00000000000000000000000000000001";
    browser.open(&app.url(address)).await;
    let spans = "document.querySelectorAll('.span').length === 3";
    browser.wait_until("the trace is drawn", spans).await;
    assert_eq!(
        browser
            .execute("return document.documentElement.lang")
            .await,
        "en"
    );
    let choose = "
        const menu = document.querySelector('.language')
        menu.value = 'pt-BR'
        menu.dispatchEvent(new Event('change'))
    ";
    browser.execute(choose).await;
    let is_portuguese = "document.documentElement.lang === 'pt-BR'";
    browser
        .wait_until("the page is loaded again", is_portuguese)
        .await;
    browser.wait_until("the same trace is drawn", spans).await;
    let texts = browser.text("main").await;
    for text in ["Operações", "Por que falhou", "2,00 s", "3 spans"] {
        assert!(texts.contains(text), "{text} is not in {texts}");
    }
    let here = browser.execute("return location.href").await;
    assert_eq!(here, app.url(address), "nothing is lost");
    browser.reload().await;
    browser.wait_until("it is remembered", is_portuguese).await;
}

/// Two traces, one with calls, errors, an event and an attribute.
async fn fill(app: &App) {
    let mut root = span(&id(1), 1, 0, "POST /order", (0, 2000));
    let mut call = span(&id(1), 2, 1, "POST", (100, 1900));
    call["kind"] = json!(3);
    call["attributes"] = json!([
        { "key": "db.query.text", "value": { "stringValue": "SELECT 1\nFROM a\nWHERE b\nAND c\nAND d" } },
        { "key": "http.request.method", "value": { "stringValue": "POST" } },
    ]);
    call["events"] = json!([{ "timeUnixNano": "1790000000500000000", "name": "retry" }]);
    call["links"] = json!([{ "traceId": id(2), "spanId": format!("{:016x}", 9) }]);
    let mut answer = span(&id(1), 3, 2, "POST /pay", (200, 1800));
    let failed = json!({ "code": 2, "message": "card refused" });
    for one in [&mut root, &mut call, &mut answer] {
        one["status"] = failed.clone();
    }
    store(app, "shop", &[root, call]).await;
    store(app, "payments", &[answer]).await;
    store(app, "other", &[span(&id(2), 9, 0, "job", (0, 5))]).await;
}

async fn show(browser: &Browser, app: &App, view: &View, language: &str) {
    // A new address alone would not load the page again.
    browser.open(&app.url("/traces/page/icon.svg")).await;
    browser
        .execute(&format!(
            "localStorage.setItem('language', '{language}'); sessionStorage.clear()"
        ))
        .await;
    browser
        .open(&app.url(&format!("/traces/{}", view.address)))
        .await;
    browser
        .wait_until(
            "the frame is drawn",
            "document.querySelector('main h1, main .trace-pane')",
        )
        .await;
    if view.address == "#/try" {
        let path = "document.querySelector('[name=path]').value";
        browser.wait_until("the path is known", path).await;
    }
    if view.name == "trace" {
        let spans = "document.querySelector('.details')";
        browser.wait_until("the details are there", spans).await;
    }
    browser.execute(view.script).await;
    browser.wait_until(view.name, view.is_shown).await;
}
