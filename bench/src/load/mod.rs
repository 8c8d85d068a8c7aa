//! Load, from two generators: `wrk` where it goes as fast as it can for some time, and `oha` for all else.
//!
//! Where `chrt` is there, a load that is as fast as it can be comes from a batch job: on two cores the
//! generator, which wakes with every answer, otherwise interrupts the server that it measures. At a fixed
//! rate it is woken as anyone, so that it sees at once when an answer is there.

mod oha;
mod wrk;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::process::Command;

/// What makes a batch job of the program that follows.
const BATCH: [&str; 3] = ["chrt", "--batch", "0"];

/// The load generators.
#[derive(Debug, Clone)]
pub struct Generators {
    oha: PathBuf,
    /// Whether there is `chrt`.
    batch: bool,
    versions: String,
}

/// How much is asked for, and how fast.
#[derive(Debug, Clone)]
pub struct Load {
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// When it ends.
    pub until: Until,
    /// Requests per second of all connections together; as many as go where this is none.
    pub rate: Option<u32>,
    /// What is sent.
    pub body: Body,
}

/// When a load ends.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// After this time; what has been sent by then is waited for.
    Elapsed(Duration),
    /// After this many requests.
    Requests(u64),
}

/// What each request holds.
#[derive(Debug, Clone)]
pub enum Body {
    /// This text.
    Text(&'static str),
    /// The content of this file.
    File(PathBuf),
    /// Nothing: it is a GET request, where the others are POST requests with JSON.
    Nothing,
}

/// How it went.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// Requests that were answered.
    pub requests: u64,
    /// Those that were answered with an error, and others that were not answered.
    pub failed: u64,
    /// Of these, per second.
    pub requests_per_s: f64,
    /// The median of the time from sending a request to the end of its answer, in ms.
    pub p50_ms: f64,
    /// Its 99th percentile, in ms.
    pub p99_ms: f64,
}

impl Generators {
    /// Finds them on the path; oha is installed below the folder `tools` where it is missing.
    ///
    /// # Errors
    /// Where one can't be had; with the command to try.
    pub async fn find(tools: &Path) -> Result<Generators> {
        let wrk = wrk::version().await?;
        let (oha, version) = oha::find(tools).await?;
        let mut batch = Command::new(BATCH[0]);
        let batch = batch.args(&BATCH[1..]).arg("true").output().await;
        let batch = batch.is_ok_and(|output| output.status.success());
        let how = match batch {
            true => format!("; without a rate as batch jobs (`{}`)", BATCH.join(" ")),
            false => String::new(),
        };
        Ok(Generators {
            oha,
            batch,
            versions: format!("{wrk}, {version}{how}"),
        })
    }

    /// Their names and versions, and how they are started.
    pub fn versions(&self) -> &str {
        &self.versions
    }

    /// Sends `load` to `url`.
    ///
    /// # Errors
    /// Where a request was answered with an error, or not at all.
    pub async fn run(&self, url: &str, load: &Load) -> Result<Measured> {
        let measured = self.strain(url, load).await?;
        let failed = measured.failed;
        ensure!(failed == 0, "{failed} requests failed");
        Ok(measured)
    }

    /// Sends `load` to `url`, and counts what fails.
    ///
    /// # Errors
    /// Where the load generator fails, or no request is answered; with `oha` also where one fails.
    pub async fn strain(&self, url: &str, load: &Load) -> Result<Measured> {
        match (load.until, load.rate, &load.body) {
            (Until::Elapsed(time), None, body @ (Body::Text(_) | Body::File(_))) => {
                let command = self.start(Path::new("wrk"), load);
                wrk::run(command, url, load.connections, time, body).await
            }
            _ => oha::run(self.start(&self.oha, load), url, load).await,
        }
    }

    fn start(&self, program: &Path, load: &Load) -> Command {
        if !self.batch || load.rate.is_some() {
            return Command::new(program);
        }
        let [chrt, arguments @ ..] = BATCH;
        let mut command = Command::new(chrt);
        command.args(arguments).arg(program);
        command
    }
}
