//! The arguments of the commands that send requests.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::application;
use crate::traffic::kind::{Kind, parse_seed};
use crate::traffic::mix::Mix;
use crate::traffic::plan::{CONNECTIONS, Plan, parse_connections};
use crate::traffic::rate::{Rate, parse_time};

/// Which requests to send.
#[derive(Debug, Args)]
pub struct Requests {
    /// Where to send requests; an origin gets the path /process
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:3000/process")]
    pub url: String,
    /// Requests per second, minute or hour, or a range to swing in [default of traffic: 1/s, of verify: 20/s]
    #[arg(long, value_name = "RATE", value_parser = Rate::parse)]
    rate: Option<Rate>,
    /// How long to send requests, such as 1m [default of traffic: until stopped]
    #[arg(long = "for", value_name = "TIME", value_parser = parse_time)]
    pub duration: Option<Duration>,
    #[arg(long, value_name = "NUMBER", value_parser = parse_connections, help = connections_help())]
    connections: Option<usize>,
    /// A weight and a kind of requests, see below; may be repeated [default: 1]
    #[arg(long, value_name = "KIND", value_parser = Kind::parse)]
    mix: Vec<Kind>,
    /// Makes kinds, and the draws of the service for each request, reproducible
    #[arg(long, value_name = "TEXT", value_parser = parse_seed)]
    seed: Option<String>,
    /// A topology with a traffic table, for options that are not given
    #[arg(short = 'f', long, value_name = "TOPOLOGY")]
    from: Option<PathBuf>,
}

fn connections_help() -> String {
    format!(
        "The maximum number of requests in flight, each on its own connection [default: {CONNECTIONS}]"
    )
}

impl Requests {
    /// The plan: the arguments, then the topology's table, then `default`.
    ///
    /// # Errors
    /// The topology can't be read, or has no table.
    pub fn plan(&self, default: Plan) -> Result<Plan> {
        let plan = match &self.from {
            None => default,
            Some(path) => {
                let table = application::topology(path)?.traffic;
                table.with_context(|| format!("{} has no [traffic] table", path.display()))?
            }
        };
        Ok(Plan {
            rate: self.rate.clone().unwrap_or(plan.rate),
            duration: self.duration.or(plan.duration),
            connections: self.connections.unwrap_or(plan.connections),
            seed: self.seed.clone().or(plan.seed),
            mix: match self.mix.is_empty() {
                true => plan.mix,
                false => Mix::new(self.mix.clone()),
            },
            requests: plan.requests,
        })
    }
}
