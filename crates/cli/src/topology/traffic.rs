//! The `[traffic]` table: requests that `up` sends to the mesh while it runs.
//!
//! ```toml
//! [traffic]
//! rate = "2/s..20/s over 10m"        # and for, connections, seed
//! [[traffic.mix]]                    # one for each kind
//! weight = 1
//! baggage = "tail.search.latency=1200ms"
//! ```

use anyhow::Result;

use super::{Queue, Service};
use crate::traffic::kind::{self, Kind};
use crate::traffic::mix::Mix;
use crate::traffic::payload::Payload;
use crate::traffic::plan::{Plan, parse_connections};
use crate::traffic::rate::{Rate, parse_time};
use tracing_tail_host::document::{Located, Table};

const TRAFFIC: &str = "'traffic'";
const KIND: &str = "'traffic.mix'";

/// Reads the table. Faults in it may only name `services`, what is inside them, and `queues`.
pub(super) fn read(mut table: Table<'_>, services: &[Service], queues: &[Queue]) -> Result<Plan> {
    let default = Plan::default();
    let rate = table.string("rate")?;
    let duration = table.string("for")?;
    let connections = table.integer("connections")?;
    let seed = table.string_or_number("seed")?;
    let kinds = table.tables("mix", KIND)?;
    table.refuse_unknown()?;
    let kinds = kinds
        .into_iter()
        .map(|kind| read_kind(kind, services, queues));
    Ok(Plan {
        rate: parsed(TRAFFIC, "rate", rate, Rate::parse)?.unwrap_or(default.rate),
        duration: parsed(TRAFFIC, "for", duration, parse_time)?,
        connections: parsed(TRAFFIC, "connections", connections, parse_connections)?
            .unwrap_or(default.connections),
        seed: parsed(TRAFFIC, "seed", seed, kind::parse_seed)?,
        mix: Mix::new(kinds.collect::<Result<_>>()?),
        ..default
    })
}

fn read_kind(mut table: Table<'_>, services: &[Service], queues: &[Queue]) -> Result<Kind> {
    let default = Kind::default();
    let weight = table.string_or_number("weight")?;
    let payload = match table.contains_array("payload") {
        true => {
            let items = table.strings("payload")?;
            Some(Payload::new(
                items.into_iter().map(|item| item.value).collect(),
            ))
        }
        false => {
            let payload = table.string_or_number("payload")?;
            parsed(KIND, "payload", payload, Payload::parse)?
        }
    };
    let baggage = table.string("baggage")?;
    let seed = table.string_or_number("seed")?;
    let has_sampled = table.contains("sampled");
    let sampled = table.boolean("sampled")? || !has_sampled;
    let kind = Kind {
        weight: parsed(KIND, "weight", weight, kind::parse_weight)?.unwrap_or(default.weight),
        payload: payload.unwrap_or(default.payload),
        baggage: baggage
            .as_ref()
            .map(|baggage| read_baggage(baggage, services, queues))
            .transpose()?
            .unwrap_or_default(),
        seed: parsed(KIND, "seed", seed.clone(), kind::parse_seed)?,
        sampled,
    };
    let kind = kind.checked().map_err(|problem| match &seed {
        Some(seed) => seed.error(format!("'seed' of {KIND}: {problem}")),
        None => table.error(problem),
    })?;
    table.refuse_unknown()?;
    Ok(kind)
}

fn read_baggage(text: &Located<String>, services: &[Service], queues: &[Queue]) -> Result<String> {
    let refuse = |problem: String| text.error(format!("'baggage' of {KIND}: {problem}"));
    let baggage = kind::parse_baggage(&text.value).map_err(refuse)?;
    let names: Vec<_> = services
        .iter()
        .map(|service| service.id.value.as_str())
        .collect();
    let is_known = |name: &String| {
        let mut activities = services.iter().flat_map(|service| &service.activities);
        names.contains(&name.as_str())
            || activities.any(|activity| activity == name)
            || queues.iter().any(|queue| queue.name.value == *name)
    };
    if let Some(unknown) = kind::services(&baggage).find(|name| !is_known(name)) {
        let known = names.join(", ");
        return Err(refuse(format!(
            "there is no service '{unknown}'; there are {known}"
        )));
    }
    Ok(baggage)
}

/// Parses a value, if there is one.
fn parsed<T>(
    what: &str,
    key: &str,
    value: Option<Located<String>>,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<Option<T>> {
    let parse = |value: Located<String>| {
        parse(&value.value).map_err(|accepted| {
            let found = &value.value;
            value.error(format!("'{key}' of {what} is '{found}': {accepted}"))
        })
    };
    value.map(parse).transpose()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Topology;
    use super::*;
    use tracing_tail_host::document::Document;

    const TOPOLOGY: &str = r#"
[services.front]
entry = true

[traffic]
rate = "2/s..20/s over 10m"
for = "1m"
connections = 8
seed = 42

[[traffic.mix]]
weight = 9
payload = ["a", "b c"]

[[traffic.mix]]
baggage = "tail.front.latency=1200ms, user=1"
payload = 3
seed = "x"
sampled = false
"#;

    fn parse(text: &str) -> Result<Option<Plan>> {
        Ok(Topology::parse(Document::new("x.toml", text), "x")?.traffic)
    }

    #[test]
    fn reads_a_plan() {
        let kinds = [
            r#"9 payload ["a", "b c"]"#,
            "1 baggage tail.front.latency=1200ms payload 3 seed x sampled false",
        ];
        let mut kinds = kinds.map(|kind| Kind::parse(kind).unwrap());
        kinds[1].baggage += ", user=1";
        let expected = Plan {
            rate: Rate::parse("2/s..20/s over 10m").unwrap(),
            duration: Some(Duration::from_secs(60)),
            requests: None,
            connections: 8,
            seed: Some("42".to_owned()),
            mix: Mix::new(kinds.to_vec()),
        };
        assert_eq!(parse(TOPOLOGY).unwrap(), Some(expected));
        let service = "[services.front]\nentry = true\n";
        assert_eq!(parse(service).unwrap(), None);
        let table = format!("{service}[traffic]\n");
        assert_eq!(parse(&table).unwrap(), Some(Plan::default()));
    }

    /// Each row changes one line of [`TOPOLOGY`], and the error names the line that is wrong.
    #[test]
    fn names_what_it_refuses_and_its_line() {
        let table = [
            (
                "rate = \"2/s..20/s over 10m\"",
                "rate = 5",
                "x.toml:6: 'rate' of 'traffic' is of type integer, not a string",
            ),
            (
                "rate = \"2/s..20/s over 10m\"",
                "rate = \"5\"",
                "x.toml:6: 'rate' of 'traffic' is '5': write a rate such as 5/s, 30/m or 2/s..20/s over 10m",
            ),
            (
                "rate = \"2/s..20/s over 10m\"",
                "rat = 5",
                "x.toml:6: 'traffic' has 'rat', which is no key there; the keys are rate, for, connections, seed, mix",
            ),
            (
                "for = \"1m\"",
                "for = \"1\"",
                "x.toml:7: 'for' of 'traffic' is '1': write a time such as 30s, 10m or 2h, at most 1000h",
            ),
            (
                "connections = 8",
                "connections = 0",
                "x.toml:8: 'connections' of 'traffic' is '0': write a number from 1 to 10000",
            ),
            (
                "seed = 42",
                "seed = []",
                "x.toml:9: 'seed' of 'traffic' is of type array, not a string or a number",
            ),
            (
                "weight = 9",
                "weight = 0",
                "x.toml:12: 'weight' of 'traffic.mix' is '0': write a number above 0, at most 1000000, such as 9 or 0.5",
            ),
            (
                "weight = 9",
                "wait = 0",
                "x.toml:12: 'traffic.mix' has 'wait', which is no key there; the keys are weight, payload, baggage, seed, sampled",
            ),
            (
                "\"b c\"]",
                "1]",
                "x.toml:13: 'payload' of 'traffic.mix' is of type integer, not a string",
            ),
            (
                "payload = 3",
                "payload = -3",
                "x.toml:17: 'payload' of 'traffic.mix' is '-3': write a JSON array of strings, or how many items, at most 10000",
            ),
            (
                "tail.front.latency",
                "tail.frnt.latency",
                "x.toml:16: 'baggage' of 'traffic.mix': there is no service 'frnt'; there are front",
            ),
            (
                "=1200ms",
                "=soon",
                "x.toml:16: 'baggage' of 'traffic.mix': baggage tail.front.latency: ",
            ),
            (
                "user=1",
                "tail.seed=1",
                "x.toml:18: 'seed' of 'traffic.mix': the baggage has tail.seed already; leave it or 'seed' out",
            ),
            (
                "sampled = false",
                "sampled = 0",
                "x.toml:19: 'sampled' of 'traffic.mix' is of type integer, not true or false",
            ),
        ];
        for (line, replacement, problem) in table {
            assert!(TOPOLOGY.contains(line), "{line}");
            let error = parse(&TOPOLOGY.replacen(line, replacement, 1)).expect_err(replacement);
            assert!(error.to_string().starts_with(problem), "{error}");
        }
    }
}
