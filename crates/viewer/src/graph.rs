//! Who calls whom: rates, error rates and latency quantiles per edge and per service.

use std::collections::BTreeMap;

use serde::Serialize;

/// The most edges and services of an answer; those with the most calls stay.
const MAX_ITEMS: usize = 200;

/// The most calls that a graph is made of, and the most entries.
const MAX_SPANS: usize = 50_000;

/// What a graph is made of: the calls between services, what enters each, and the time that they span, in
/// nanoseconds.
#[derive(Debug, Default)]
pub struct GraphData {
    /// By caller and callee: spans whose parent is another service's, or a call of the same service to itself.
    calls: BTreeMap<String, BTreeMap<String, Vec<SpanOutcome>>>,
    /// By service: spans that do work for a caller, or begin a trace.
    entries: BTreeMap<String, Vec<SpanOutcome>>,
    counts: [usize; 2],
    /// From the first start to the last end.
    window_ns: i64,
    traces: usize,
}

/// What is known of a span.
#[derive(Debug, Clone, Copy)]
pub struct SpanOutcome {
    /// How long it took; none where its times are not known, or can't be.
    pub duration_ns: Option<i64>,
    /// Whether it failed.
    pub error: bool,
}

impl GraphData {
    /// Of so many traces, from whose first start to whose last end so many nanoseconds passed.
    pub fn new(traces: usize, window_ns: i64) -> GraphData {
        GraphData {
            traces,
            window_ns,
            ..GraphData::default()
        }
    }

    /// Adds a call from one service to another, as the callee's span tells it.
    pub fn call(&mut self, caller: &str, callee: &str, seen: SpanOutcome) {
        if self.counts[0] < MAX_SPANS {
            self.counts[0] += 1;
            let callees = self.calls.entry(caller.to_owned()).or_default();
            callees.entry(callee.to_owned()).or_default().push(seen);
        }
    }

    /// Adds work of a service for whoever called it.
    pub fn entry(&mut self, service: &str, seen: SpanOutcome) {
        if self.counts[1] < MAX_SPANS {
            self.counts[1] += 1;
            let entries = self.entries.entry(service.to_owned());
            entries.or_default().push(seen);
        }
    }

    /// Whether there are as many of one kind as a graph is made of.
    pub fn is_full(&self) -> bool {
        self.counts.contains(&MAX_SPANS)
    }
}

/// The picture.
#[derive(Debug, PartialEq, Serialize)]
pub struct Graph {
    /// How many traces it is made of.
    pub traces: usize,
    /// The time that they span, at least a second: rates are per second of it.
    pub seconds: f64,
    /// The services.
    pub nodes: Vec<Node>,
    /// The calls.
    pub edges: Vec<Edge>,
}

/// A service.
#[derive(Debug, PartialEq, Serialize)]
pub struct Node {
    /// Its name.
    pub service: String,
    /// How it does.
    #[serde(flatten)]
    pub stats: CallStats,
}

/// All calls from one service to another.
#[derive(Debug, PartialEq, Serialize)]
pub struct Edge {
    /// Who calls.
    pub caller: String,
    /// Who is called.
    pub callee: String,
    /// How it goes.
    #[serde(flatten)]
    pub stats: CallStats,
}

/// What is known of many calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallStats {
    /// How many.
    pub count: usize,
    /// How many a second, of those whose times are known.
    pub rate: f64,
    /// How many failed.
    pub errors: usize,
    /// The share that failed, from 0 to 1.
    pub error_rate: f64,
    /// Half took no longer.
    pub p50_ns: i64,
    /// 95 % took no longer.
    pub p95_ns: i64,
    /// 99 % took no longer.
    pub p99_ns: i64,
}

/// Draws the picture.
pub fn build_graph(data: GraphData) -> Graph {
    #[expect(clippy::cast_precision_loss, reason = "rates are no exact stats")]
    let seconds = (data.window_ns as f64 / 1e9).max(1.0);
    let mut services = data.entries;
    for (caller, callees) in &data.calls {
        for service in callees.keys().chain([caller]) {
            services.entry(service.clone()).or_default();
        }
    }
    let calls = data.calls.into_iter().flat_map(|(caller, callees)| {
        let callees = callees.into_iter();
        callees.map(move |(callee, seen)| (caller.clone(), callee, seen))
    });
    let edges = calls.map(|(caller, callee, seen)| Edge {
        caller,
        callee,
        stats: stats(&seen, seconds),
    });
    let nodes = services.into_iter().map(|(service, seen)| Node {
        service,
        stats: stats(&seen, seconds),
    });
    Graph {
        traces: data.traces,
        seconds,
        nodes: most(nodes.collect(), |node| node.stats.count),
        edges: most(edges.collect(), |edge| edge.stats.count),
    }
}

fn most<T>(mut all: Vec<T>, count: impl Fn(&T) -> usize) -> Vec<T> {
    all.sort_by_key(|one| std::cmp::Reverse(count(one)));
    all.truncate(MAX_ITEMS);
    all
}

fn stats(seen: &[SpanOutcome], seconds: f64) -> CallStats {
    let errors = seen.iter().filter(|one| one.error).count();
    let count = seen.len();
    let mut durations: Vec<i64> = seen.iter().filter_map(|one| one.duration_ns).collect();
    durations.sort_unstable();
    let timed = durations.len();
    // The least duration that this percentage of all does not exceed.
    let quantile = |percent: usize| {
        let rank = (timed * percent).div_ceil(100);
        durations.get(rank.max(1) - 1).copied().unwrap_or(0)
    };
    #[expect(clippy::cast_precision_loss, reason = "rates are no exact stats")]
    let share = |part: usize, whole: f64| part as f64 / whole.max(1.0);
    #[expect(clippy::cast_precision_loss, reason = "rates are no exact stats")]
    let whole = count as f64;
    CallStats {
        count,
        rate: share(timed, seconds),
        errors,
        error_rate: share(errors, whole),
        p50_ns: quantile(50),
        p95_ns: quantile(95),
        p99_ns: quantile(99),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_calls_errors_and_quantiles() {
        let mut data = GraphData::new(100, 20_000_000_000);
        for nanos in (1..=100).rev() {
            let error = nanos > 90;
            let duration_ns = Some(nanos);
            data.call("a", "b", SpanOutcome { duration_ns, error });
        }
        let graph = build_graph(data);
        let stats = &graph.edges[0].stats;
        assert_eq!((stats.p50_ns, stats.p95_ns, stats.p99_ns), (50, 95, 99));
        assert_eq!((stats.count, stats.errors), (100, 10));
        assert!((stats.rate - 5.0).abs() < 1e-9 && (stats.error_rate - 0.1).abs() < 1e-9);
        let names: Vec<_> = graph
            .nodes
            .iter()
            .map(|node| node.service.as_str())
            .collect();
        assert_eq!(
            names,
            ["a", "b"],
            "a caller without spans of its own is there too"
        );
        assert_eq!(graph.nodes[0].stats.p99_ns, 0);
    }
    #[test]
    fn calls_whose_times_are_not_known_have_no_rate() {
        let mut data = GraphData::new(2, 10_000_000_000);
        let error = false;
        for duration_ns in [None, Some(7), None] {
            data.entry("a", SpanOutcome { duration_ns, error });
        }
        let stats = &build_graph(data).nodes[0].stats;
        assert_eq!((stats.count, stats.p50_ns, stats.p99_ns), (3, 7, 7));
        assert!((stats.rate - 0.1).abs() < 1e-9);
    }
}
