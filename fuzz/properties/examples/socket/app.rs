//! The host, running the repository's app as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::{env, thread};

/// Ends with this value.
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    child: Child,
}

impl App {
    /// Starts it, with databases in a folder for temporary files, and waits until it serves.
    pub(crate) fn start(program: &str) -> App {
        let state = env::temp_dir().join(format!("fuzz-socket-{}", std::process::id()));
        let mut command = Command::new(program);
        command
            .args([
                "up",
                "--quiet",
                "--from",
                "spin.toml",
                "--listen",
                "127.0.0.1:0",
                "--state-dir",
            ])
            .arg(state)
            .env("OTEL_TRACES_SAMPLER", "always_off")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let stdout = child.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        let serving = lines.by_ref().find_map(|line| {
            let url = line.trim().strip_prefix("Serving http://")?;
            url.trim().parse().ok()
        });
        let address = serving.expect("it says what it serves");
        // What it says later must not fill the pipe.
        thread::spawn(move || lines.for_each(drop));
        App { address, child }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
