//! Chromium without a window, driven over WebDriver (<https://www.w3.org/TR/webdriver2/>) by `chromedriver`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, WebDriverCompatibleCommand, WindowHandle};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{ParseError, Url};

use crate::wait::PATIENCE;

/// How often the driver is started before the test fails.
const DRIVER_ATTEMPTS: usize = 3;
/// What `chromedriver` prints before its port, when the system picks it.
const STARTED: &str = "started successfully on port ";

/// A browser with one page. It is closed when this is dropped.
#[derive(Debug)]
pub struct Browser {
    _driver: Driver,
    /// Kept open: a driver whose output nobody can read may end.
    _output: BufReader<ChildStdout>,
    address: String,
    session: String,
    client: Client,
    _profile: TempDir,
}

/// Whether `chromedriver` is installed.
pub fn is_installed() -> bool {
    let version = Command::new("chromedriver").arg("--version").output();
    version.is_ok_and(|version| version.status.success())
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Panics
    /// If Chromium or `chromedriver` is missing, or does not start.
    pub async fn start() -> Browser {
        // The port that it picks may be taken in IPv6, and then it ends.
        let started = (0..DRIVER_ATTEMPTS).find_map(|_| start_driver());
        let (driver, output, port) = started.expect("chromedriver ended early");
        let address = format!("127.0.0.1:{port}");
        let profile = TempDir::new().unwrap();
        let connect = async {
            ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities(profile.path()))
                .connect(&format!("http://{address}"))
                .await
        };
        let client = in_time("a session", connect).await;
        let session = in_time("the session's id", client.session_id()).await;
        Browser {
            _driver: driver,
            _output: output,
            address,
            session: session.expect("the session has just been made"),
            client,
            _profile: profile,
        }
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) {
        in_time(url, self.client.goto(url)).await;
    }

    /// The tab that is driven.
    pub async fn tab(&self) -> WindowHandle {
        in_time("the tab", self.client.window()).await
    }

    /// Opens an address in another tab, and drives that from now on.
    pub async fn open_tab(&self, url: &str) -> WindowHandle {
        let opened = in_time("a tab", self.client.new_window(true)).await;
        let tab = opened.handle;
        self.switch_to_tab(&tab).await;
        self.open(url).await;
        tab
    }

    /// Drives another tab.
    pub async fn switch_to_tab(&self, tab: &WindowHandle) {
        let switched = self.client.switch_to_window(tab.clone());
        in_time("the tab", switched).await;
    }

    /// Closes the tab that is driven. Another one has to be chosen then.
    pub async fn close_tab(&self) {
        in_time("close", self.client.close_window()).await;
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        in_time("reload", self.client.refresh()).await;
    }

    /// Sets the window's size.
    pub async fn resize(&self, width: u32, height: u32) {
        let parameters = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.devtools("Emulation.setDeviceMetricsOverride", parameters)
            .await;
    }

    /// Sets the colour scheme that the system prefers: `light` or `dark`.
    pub async fn set_color_scheme(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await;
    }

    /// Takes the page's network away, or gives it back.
    pub async fn set_offline(&self, offline: bool) {
        self.devtools("Network.enable", json!({})).await;
        let conditions = json!({
            "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1,
        });
        self.devtools("Network.emulateNetworkConditions", conditions)
            .await;
    }

    /// Runs a command of the DevTools protocol (<https://chromedevtools.github.io/devtools-protocol/>), and returns its
    /// result.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.extension("goog/cdp/execute", body).await
    }

    async fn extension(&self, path: &'static str, body: Value) -> Value {
        in_time(path, self.client.issue_cmd(Extension { path, body })).await
    }

    /// Runs a script in the page, and returns what it returns.
    pub async fn execute(&self, script: &str) -> Value {
        in_time(script, self.client.execute(script, Vec::new())).await
    }

    /// Runs a script in the page, and returns what it passes to the function that is its last argument.
    pub async fn execute_async(&self, script: &str) -> Value {
        in_time(script, self.client.execute_async(script, Vec::new())).await
    }

    /// Waits until a JavaScript expression is true.
    ///
    /// # Panics
    /// When [`PATIENCE`] is over; the message names `what`, and has the page's text.
    pub async fn wait_until(&self, what: &str, expression: &str) {
        let started = Instant::now();
        let script = format!("return Boolean({expression})");
        loop {
            let call = self.client.execute(&script, Vec::new());
            let result = tokio::time::timeout(2 * PATIENCE, call)
                .await
                .expect("the browser answers in time");
            if matches!(result, Ok(Value::Bool(true))) {
                return;
            }
            if started.elapsed() > PATIENCE {
                let page = self.execute("return document.body.innerText").await;
                let page = page.as_str().unwrap_or_default();
                panic!("timed out: {what}: {result:?}\n{page}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for the element that a selector finds.
    async fn find(&self, selector: &str) -> Element {
        let exists = format!("document.querySelector({})", json!(selector));
        self.wait_until(selector, &exists).await;
        in_time(selector, self.client.find(Locator::Css(selector))).await
    }

    /// Clicks an element, as a user does.
    pub async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        in_time(selector, element.click()).await;
    }

    /// Replaces the text of a field.
    pub async fn fill(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        in_time(selector, element.clear()).await;
        in_time(selector, element.send_keys(text)).await;
    }

    /// Presses a key on the page.
    pub async fn press(&self, key: char) {
        let keyboard = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        in_time("press", self.client.perform_actions(keyboard)).await;
    }

    /// Accepts the page's confirmation dialog.
    pub async fn accept_alert(&self) {
        in_time("accept", self.client.accept_alert()).await;
    }

    /// The text of an element.
    pub async fn text(&self, selector: &str) -> String {
        let element = self.find(selector).await;
        in_time(selector, element.text()).await
    }

    /// What the page has logged as an error: exceptions, refused requests, breaches of its policy.
    pub async fn console_errors(&self) -> Vec<String> {
        let log = self.extension("se/log", json!({ "type": "browser" })).await;
        let entries = log.as_array().unwrap().iter();
        let errors = entries.filter(|entry| entry["level"] == "SEVERE");
        errors
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Saves a picture of the page.
    pub async fn screenshot(&self, file: &Path) {
        let picture = in_time("screenshot", self.client.screenshot()).await;
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, picture).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ending the session closes Chromium, which would outlive its driver. It is plain HTTP over a blocking
        // socket, since `drop` can't wait for the runtime that the client needs.
        if let Ok(mut stream) = TcpStream::connect(&self.address) {
            let Browser {
                address, session, ..
            } = self;
            let request = format!(
                "DELETE /session/{session} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
            );
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = stream.write_all(request.as_bytes());
            let _ = stream.read_to_end(&mut Vec::new());
        }
    }
}

/// The process of `chromedriver`, killed when it is dropped.
#[derive(Debug)]
struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The result of a command.
///
/// # Panics
/// If it fails, or takes longer than twice [`PATIENCE`].
async fn in_time<T, E: std::fmt::Display>(
    what: &str,
    command: impl Future<Output = Result<T, E>>,
) -> T {
    match tokio::time::timeout(2 * PATIENCE, command).await {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => panic!("{what}: {error}"),
        Err(_) => panic!("{what}: the browser did not answer"),
    }
}

/// Starts the driver, and reads its port; none if it ended.
fn start_driver() -> Option<(Driver, BufReader<ChildStdout>, u16)> {
    let driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("chromedriver is missing: apt-get install chromium chromium-driver");
    let mut driver = Driver(driver);
    let mut output = BufReader::new(driver.0.stdout.take().expect("stdout is piped"));
    let mut lines = output.by_ref().lines().map_while(Result::ok);
    let port = lines.find_map(|line| {
        let (_, port) = line.split_once(STARTED)?;
        port.trim_end_matches('.').parse().ok()
    })?;
    Some((driver, output, port))
}

fn capabilities(profile: &Path) -> Capabilities {
    let profile = format!("--user-data-dir={}", profile.display());
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        &profile,
    ];
    Capabilities::from_iter([
        (
            "goog:chromeOptions".to_owned(),
            json!({ "args": arguments }),
        ),
        ("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" })),
    ])
}

/// A command that only `chromedriver` has.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        let session = session_id.unwrap_or_default();
        base_url.join(&format!("session/{session}/{}", self.path))
    }

    fn method_and_body(&self, _: &Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
