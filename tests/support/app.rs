//! The application, running as a process of its own.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use reqwest::{Client, Method, RequestBuilder, Response};
use tempfile::TempDir;

use super::eventually;

/// The repository's folder.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Whether the suite runs on real Spin, where this test means nothing; says so.
pub fn serves_embedded_only() -> bool {
    let embedded = spin().is_none();
    if !embedded {
        eprintln!("skipped: it is about the embedded host itself");
    }
    embedded
}

/// Whether an instance serves several requests, as under WASI 0.3; says so where not.
pub fn reuses_instances() -> bool {
    let reuses = manifest() == "spin.toml";
    if !reuses {
        eprintln!("skipped: under WASI 0.2 each request has an instance of its own");
    }
    reuses
}

/// The manifest of the world that this test program is about.
fn manifest() -> &'static str {
    match env!("CARGO_CRATE_NAME") {
        "end_to_end_wasip2" => "spin.wasip2.toml",
        _ => "spin.toml",
    }
}

/// The Spin that the suite runs on, where it does.
pub fn spin() -> Option<PathBuf> {
    std::env::var_os("TRACING_TAIL_SPIN").map(PathBuf::from)
}

/// How the application is started.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    env: Vec<(String, String)>,
    arguments: Vec<String>,
    manifest: Option<PathBuf>,
    folder: Option<PathBuf>,
    state: Option<PathBuf>,
    files: Option<u32>,
}

impl Launch {
    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Launch {
        self.env.push((name.to_owned(), value.into()));
        self
    }

    /// Adds a word to the command line.
    pub fn argument(mut self, word: &str) -> Launch {
        self.arguments.push(word.to_owned());
        self
    }

    /// Runs another manifest than the repository's.
    pub fn manifest(mut self, path: &Path) -> Launch {
        self.manifest = Some(path.to_owned());
        self
    }

    /// Runs in this folder.
    pub fn folder(mut self, path: &Path) -> Launch {
        self.folder = Some(path.to_owned());
        self
    }

    /// Keeps databases in this folder, rather than in one that goes with the application.
    pub fn state(mut self, path: &Path) -> Launch {
        self.state = Some(path.to_owned());
        self
    }

    /// Lets it open no more than so many files.
    pub fn files(mut self, most: u32) -> Launch {
        self.files = Some(most);
        self
    }

    /// Starts the application and waits until it serves.
    pub async fn start(self) -> App {
        let mut app = self.spawn();
        let url = eventually("the application serves", || {
            assert!(app.exited().is_none(), "the application ended early");
            let stdout = app.stdout();
            let after = stdout.split_once("Serving ")?.1;
            Some(after.split_once('\n')?.0.trim().to_owned())
        });
        app.url = url.await;
        app
    }

    /// Starts the application.
    pub fn spawn(self) -> App {
        build(manifest());
        let program = spin().unwrap_or_else(|| env!("CARGO_BIN_EXE_tracing-tail").into());
        let mut command = match self.files {
            None => Command::new(program),
            Some(most) => {
                let mut shell = Command::new("sh");
                let limited = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
                shell.arg("-c").arg(limited).arg(program);
                shell
            }
        };
        let manifest = self
            .manifest
            .unwrap_or_else(|| repository().join(manifest()));
        command
            .arg("up")
            .arg("--from")
            .arg(&manifest)
            .args(["--listen", "127.0.0.1:0"]);
        let temporary = TempDir::new().unwrap();
        let state = self.state.as_deref().unwrap_or(temporary.path());
        command.arg("--state-dir").arg(state);
        let runtime_config = manifest.with_file_name("runtime-config.toml");
        if runtime_config.exists() {
            command.arg("--runtime-config-file").arg(runtime_config);
        }
        for (name, _) in std::env::vars_os() {
            let ours = ["APP_", "OTLP_", "OTEL_", "SPIN_"];
            if ours
                .iter()
                .any(|prefix| name.to_string_lossy().starts_with(prefix))
            {
                command.env_remove(name);
            }
        }
        let child = command
            .args(&self.arguments)
            .envs(self.env)
            .current_dir(self.folder.unwrap_or_else(|| repository().to_owned()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        App::new(child, temporary)
    }
}

/// Builds the components of a manifest, once.
pub fn build(manifest: &'static str) {
    static BUILT: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let mut built = BUILT.lock().unwrap();
    if built.insert(manifest) {
        let status = Command::new(env!("CARGO_BIN_EXE_tracing-tail"))
            .arg("build")
            .arg("--from")
            .arg(repository().join(manifest))
            .status();
        assert!(status.unwrap().success(), "the component does not build");
    }
}

/// A running application. It is killed where this is dropped; a failing test shows its output.
pub struct App {
    child: Child,
    url: String,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    client: Client,
    _state: TempDir,
}

impl App {
    fn new(mut child: Child, state: TempDir) -> App {
        let stdout = collect(child.stdout.take().unwrap());
        let stderr = collect(child.stderr.take().unwrap());
        App {
            child,
            url: String::new(),
            stdout,
            stderr,
            client: Client::new(),
            _state: state,
        }
    }

    /// A request to a path of the application.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    /// Sends a list to `/process`.
    pub async fn process(&self, body: &'static str) -> Response {
        self.request(Method::POST, "/process")
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// The URL of a path of the application.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The address that it serves.
    pub fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// What it has printed.
    pub fn stdout(&self) -> String {
        self.stdout.lock().unwrap().clone()
    }

    /// What it has printed on stderr.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// Sends it a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -s {name} {}", self.child.id());
        let status = Command::new("sh").args(["-c", &kill]).status();
        assert!(status.unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        eventually("the application ends", || self.exited()).await
    }

    fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }
}

impl Drop for App {
    fn drop(&mut self) {
        // Spin runs the application in a process of its own, and passes on only signals that it can.
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.signal("TERM");
            if spin().is_none() {
                let _ = self.child.kill();
            }
        }
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!(
                "--- stdout\n{}--- stderr\n{}---",
                self.stdout(),
                self.stderr()
            );
        }
    }
}

fn collect(stream: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let collected = Arc::new(Mutex::new(String::new()));
    let written = Arc::clone(&collected);
    thread::spawn(move || {
        let mut lines = BufReader::new(stream);
        let mut line = Vec::new();
        while lines
            .read_until(b'\n', &mut line)
            .is_ok_and(|read| read > 0)
        {
            written
                .lock()
                .unwrap()
                .push_str(&String::from_utf8_lossy(&line));
            line.clear();
        }
    });
    collected
}
