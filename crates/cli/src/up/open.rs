//! `--open`: shows the page in the browser.

use std::env::consts::OS;
use std::process::Stdio;

use tokio::process::Command;

use super::PROGRAM;

/// The commands that open an address on a system, each with its arguments before the address.
fn openers(system: &str) -> &'static [&'static [&'static str]] {
    match system {
        "macos" => &[&["open"]],
        // The first argument of `start` is a title.
        "windows" => &[&["cmd", "/c", "start", ""]],
        _ => &[&["xdg-open"], &["open"]],
    }
}

/// Opens an address in the browser, and says on stderr if that can't be done.
pub(super) fn open(url: String) {
    tokio::spawn(async move {
        for opener in openers(OS) {
            if run(opener, &url).await {
                return;
            }
        }
        eprintln!("{PROGRAM}: no browser could be opened; the page is at {url}");
    });
}

async fn run(opener: &[&str], url: &str) -> bool {
    let [program, arguments @ ..] = opener else {
        return false;
    };
    let status = Command::new(program)
        .args(arguments)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.await.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_a_command() {
        for system in ["linux", "freebsd", "macos", "windows"] {
            let openers = openers(system);
            assert!(!openers.is_empty() && openers.iter().all(|opener| !opener.is_empty()));
        }
    }
}
