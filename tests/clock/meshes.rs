//! Meshes whose latencies are known, with how long each part of a request lasts.

use crate::support::Launch;

pub(super) const B: &str = "http://service-b.spin.internal";

pub(super) const C: &str = "http://service-c.spin.internal";

/// A mesh, and how long its parts last.
pub(super) struct Mesh {
    pub(super) name: &'static str,
    pub(super) env: Vec<(&'static str, String)>,
    /// The whole request, in milliseconds.
    pub(super) request: f64,
    /// The duration of spans, by service and kind; a `CLIENT` span's service is the one that is called.
    pub(super) spans: Vec<(&'static str, &'static str, f64)>,
}

impl Mesh {
    pub(super) fn new(name: &'static str, env: &[(&'static str, &str)]) -> Mesh {
        let owned = |(name, value): &(&'static str, &str)| (*name, (*value).to_owned());
        Mesh {
            name,
            env: env.iter().map(owned).collect(),
            request: 0.0,
            spans: Vec::new(),
        }
    }

    pub(super) fn lasts(
        mut self,
        request: f64,
        spans: &[(&'static str, &'static str, f64)],
    ) -> Mesh {
        self.request = request;
        self.spans = spans.to_vec();
        self
    }

    /// Over how many connections it is loaded. An export for each span costs CPU time, which many connections
    /// would have to share with the collector.
    pub(super) fn connections(&self) -> &'static [usize] {
        let sends_each = self
            .env
            .iter()
            .any(|(name, _)| name.starts_with("OTEL_BSP"));
        if sends_each { &[1] } else { &[1, 8, 32] }
    }

    pub(super) fn launch(&self, launch: Launch) -> Launch {
        let env = self.env.iter();
        env.fold(launch, |launch, (name, value)| launch.env(name, value))
    }
}

pub(super) fn meshes() -> Vec<Mesh> {
    let both = &format!("{B},{C}");
    vec![
        Mesh::new("one service", &[("APP_LATENCY", "20ms")]).lasts(
            20.0,
            &[
                ("tracing-tail", "SERVER", 20.0),
                ("tracing-tail", "INTERNAL", 20.0),
            ],
        ),
        Mesh::new("no latency", &[("APP_URL_DESTINO", both)]).lasts(
            0.0,
            &[
                ("tracing-tail", "SERVER", 0.0),
                ("service-b", "CLIENT", 0.0),
                ("service-b", "SERVER", 0.0),
                ("service-c", "CLIENT", 0.0),
                ("service-c", "SERVER", 0.0),
            ],
        ),
        Mesh::new(
            "sequential",
            &[
                ("APP_URL_DESTINO", both),
                ("APP_LATENCY", "10ms"),
                ("APP_B_LATENCY", "50ms"),
            ],
        )
        .lasts(
            60.0,
            &[
                ("tracing-tail", "SERVER", 60.0),
                ("tracing-tail", "INTERNAL", 10.0),
                ("service-b", "CLIENT", 50.0),
                ("service-b", "SERVER", 50.0),
                ("service-c", "CLIENT", 0.0),
                ("service-c", "SERVER", 0.0),
            ],
        ),
        Mesh::new(
            "a slow callee: the worker's timer goes off while it is waited for",
            &[("APP_URL_DESTINO", both), ("APP_B_LATENCY", "400ms")],
        )
        .lasts(
            400.0,
            &[
                ("service-b", "CLIENT", 400.0),
                ("service-c", "CLIENT", 0.0),
                ("service-c", "SERVER", 0.0),
            ],
        ),
        Mesh::new(
            "parallel",
            &[
                ("APP_URL_DESTINO", both),
                ("APP_FANOUT", "parallel"),
                ("APP_B_LATENCY", "50ms"),
                ("APP_C_LATENCY", "20ms"),
            ],
        )
        .lasts(
            50.0,
            &[
                ("tracing-tail", "SERVER", 50.0),
                ("service-b", "CLIENT", 50.0),
                ("service-c", "CLIENT", 20.0),
                ("service-c", "SERVER", 20.0),
            ],
        ),
        Mesh::new(
            "the same service four times",
            &[
                ("APP_URL_DESTINO", &format!("{B},{B},{B},{B}")),
                ("APP_B_LATENCY", "5ms"),
            ],
        )
        .lasts(
            20.0,
            &[("service-b", "CLIENT", 5.0), ("service-b", "SERVER", 5.0)],
        ),
        Mesh::new(
            "deep",
            &[
                ("APP_URL_DESTINO", B),
                ("APP_B_URL_DESTINO", C),
                ("APP_LATENCY", "10ms"),
                ("APP_C_LATENCY", "30ms"),
            ],
        )
        .lasts(
            40.0,
            &[
                ("tracing-tail", "SERVER", 40.0),
                ("service-b", "CLIENT", 30.0),
                ("service-b", "SERVER", 30.0),
                ("service-c", "SERVER", 30.0),
            ],
        ),
        Mesh::new(
            "batches that fill in the middle of a request",
            &[
                ("APP_URL_DESTINO", &format!("{B},{C},{B},{C}")),
                ("APP_B_LATENCY", "10ms"),
                ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1"),
            ],
        )
        .lasts(
            20.0,
            &[
                ("service-b", "CLIENT", 10.0),
                ("service-c", "CLIENT", 0.0),
                ("service-c", "SERVER", 0.0),
            ],
        ),
        Mesh::new(
            "an export for each span, at once",
            &[
                ("APP_URL_DESTINO", both),
                ("APP_LATENCY", "10ms"),
                ("OTEL_BSP_SCHEDULE_DELAY", "0"),
            ],
        )
        .lasts(
            10.0,
            &[("service-b", "CLIENT", 0.0), ("service-c", "SERVER", 0.0)],
        ),
    ]
}
