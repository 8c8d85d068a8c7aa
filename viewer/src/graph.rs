//! Who calls whom: rates, error rates and latency quantiles per edge and per service.

use std::collections::BTreeMap;

use serde::Serialize;

/// The most edges and services of an answer; those with the most calls stay.
const MOST: usize = 200;

/// What a graph is made of: the calls between services, what enters each, and the time that they span, in
/// nanoseconds.
#[derive(Debug, Default)]
pub struct GraphData {
    /// Spans whose parent is another service's, or a call of the same service to itself.
    pub calls: Vec<Call>,
    /// Spans that do work for a caller, or begin a trace.
    pub entries: Vec<Entry>,
    /// From the first start to the last end.
    pub window_ns: i64,
    /// The traces.
    pub traces: i64,
}

/// A call from one service to another, as the callee's span tells it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who calls.
    pub caller: String,
    /// Who is called.
    pub callee: String,
    /// How long the callee took.
    pub duration_ns: i64,
    /// Whether it failed.
    pub error: bool,
}

/// Work of a service for whoever called it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The service.
    pub service: String,
    /// How long it took.
    pub duration_ns: i64,
    /// Whether it failed.
    pub error: bool,
}

/// The picture.
#[derive(Debug, PartialEq, Serialize)]
pub struct Graph {
    /// How many traces it is made of.
    pub traces: i64,
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
    pub figures: Figures,
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
    pub figures: Figures,
}

/// What is known of many calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// How many.
    pub count: usize,
    /// How many a second.
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
pub fn draw(data: GraphData) -> Graph {
    #[expect(clippy::cast_precision_loss, reason = "rates are no exact figures")]
    let seconds = (data.window_ns as f64 / 1e9).max(1.0);
    let mut calls = BTreeMap::<_, Vec<_>>::new();
    for call in data.calls {
        let seen = calls.entry((call.caller, call.callee)).or_default();
        seen.push((call.duration_ns, call.error));
    }
    let mut services = BTreeMap::<_, Vec<_>>::new();
    for (caller, callee) in calls.keys() {
        services.entry(caller.clone()).or_default();
        services.entry(callee.clone()).or_default();
    }
    for entry in data.entries {
        let seen = services.entry(entry.service).or_default();
        seen.push((entry.duration_ns, entry.error));
    }
    let edges = calls.into_iter().map(|((caller, callee), seen)| Edge {
        caller,
        callee,
        figures: figures(seen, seconds),
    });
    let nodes = services.into_iter().map(|(service, seen)| Node {
        service,
        figures: figures(seen, seconds),
    });
    Graph {
        traces: data.traces,
        seconds,
        nodes: most(nodes.collect(), |node| node.figures.count),
        edges: most(edges.collect(), |edge| edge.figures.count),
    }
}

fn most<T>(mut all: Vec<T>, count: impl Fn(&T) -> usize) -> Vec<T> {
    all.sort_by_key(|one| std::cmp::Reverse(count(one)));
    all.truncate(MOST);
    all
}

fn figures(seen: Vec<(i64, bool)>, seconds: f64) -> Figures {
    let errors = seen.iter().filter(|(_, error)| *error).count();
    let count = seen.len();
    let mut durations: Vec<i64> = seen.into_iter().map(|(duration, _)| duration).collect();
    durations.sort_unstable();
    // The least duration that this percentage of all does not exceed.
    let quantile = |percent: usize| {
        let rank = (count * percent).div_ceil(100);
        durations.get(rank.max(1) - 1).copied().unwrap_or(0)
    };
    #[expect(clippy::cast_precision_loss, reason = "rates are no exact figures")]
    let share = |part: usize, whole: f64| part as f64 / whole.max(1.0);
    #[expect(clippy::cast_precision_loss, reason = "rates are no exact figures")]
    let whole = count as f64;
    Figures {
        count,
        rate: share(count, seconds),
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
        let call = |duration_ns| Call {
            caller: "a".to_owned(),
            callee: "b".to_owned(),
            duration_ns,
            error: duration_ns > 90,
        };
        let data = GraphData {
            calls: (1..=100).rev().map(call).collect(),
            entries: Vec::new(),
            window_ns: 20_000_000_000,
            traces: 100,
        };
        let graph = draw(data);
        let figures = &graph.edges[0].figures;
        assert_eq!(
            (figures.p50_ns, figures.p95_ns, figures.p99_ns),
            (50, 95, 99)
        );
        assert_eq!((figures.count, figures.errors), (100, 10));
        assert!((figures.rate - 5.0).abs() < 1e-9 && (figures.error_rate - 0.1).abs() < 1e-9);
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
        assert_eq!(graph.nodes[0].figures.p99_ns, 0);
    }
}
