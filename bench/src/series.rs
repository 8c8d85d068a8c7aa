//! Series: the points at which growth is measured, each with its server and its load.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::load::{Body, Load, Until};
use crate::rows::{Mesh, build};
use crate::sample::Subject;
use crate::server::{Host, Server, repository, scratch, variable};
use crate::table::{BODY, MANY};
use tracing_tail_testkit::span_counter::SpanCounter;

/// How long each request waits in the series of waiting requests.
pub const WAIT: Duration = Duration::from_secs(1);
/// How many requests each connection sends in that series.
const WAITING_REQUESTS: usize = 3;

/// What grows along a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Series {
    /// The services of a chain.
    Chain,
    /// The services that one service calls in parallel.
    FanOut,
    /// The strings of the payload.
    Items,
    /// The spans that an instance collects before it exports them.
    Batch,
    /// The requests that wait at once.
    Waiting,
}

impl Series {
    /// All series, in the page's order.
    pub const ALL: [Series; 5] = [
        Series::Chain,
        Series::FanOut,
        Series::Items,
        Series::Batch,
        Series::Waiting,
    ];

    /// The heading of its part of the page.
    pub fn title(self) -> &'static str {
        match self {
            Series::Chain => "Chain length",
            Series::FanOut => "Fan-out",
            Series::Items => "Payload",
            Series::Batch => "Spans per instance",
            Series::Waiting => "Requests that wait",
        }
    }

    /// Its name for files, the collector, and the command line.
    pub fn key(self) -> &'static str {
        match self {
            Series::Chain => "chain",
            Series::FanOut => "fan-out",
            Series::Items => "payload",
            Series::Batch => "spans-per-instance",
            Series::Waiting => "waiting",
        }
    }

    /// The unit of x.
    pub fn axis(self) -> &'static str {
        match self {
            Series::Chain => "services in the chain",
            Series::FanOut => "services called at once",
            Series::Items => "items in the payload",
            Series::Batch => "batch size (OTEL_BSP_MAX_EXPORT_BATCH_SIZE)",
            Series::Waiting => "requests at once",
        }
    }

    /// The unit that costs are divided by.
    pub fn unit(self) -> &'static str {
        match self {
            Series::Chain | Series::FanOut | Series::Batch => "time per span, of the first",
            Series::Items => "time per item, of the first",
            Series::Waiting => "time of all at once, of the first",
        }
    }

    /// The points along it.
    pub fn xs(self) -> &'static [usize] {
        match self {
            Series::Chain | Series::FanOut => &[1, 2, 4, 8, 12, 16],
            Series::Items => &[1, 10, 100, 1_000, 10_000],
            Series::Batch => &[1, 4, 16, 64, 128],
            Series::Waiting => &[1, 10, 100, 300, 1_000],
        }
    }

    /// What a request at `x` costs, in units: the time per request grows like this where it is
    /// linear.
    pub fn work(self, x: f64) -> f64 {
        match self {
            Series::Chain => spans(Mesh::Chain, x),
            Series::FanOut => spans(Mesh::FanOut, x),
            Series::Items => x,
            Series::Batch => 1.0,
            // All requests wait at the same time.
            Series::Waiting => 1.0 / x,
        }
    }

    /// The connections of the load at `x`.
    pub fn connections(self, x: usize) -> usize {
        match self {
            Series::Waiting => x,
            _ => MANY,
        }
    }

    /// The load at `x`, which takes `time` unless requests wait.
    ///
    /// # Errors
    /// If a file can't be written.
    pub fn load(self, x: usize, time: Duration) -> Result<Load> {
        Ok(Load {
            connections: self.connections(x),
            until: match self {
                Series::Waiting => Until::Requests((x * WAITING_REQUESTS) as u64),
                _ => Until::Elapsed(time),
            },
            rate: None,
            body: match self {
                Series::Items => Body::File(items(x)?),
                _ => BODY,
            },
        })
    }

    /// Starts the servers for [`Series::xs`], or one for all of them where points differ by load
    /// alone; their spans go to `collector`.
    ///
    /// # Errors
    /// If a component does not build, or a server does not start.
    pub async fn start(self, collector: &SpanCounter) -> Result<Vec<Subject>> {
        let xs = match self {
            Series::Items | Series::Waiting => &self.xs()[..1],
            _ => self.xs(),
        };
        let mut subjects = Vec::new();
        for x in xs {
            let mesh = self.mesh(*x);
            let manifest = match mesh {
                Some(mesh) => mesh.manifest().await?,
                None => repository().join("spin.toml"),
            };
            if subjects.is_empty() {
                // The other manifests have the same components.
                build(&manifest).await?;
            }
            let sender = format!("{}-{x}", self.key());
            let mut env = self.variables(*x);
            env.push(variable("OTLP_ENDPOINT", collector.endpoint(&sender)));
            subjects.push(Subject {
                server: Server::up(&Host::Embedded, &manifest, &env).await?,
                collector: collector.clone(),
                sender,
                spans_per_request: match (mesh, self) {
                    (Some(mesh), _) => mesh.spans_per_request(),
                    // The wait has a span of its own.
                    (None, Series::Waiting) => 2,
                    (None, _) => 1,
                },
            });
        }
        Ok(subjects)
    }

    fn mesh(self, x: usize) -> Option<Mesh> {
        match self {
            Series::Chain => Some(Mesh::Chain(x)),
            Series::FanOut => Some(Mesh::FanOut(x)),
            _ => None,
        }
    }

    fn variables(self, x: usize) -> Vec<(String, String)> {
        match self {
            Series::Batch => vec![
                variable("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", x.to_string()),
                // So long that almost no batch leaves before it is full or its instance ends.
                variable("OTEL_BSP_SCHEDULE_DELAY", "1000"),
            ],
            Series::Waiting => vec![variable("APP_LATENCY", format!("{}ms", WAIT.as_millis()))],
            _ => Vec::new(),
        }
    }
}

/// The spans of a request to a mesh of size `x`, between whole sizes too: each size adds as many.
fn spans(mesh: fn(usize) -> Mesh, x: f64) -> f64 {
    let [first, second] = [1, 2].map(|x| mesh(x).spans_per_request() as f64);
    first + (second - first) * (x - 1.0)
}

/// A file with a payload of so many strings.
fn items(count: usize) -> Result<PathBuf> {
    let file = scratch()?.join(format!("payload-of-{count}.json"));
    let items: Vec<_> = (0..count).map(|item| format!("item{item}")).collect();
    std::fs::write(&file, serde_json::to_vec(&items)?)?;
    Ok(file)
}
