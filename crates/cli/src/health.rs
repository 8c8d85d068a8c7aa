//! `health`: whether an app answers, for a container's health check.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use http::Request;

use crate::screen::say;
use crate::traffic::client::{Client, ClientLimits};

/// The path that the host answers itself, so that no trace is made.
const PATH: &str = "/.well-known/spin/health";
/// How long the answer may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the host at an address. The status is that of success if it answers 200.
pub async fn health(address: SocketAddr) -> ExitCode {
    let client = Client::new(ClientLimits::of_one_answer(PATIENCE));
    let url = format!("http://{address}{PATH}");
    let request = Request::get(&url).body(Bytes::new());
    let Ok(request) = request else {
        return ExitCode::FAILURE;
    };
    let problem = match client.send(request).await {
        Ok(answer) if answer.status().is_success() => return ExitCode::SUCCESS,
        Ok(answer) => format!("answers {}", answer.status()),
        Err(failure) => format!("does not answer ({failure})"),
    };
    say(format_args!("{url} {problem}\n"));
    ExitCode::FAILURE
}
