//! `wrk`, for loads that are as fast as they can be: it leaves a server more of two cores than oha.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::process::Command;

use super::{Body, Measured};

/// What it sends, and how it says what came of it.
const SCRIPT: &str = include_str!("wrk.lua");
/// How long answers are waited for at the end, at least.
const GRACE: u64 = 2;

/// Its name and version.
///
/// # Errors
/// Where it is missing; with the command to try.
pub(super) async fn version() -> Result<String> {
    let output = Command::new("wrk").arg("--version").output().await;
    let output = output.context("wrk is missing; on Debian: apt-get install wrk")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let words: Vec<_> = said.split_whitespace().take(2).collect();
    Ok(words.join(" "))
}

/// Sends as many requests as it can over `connections` for `time`, by `command`, which is wrk.
///
/// # Errors
/// Where wrk fails, or no request is answered.
pub(super) async fn run(
    mut command: Command,
    url: &str,
    connections: usize,
    time: Duration,
    body: &Body,
) -> Result<Measured> {
    let script = file(SCRIPT.as_bytes())?;
    let text = match body {
        Body::Text(text) => Some(file(text.as_bytes())?),
        _ => None,
    };
    let body = match (&text, body) {
        (Some(text), _) => text.path(),
        (None, Body::File(path)) => path,
        (None, _) => anyhow::bail!("wrk is given one body for all requests"),
    };
    command.args(["--threads", "1", "--connections", &connections.to_string()]);
    command.args(["--duration", &format!("{}s", time.as_secs() + GRACE)]);
    command
        .args(["--timeout", "30s", "--script"])
        .arg(script.path());
    command
        .arg(url)
        .arg("--")
        .arg(body)
        .arg(time.as_secs_f64().to_string());
    let output = command.kill_on_drop(true).output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "wrk failed: {}", said.trim());
    let said = String::from_utf8_lossy(&output.stdout);
    let report = said.lines().next_back().unwrap_or_default();
    read(
        &serde_json::from_str(report).context("wrk said no report")?,
        time,
    )
}

fn file(content: &[u8]) -> Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(content)?;
    Ok(file)
}

fn read(report: &Value, time: Duration) -> Result<Measured> {
    let number = |name: &str| {
        let number = report[name].as_u64();
        number.with_context(|| format!("wrk's report lacks '{name}'"))
    };
    let requests = number("requests")?;
    ensure!(requests > 0, "no request was answered");
    Ok(Measured {
        requests,
        failed: number("unanswered")? + number("refused")?,
        requests_per_s: requests as f64 / time.as_secs_f64(),
        p50_ms: number("p50_us")? as f64 / 1000.0,
        p99_ms: number("p99_us")? as f64 / 1000.0,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TIME: Duration = Duration::from_secs(4);

    #[test]
    fn reads_what_the_script_says() {
        let report = json!({
            "requests": 100, "p50_us": 1500, "p99_us": 20000, "unanswered": 0, "refused": 0,
        });
        let measured = read(&report, TIME).unwrap();
        assert_eq!((measured.requests, measured.failed), (100, 0));
        assert_eq!(measured.requests_per_s, 25.0);
        assert_eq!((measured.p50_ms, measured.p99_ms), (1.5, 20.0));
    }

    #[test]
    fn a_request_without_a_good_answer_has_failed() {
        for (unanswered, refused, failed) in [(1, 0, 1), (0, 2, 2), (3, 4, 7)] {
            let report = json!({
                "requests": 100, "p50_us": 1, "p99_us": 1,
                "unanswered": unanswered, "refused": refused,
            });
            assert_eq!(read(&report, TIME).unwrap().failed, failed);
        }
    }
}
