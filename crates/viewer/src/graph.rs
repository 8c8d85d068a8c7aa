//! The graph of services: rates, error rates and latency percentiles of each call and each service.

use std::collections::BTreeMap;

use serde::Serialize;

/// The most edges and the most nodes of a graph. Those with the most calls are kept.
const MAX_ITEMS: usize = 200;

/// The most calls, and the most entry spans, that a graph is made of.
const MAX_SPANS: usize = 50_000;

/// The input of a graph: calls between services, entry spans of each service, and the time window.
#[derive(Debug, Default)]
pub struct GraphData {
    /// By caller and callee: spans whose parent belongs to another service, or a service's call to itself.
    calls: BTreeMap<String, BTreeMap<String, Vec<SpanOutcome>>>,
    /// By service: SERVER and CONSUMER spans, and roots.
    entries: BTreeMap<String, Vec<SpanOutcome>>,
    counts: [usize; 2],
    /// From the first start to the last end.
    window_ns: i64,
    traces: usize,
}

/// How a span ended.
#[derive(Debug, Clone, Copy)]
pub struct SpanOutcome {
    /// Its duration. None if its times are unknown or impossible.
    pub duration_ns: Option<i64>,
    /// Whether its status is an error.
    pub error: bool,
}

impl GraphData {
    /// Empty data of this many traces. `window_ns` is the time from the first start to the last end.
    pub fn new(traces: usize, window_ns: i64) -> GraphData {
        GraphData {
            traces,
            window_ns,
            ..GraphData::default()
        }
    }

    /// Adds a call from one service to another, measured by the callee's span.
    pub fn call(&mut self, caller: &str, callee: &str, seen: SpanOutcome) {
        if self.counts[0] < MAX_SPANS {
            self.counts[0] += 1;
            let callees = self.calls.entry(caller.to_owned()).or_default();
            callees.entry(callee.to_owned()).or_default().push(seen);
        }
    }

    /// Adds an entry span of a service.
    pub fn entry(&mut self, service: &str, seen: SpanOutcome) {
        if self.counts[1] < MAX_SPANS {
            self.counts[1] += 1;
            let entries = self.entries.entry(service.to_owned());
            entries.or_default().push(seen);
        }
    }

    /// Whether it holds as many calls or entry spans as it may.
    pub fn is_full(&self) -> bool {
        self.counts.contains(&MAX_SPANS)
    }
}

/// The graph of services.
#[derive(Debug, PartialEq, Serialize)]
pub struct Graph {
    /// The number of traces that it is made of.
    pub traces: usize,
    /// The time window that rates refer to, at least one second.
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
    /// The statistics of its entry spans.
    #[serde(flatten)]
    pub stats: CallStats,
}

/// All calls from one service to another.
#[derive(Debug, PartialEq, Serialize)]
pub struct Edge {
    /// The calling service.
    pub caller: String,
    /// The called service.
    pub callee: String,
    /// The statistics of the callee's spans.
    #[serde(flatten)]
    pub stats: CallStats,
}

/// Statistics of calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallStats {
    /// The number of calls.
    pub count: usize,
    /// Calls per second, of those whose times are known.
    pub rate: f64,
    /// The number of failed calls.
    pub errors: usize,
    /// The share of failed calls, from 0 to 1.
    pub error_rate: f64,
    /// The median duration.
    pub p50_ns: i64,
    /// The 95th percentile.
    pub p95_ns: i64,
    /// The 99th percentile.
    pub p99_ns: i64,
}

/// Computes the graph.
pub fn build_graph(data: GraphData) -> Graph {
    #[expect(clippy::cast_precision_loss, reason = "rates are approximate")]
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
        nodes: busiest(nodes.collect(), |node| node.stats.count),
        edges: busiest(edges.collect(), |edge| edge.stats.count),
    }
}

fn busiest<T>(mut all: Vec<T>, count: impl Fn(&T) -> usize) -> Vec<T> {
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
    // The nearest-rank method.
    let quantile = |percent: usize| {
        let rank = (timed * percent).div_ceil(100);
        durations.get(rank.max(1) - 1).copied().unwrap_or(0)
    };
    #[expect(clippy::cast_precision_loss, reason = "rates are approximate")]
    let share = |part: usize, whole: f64| part as f64 / whole.max(1.0);
    #[expect(clippy::cast_precision_loss, reason = "rates are approximate")]
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
