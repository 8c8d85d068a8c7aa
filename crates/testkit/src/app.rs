//! A running program: the application, or anything else that serves HTTP and announces its address.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use reqwest::{Client, Method, RequestBuilder, Response};
use tempfile::TempDir;

use crate::wait::eventually;

/// Prefixes of the environment variables that configure an application. A program never inherits them.
const SETTINGS: [&str; 4] = ["APP_", "OTLP_", "OTEL_", "SPIN_"];

/// How a program is stopped when its [`App`] is dropped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StopOnDrop {
    /// With SIGKILL, at once.
    #[default]
    Kill,
    /// With SIGTERM, then waits. Spin runs the application in a process of its own, and passes on only the signals
    /// that it can catch.
    Terminate,
}

/// A running program. It is stopped when this is dropped; if a test is failing then, its output is printed.
#[derive(Debug)]
pub struct App {
    child: Child,
    url: String,
    stdout: Output,
    stderr: Output,
    client: Client,
    stop: StopOnDrop,
    state: Option<TempDir>,
}

/// One stream of a program, read by a thread to its end.
#[derive(Debug)]
struct Output {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl App {
    /// Starts a program, whose output is collected.
    ///
    /// # Errors
    /// If the program can't be started.
    pub fn spawn(mut command: Command, env: &[(String, String)]) -> Result<App> {
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if SETTINGS.iter().any(|prefix| text.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command.envs(env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("failed to start {}", command.get_program().display()))?;
        let stdout = Output::collect(child.stdout.take().expect("stdout is piped"));
        let stderr = Output::collect(child.stderr.take().expect("stderr is piped"));
        Ok(App {
            child,
            url: String::new(),
            stdout,
            stderr,
            client: Client::new(),
            stop: StopOnDrop::default(),
            state: None,
        })
    }

    /// Sets how the program is stopped when this is dropped.
    #[must_use]
    pub fn stop_on_drop(mut self, stop: StopOnDrop) -> App {
        self.stop = stop;
        self
    }

    /// Removes this folder after the program has ended.
    pub(crate) fn keep_state(mut self, state: TempDir) -> App {
        self.state = Some(state);
        self
    }

    /// Waits until the program announces the URL that it serves: the word after `announcement`, on either stream.
    ///
    /// # Errors
    /// If the program ends before, or does not announce it within `patience`.
    pub async fn serving(mut self, announcement: &str, patience: Duration) -> Result<App> {
        let started = Instant::now();
        loop {
            let texts = [self.stdout(), self.stderr()];
            if let Some(url) = texts.iter().find_map(|text| word_after(text, announcement)) {
                self.url = url.trim_end_matches('/').to_owned();
                return Ok(self);
            }
            if let Some(status) = self.exited() {
                bail!("it ended early ({status})\n{}", self.stderr());
            }
            if started.elapsed() > patience {
                bail!(
                    "it did not serve within {} s\n{}{}",
                    patience.as_secs(),
                    self.stdout(),
                    self.stderr()
                );
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A request to a path of the application.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    /// Sends a list to `/process`.
    pub async fn process(&self, body: &'static str) -> Response {
        let request = self.request(Method::POST, "/process").body(body);
        request.send().await.unwrap()
    }

    /// The URL of a path of the application.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The address that it serves, `ip:port`.
    pub fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed on stdout so far.
    pub fn stdout(&self) -> String {
        self.stdout.text.lock().unwrap().clone()
    }

    /// What it has printed on stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.text.lock().unwrap().clone()
    }

    /// Sends it a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -s {name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub async fn wait_for_exit(&mut self) -> ExitStatus {
        eventually("the application ends", || self.exited()).await
    }

    /// Stops it with SIGTERM, waits for however long that takes, and returns what it has printed on stdout.
    pub async fn stop(mut self) -> String {
        self.signal("TERM");
        while self.exited().is_none() || !self.stdout.is_complete() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.stdout()
    }

    fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_none()) {
            match self.stop {
                StopOnDrop::Kill => drop(self.child.kill()),
                StopOnDrop::Terminate => self.signal("TERM"),
            }
        }
        let _ = self.child.wait();
        if thread::panicking() {
            for output in [&mut self.stdout, &mut self.stderr] {
                output.finish();
            }
            eprintln!(
                "--- stdout\n{}--- stderr\n{}---",
                self.stdout(),
                self.stderr()
            );
        }
    }
}

impl Output {
    fn collect(stream: impl Read + Send + 'static) -> Output {
        let text = Arc::<Mutex<String>>::default();
        let written = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream
                .read_until(b'\n', &mut line)
                .is_ok_and(|read| read > 0)
            {
                let text = String::from_utf8_lossy(&line);
                written.lock().unwrap().push_str(&text);
                line.clear();
            }
        });
        Output {
            text,
            reader: Some(reader),
        }
    }

    fn is_complete(&self) -> bool {
        self.reader.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// The first word after `marker`, if its line is complete.
fn word_after(text: &str, marker: &str) -> Option<String> {
    let (line, _) = text.split_once(marker)?.1.split_once('\n')?;
    line.split_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_word_after_a_marker_on_a_complete_line() {
        let table = [
            ("Serving http://a:1\n", Some("http://a:1")),
            (
                "\nServing http://a:1 (press Ctrl-C)\nmore",
                Some("http://a:1"),
            ),
            ("Serving http://a", None),
            ("Starting\n", None),
        ];
        for (text, expected) in table {
            assert_eq!(
                word_after(text, "Serving ").as_deref(),
                expected,
                "{text:?}"
            );
        }
    }
}
