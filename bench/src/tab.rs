//! A page of the viewer in Chromium, and what it takes.

use std::time::Duration;

use serde_json::{Value, json};
use tracing_tail_testkit::browser::Browser;

/// Opens a trace from the list that is shown, and returns when its rows were painted, and how long its answer was
/// awaited and received, both in milliseconds.
const OPEN_TRACE: &str = r"
const done = arguments[arguments.length - 1];
const start = performance.now();
location.hash = FRAGMENT;
const look = () => {
    if (document.querySelectorAll('[role=treeitem]').length < 10) return requestAnimationFrame(look);
    requestAnimationFrame(() => setTimeout(() => {
        const painted = performance.now() - start;
        const asked = performance.getEntriesByType('resource').filter((one) =>
            one.startTime >= start && one.startTime < start + painted && /api\/traces\/[0-9a-f]{32}\?/.test(one.name));
        done([painted, asked[0].responseEnd - asked[0].startTime]);
    }));
};
requestAnimationFrame(look);";

/// The bytes of the page's own files as they came, and as they are.
const PAGE_BYTES: &str = r"
const own = performance.getEntriesByType('resource').filter((one) => one.name.includes('/traces/page/'));
const all = [...own, ...performance.getEntriesByType('navigation')];
const sum = (of) => all.reduce((total, one) => total + of(one), 0);
return [sum((one) => one.transferSize), sum((one) => one.decodedBodySize)];";

/// Shows older traces, and returns how many are listed.
const SHOW_OLDER: &str = r"
[...document.querySelectorAll('.rows .row')].at(-1)?.scrollIntoView();
const text = document.querySelector('.stats')?.textContent ?? '';
return Number((/[\d,]+/.exec(text)?.[0] ?? '0').replaceAll(',', ''));";

/// A browser with the page open.
#[derive(Debug)]
pub struct Tab {
    browser: Browser,
}

/// How long something took, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Opened {
    /// From the address to the rows on the screen.
    pub painted: f64,
    /// Of it, waiting for the trace's answer and receiving it.
    pub answer: f64,
    /// What the main thread computed meanwhile.
    pub main_thread: f64,
}

impl Tab {
    /// Opens an address in a browser of its own.
    pub async fn open(url: &str) -> Tab {
        let browser = Browser::start().await;
        browser.resize(1400, 900).await;
        // CPU time of the thread, which others on the machine do not lengthen.
        let domain = json!({ "timeDomain": "threadTicks" });
        browser.devtools("Performance.enable", domain).await;
        browser.open(url).await;
        let tab = Tab { browser };
        tab.list_shown().await;
        tab
    }

    /// Loads an address anew.
    pub async fn reload(&self, url: &str) {
        self.browser.open("about:blank").await;
        self.browser.open(url).await;
        self.list_shown().await;
    }

    async fn list_shown(&self) {
        let is_shown = "document.querySelector('.stats')?.textContent";
        self.browser.wait_until("the list is shown", is_shown).await;
    }

    /// The bytes of the page's files: over the wire, and decompressed.
    pub async fn page_bytes(&self) -> (f64, f64) {
        pair(&self.browser.execute(PAGE_BYTES).await)
    }

    /// Opens a trace, and goes back to the list.
    pub async fn open_trace(&self, id: &str) -> Opened {
        let before = self.main_thread().await;
        let fragment = json!(format!("#/trace/{id}")).to_string();
        let script = OPEN_TRACE.replace("FRAGMENT", &fragment);
        let (painted, answer) = pair(&self.browser.execute_async(&script).await);
        let main_thread = self.main_thread().await.saturating_sub(before);
        self.browser.execute("location.hash = '#/'").await;
        let is_left = "document.querySelectorAll('[role=treeitem]').length === 0";
        self.browser.wait_until("the trace is left", is_left).await;
        Opened {
            painted,
            answer,
            main_thread: 1000.0 * main_thread.as_secs_f64(),
        }
    }

    /// Shows older traces until so many are listed.
    pub async fn show_rows(&self, wanted: usize) {
        let enough = format!("(() => {{ {SHOW_OLDER} }})() >= {wanted}");
        self.browser.wait_until("older traces", &enough).await;
        // At the top, and with the pointer elsewhere, new ones are shown at once.
        let away = json!({ "type": "mouseMoved", "x": 2, "y": 2 });
        self.browser
            .devtools("Input.dispatchMouseEvent", away)
            .await;
        self.browser
            .execute("document.querySelector('.list').scrollTop = document.scrollingElement.scrollTop = 0")
            .await;
    }

    /// Whether new traces wait until somebody wants to see them.
    pub async fn has_waiting(&self) -> bool {
        let is_shown = "return document.querySelector('.fresh')?.hidden === false;";
        self.browser.execute(is_shown).await == Value::Bool(true)
    }

    /// The CPU time of the page's main thread so far.
    pub async fn main_thread(&self) -> Duration {
        Duration::from_secs_f64(self.metric("TaskDuration").await)
    }

    /// The bytes of the page's objects that are still in use.
    pub async fn heap(&self) -> f64 {
        self.browser
            .devtools("HeapProfiler.collectGarbage", json!({}))
            .await;
        self.metric("JSHeapUsedSize").await
    }

    async fn metric(&self, name: &str) -> f64 {
        let all = self
            .browser
            .devtools("Performance.getMetrics", json!({}))
            .await;
        let mut metrics = all["metrics"].as_array().into_iter().flatten();
        let found = metrics.find(|one| one["name"] == name);
        found
            .and_then(|one| one["value"].as_f64())
            .unwrap_or(f64::NAN)
    }
}

fn pair(value: &Value) -> (f64, f64) {
    let at = |index: usize| value[index].as_f64().unwrap_or(f64::NAN);
    (at(0), at(1))
}
