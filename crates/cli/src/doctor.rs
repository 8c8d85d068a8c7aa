//! `doctor`: what is here, and what stands in the way: Spin, the port, the settings, the collector, the destinations.
//!
//! It changes nothing, and sends nothing but an empty export. Each check returns findings; this file prints them.

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use tracing_tail_host::manifest::Manifest;
use tracing_tail_host::variables::Variables;

use crate::application::Application;
use crate::cli::Doctor;
use crate::destinations;
use crate::up::listen::bind;
use crate::up::providers;

mod collector;
mod programs;
mod service;
mod settings;

use service::Service;

/// Something that a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    level: Level,
    /// What it is about, in one word.
    subject: &'static str,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Fine,
    /// It works, though perhaps not as it was meant.
    Warning,
    /// Something does not work.
    Problem,
}

impl Finding {
    fn fine(subject: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            level: Level::Fine,
            subject,
            text: text.into(),
        }
    }

    fn warning(subject: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            level: Level::Warning,
            ..Finding::fine(subject, text)
        }
    }

    fn problem(subject: &'static str, text: impl Into<String>) -> Finding {
        Finding {
            level: Level::Problem,
            ..Finding::fine(subject, text)
        }
    }
}

/// Prints what it finds. The status is that of success if there is no problem.
///
/// # Errors
/// If the application can't be read, or a variable that it requires is missing.
pub async fn doctor(args: &Doctor) -> Result<ExitCode> {
    let application = Application::find(args.app.path())?;
    let providers = providers(
        args.runtime_config_file.as_deref(),
        &args.variable,
        &application,
    )?;
    let manifest = &application.manifest;
    let variables = Variables::resolve(manifest, &providers)?;
    let mut findings = programs::findings();
    findings.push(port(args.listen));
    findings.extend(settings::findings(manifest, &variables, &providers));
    let services = Service::all(manifest, &variables)?;
    for service in &services {
        findings.extend(service.findings());
    }
    let unknown = destinations::unknown(manifest, &variables, &providers);
    let unknown = unknown.into_iter();
    findings.extend(unknown.map(|text| Finding::problem("destination", text)));
    findings.extend(collector::findings(&services).await);
    print!("{}", report(manifest, &findings));
    let worst = findings.iter().map(|finding| finding.level).max();
    Ok(match worst {
        Some(Level::Problem) => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}

fn port(address: SocketAddr) -> Finding {
    match bind(address) {
        Ok(_) => Finding::fine("port", format!("{address} is free")),
        Err(problem) => Finding::problem(
            "port",
            format!("{address} can't be listened on ({problem}); choose another with --listen"),
        ),
    }
}

/// The findings as lines, and how many problems and warnings they are.
fn report(manifest: &Manifest, findings: &[Finding]) -> String {
    let count = |level| {
        findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    };
    let mut text = format!(
        "{}, {} components\n",
        manifest.name,
        manifest.components.len()
    );
    for finding in findings {
        let level = match finding.level {
            Level::Fine => "ok     ",
            Level::Warning => "warning",
            Level::Problem => "PROBLEM",
        };
        text.push_str(&format!(
            "{level}  {:<11}  {}\n",
            finding.subject, finding.text
        ));
    }
    text.push_str(&format!(
        "{} problems, {} warnings\n",
        count(Level::Problem),
        count(Level::Warning)
    ));
    text
}
