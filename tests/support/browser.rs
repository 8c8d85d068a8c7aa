//! Chromium without a window, driven over the WebDriver protocol (<https://www.w3.org/TR/webdriver2/>)
//! by Debian's `chromium-driver`. The protocol is HTTP and JSON, so no more is needed than is here.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{PATIENCE, repository};

/// How WebDriver names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one page. It ends where this is dropped.
pub struct Browser {
    driver: Child,
    client: Client,
    session: String,
    _profile: TempDir,
}

impl Browser {
    /// Starts one, in light colours.
    pub async fn start() -> Browser {
        // Free as soon as the listener is dropped.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let port = free.unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is missing: apt-get install chromium chromium-driver");
        let profile = TempDir::new().unwrap();
        let mut browser = Browser {
            driver,
            client: Client::builder().timeout(2 * PATIENCE).build().unwrap(),
            session: format!("http://127.0.0.1:{port}"),
            _profile: profile,
        };
        let data = format!("--user-data-dir={}", browser._profile.path().display());
        let options = json!({ "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", data,
        ] });
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": options, "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let started = Instant::now();
        let session = loop {
            match browser.try_call(Method::POST, "/session", &wanted).await {
                Ok(session) => break session,
                Err(problem) => assert!(started.elapsed() < PATIENCE, "no browser: {problem}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let id = session["sessionId"].as_str().unwrap();
        browser.session = format!("{}/session/{id}", browser.session);
        browser
    }

    async fn try_call(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        let request = self
            .client
            .request(method.clone(), format!("{}{path}", self.session));
        let request = if method == Method::POST {
            request.json(body)
        } else {
            request
        };
        let answer = request.send().await.map_err(|error| error.to_string())?;
        let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        let value = answer["value"].take();
        match value.get("error") {
            Some(error) if !error.is_null() => Err(value.to_string()),
            _ => Ok(value),
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let called = self.try_call(Method::POST, path, &body).await;
        called.unwrap_or_else(|problem| panic!("{path}: {problem}"))
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.post("/refresh", json!({})).await;
    }

    /// Sets the window's size.
    pub async fn resize(&self, width: u32, height: u32) {
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        } });
        self.post("/goog/cdp/execute", command).await;
    }

    /// Sets what the system prefers: `light` or `dark`.
    pub async fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let command =
            json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } });
        self.post("/goog/cdp/execute", command).await;
    }

    /// What a script returns, in the page.
    pub async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({ "script": script, "args": [] }))
            .await
    }

    /// What a script gives to the function that is its argument, in the page.
    pub async fn run_async(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        self.post("/execute/async", body).await
    }

    /// Waits until a JavaScript expression is true.
    pub async fn until(&self, what: &str, expression: &str) {
        let started = Instant::now();
        loop {
            let script = format!("return Boolean({expression})");
            let body = json!({ "script": script, "args": [] });
            let now = self.try_call(Method::POST, "/execute/sync", &body).await;
            if now == Ok(Value::Bool(true)) {
                return;
            }
            if started.elapsed() > PATIENCE {
                let page = self.run("return document.body.innerText").await;
                panic!(
                    "timed out: {what}: {now:?}\n{}",
                    page.as_str().unwrap_or_default()
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for the element that a selector names.
    async fn find(&self, selector: &str) -> String {
        let exists = format!("document.querySelector({})", json!(selector));
        self.until(selector, &exists).await;
        let found = json!({ "using": "css selector", "value": selector });
        let found = self.post("/element", found).await;
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Clicks an element, as a user does.
    pub async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        self.post(&format!("/element/{element}/click"), json!({}))
            .await;
    }

    /// Writes into a field, in the place of what is there.
    pub async fn write(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        self.post(&format!("/element/{element}/clear"), json!({}))
            .await;
        self.post(
            &format!("/element/{element}/value"),
            json!({ "text": text }),
        )
        .await;
    }

    /// Presses a key on the page.
    pub async fn press(&self, key: &str) {
        let actions = json!([{ "type": "key", "id": "keyboard", "actions": [
            { "type": "keyDown", "value": key }, { "type": "keyUp", "value": key },
        ] }]);
        self.post("/actions", json!({ "actions": actions })).await;
    }

    /// Says yes to the question that the page asks.
    pub async fn accept(&self) {
        self.post("/alert/accept", json!({})).await;
    }

    /// The text of an element.
    pub async fn text(&self, selector: &str) -> String {
        let element = self.find(selector).await;
        let path = format!("/element/{element}/text");
        let text = self.try_call(Method::GET, &path, &Value::Null).await;
        text.unwrap().as_str().unwrap().to_owned()
    }

    /// What the page has complained about: errors, refused requests, breaches of its policy.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.post("/se/log", json!({ "type": "browser" })).await;
        let entries = log.as_array().unwrap().iter();
        let severe = entries.filter(|entry| entry["level"] == "SEVERE");
        severe
            .map(|entry| entry["message"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Keeps a picture of the page as `target/screenshots/<name>.png`.
    pub async fn picture(&self, name: &str) {
        let encoded = self
            .try_call(Method::GET, "/screenshot", &Value::Null)
            .await
            .unwrap();
        let engine = base64::engine::general_purpose::STANDARD;
        let picture = engine.decode(encoded.as_str().unwrap()).unwrap();
        let folder: PathBuf = repository().join("target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends the browser too, which the driver alone would leave behind. No runtime can be waited for here.
        let (host, path) = self.session["http://".len()..]
            .split_once('/')
            .unwrap_or_default();
        if let Ok(mut stream) = TcpStream::connect(host) {
            let end =
                format!("DELETE /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = stream.write_all(end.as_bytes());
            let _ = stream.read_to_end(&mut Vec::new());
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
