//! The grammar of telemetry faults. The input: a baggage header, then APP_TELEMETRY_FAULTS.
//!
//! An accepted list has each kind once; its faults, written as they are reported, are the same list; the same seed draws the
//! same faults, in any order of the list; incidents and baggage read the same list as the setting. A refusal says so
//! for the setting, and for the member.

use std::time::{Duration, UNIX_EPOCH};

use tracing_tail::settings::{APP_TELEMETRY_FAULTS, Values};
use tracing_tail::simulate::incidents::Incidents;
use tracing_tail::simulate::mesh_path::MeshPath;
use tracing_tail::simulate::overrides::Overrides;
use tracing_tail::simulate::rng::SeededRng;
use tracing_tail::simulate::telemetry_faults::{DrawnFaults, TelemetryFaults};

use crate::memory::Bound;
use crate::seam::read_settings;
use crate::{Target, percent_encode};

/// See the module.
pub const TARGET: Target = Target {
    name: "telemetry_faults",
    property,
    memory: Bound {
        constant: 1 << 20,
        per_byte: 256,
    },
};

/// How many seeds are tried.
const SEEDS: u64 = 16;

fn property(input: &[u8]) {
    let Ok(input) = std::str::from_utf8(input) else {
        return;
    };
    let (baggage, list) = input.split_once('\n').unwrap_or((input, ""));
    if let Err(problem) = Overrides::parse(baggage, "me") {
        assert!(problem.starts_with("baggage "), "{problem}");
    }
    let mut values = Values::default();
    values.set(APP_TELEMETRY_FAULTS, Ok(Some(list.to_owned())));
    let (config, problems) = read_settings(&values);
    for problem in problems {
        assert!(problem.starts_with("APP_TELEMETRY_FAULTS: "), "{problem}");
        assert!(config.simulation.telemetry_faults.is_empty());
    }
    let Ok(faults) = TelemetryFaults::parse(list) else {
        return;
    };
    is_read_alike_everywhere(list, &faults);
    let reversed: Vec<_> = list.rsplit(',').collect();
    let reversed = TelemetryFaults::parse(&reversed.join(","));
    let reversed = reversed.expect("a list without an order");
    for seed in 0..SEEDS {
        let rng = SeededRng::seeded(&[&seed.to_le_bytes()], MeshPath::default());
        let drawn = texts(faults.draw(rng).as_ref());
        assert_eq!(drawn, texts(faults.draw(rng).as_ref()));
        let mut sorted = (drawn.clone(), texts(reversed.draw(rng).as_ref()));
        sorted.0.sort_unstable();
        sorted.1.sort_unstable();
        assert_eq!(sorted.0, sorted.1);
        if !drawn.is_empty() {
            let again = TelemetryFaults::parse(&drawn.join(",")).expect("reported faults");
            assert_eq!(texts(again.draw(rng).as_ref()), drawn);
        }
    }
}

fn texts(drawn: Option<&DrawnFaults>) -> Vec<String> {
    let faults = drawn.into_iter().flat_map(DrawnFaults::iter);
    faults.map(|named| named.text.to_string()).collect()
}

fn is_read_alike_everywhere(list: &str, faults: &TelemetryFaults) {
    let baggage = format!("tail.me.telemetry={}", percent_encode(list));
    // A longer member than is passed on is refused.
    if baggage.len() <= 4096 {
        let overrides = Overrides::parse(&baggage, "me").expect("an encoded list");
        let read = overrides.telemetry_faults.map(|(_, faults)| faults);
        assert_eq!(read.as_ref(), Some(faults));
    }
    if !faults.is_empty() {
        let incidents = format!("every=1h,telemetry={list},for=1h");
        let incidents = Incidents::parse(&incidents).expect("a list in an incident");
        assert_eq!(incidents.telemetry_faults.as_ref(), Some(faults));
        assert!(incidents.is_active(UNIX_EPOCH + Duration::from_secs(1)));
    }
}
