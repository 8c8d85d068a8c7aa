//! Baggage, and the overrides in it. The input: a service's name, then on each line the value of a
//! `baggage` header.
//!
//! What a hop passes on, the next one passes on unchanged; and an accepted override survives a round trip.

use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tracing_tail::simulate::overrides::Overrides;
use tracing_tail::telemetry::propagation::{Propagators, baggage};

use crate::memory::Bound;
use crate::seam::faults;
use crate::{Target, lines, percent_encode};

/// See the module.
pub const TARGET: Target = Target {
    name: "baggage",
    property,
    memory: Bound {
        constant: 16 << 10,
        per_byte: 256,
    },
};

/// The draws at which delays and failures are compared.
const DRAWS: [f64; 5] = [0.0, 0.25, 0.5, 0.999, 1.0 - f64::EPSILON];

fn property(input: &[u8]) {
    let mut lines = lines(input);
    let service = String::from_utf8_lossy(lines.next().unwrap_or_default());
    let mut headers = HeaderMap::new();
    for line in lines {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            let _ = headers.try_append("baggage", value);
        }
    }
    let kept = Propagators::default().extract(&headers).baggage;
    stays_within_the_limits(&kept);
    assert_eq!(baggage::parse(&kept), kept, "the next hop reads the same");
    match faults(&headers, &service) {
        Err(sentence) => assert!(sentence.contains("baggage"), "{sentence}"),
        Ok(asked) => {
            loses_no_fault(&headers, &kept);
            stays_within_bounds(&asked);
            means_the_same_when_written_again(&asked, &service);
        }
    }
}

/// If nothing was refused, a member that looks like an override is passed on.
fn loses_no_fault(headers: &HeaderMap, kept: &str) {
    for value in headers.get_all("baggage") {
        let value = String::from_utf8_lossy(value.as_bytes());
        let members = value
            .split(',')
            .map(|member| member.trim_matches([' ', '\t']));
        for fault in members.filter(|member| member.starts_with("tail.") && member.contains('=')) {
            let goes_on = kept.split(',').any(|member| member == fault);
            assert!(goes_on, "{fault} is dropped without a word");
        }
    }
}

fn stays_within_the_limits(kept: &str) {
    assert!(kept.len() <= 8192, "{} bytes go on", kept.len());
    let members = kept.split(',').filter(|member| !member.is_empty());
    assert!(members.count() <= 64);
    assert!(kept.bytes().all(|byte| byte.is_ascii()), "{kept}");
}

fn stays_within_bounds(asked: &Overrides) {
    for draw in DRAWS {
        if let Some(errors) = &asked.errors {
            let status = errors.value.sample(draw).map(|status| status.parse());
            assert!(
                status.is_none_or(|status| status.is_ok_and(|it: u16| (400..600).contains(&it)))
            );
        }
        if let Some(latency) = &asked.latency {
            assert!(latency.value.sample(draw) <= Duration::from_secs(3600));
        }
    }
}

fn means_the_same_when_written_again(asked: &Overrides, service: &str) {
    let mut members = Vec::new();
    let service = percent_encode(service);
    if let Some(errors) = &asked.errors {
        members.push(format!(
            "tail.{service}.errors={}",
            percent_encode(&errors.text)
        ));
    }
    if let Some(latency) = &asked.latency {
        members.push(format!(
            "tail.{service}.latency={}",
            percent_encode(&latency.text)
        ));
    }
    if let Some(seed) = &asked.seed {
        members.push(format!("tail.seed={}", percent_encode(seed)));
    }
    let written = members.join(",");
    if written.len() <= 8192 {
        assert_eq!(baggage::parse(&written), written);
        let own = Overrides {
            others: Vec::new(),
            ..asked.clone()
        };
        assert_eq!(Overrides::parse(&written, &unescaped(&service)), Ok(own));
    }
}

fn unescaped(text: &str) -> String {
    tracing_tail::settings::text::percent_decode_text(text).unwrap_or_default()
}
