//! Builds the n-th request.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

use super::kind::{Kind, SEED};
use super::mix::{Mix, hash, scramble};
use super::plan::Plan;
use super::target::Target;

const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("tracing-tail-traffic/", env!("CARGO_PKG_VERSION")));

/// Builds each request from its number.
#[derive(Debug, Clone)]
pub struct Composer {
    target: Target,
    mix: Mix,
    bodies: Vec<Bytes>,
    seed: Option<String>,
    choice: u64,
    random: u64,
    headers: HeaderMap,
}

/// A request ready to be sent.
#[derive(Debug, Clone)]
pub struct Composed {
    /// The index of its kind in the mix.
    pub kind: usize,
    /// The request.
    pub request: Request<Bytes>,
}

impl Composer {
    /// Builds the requests of a plan. `random` should differ between runs: it chooses kinds if the plan has no seed,
    /// and it determines the trace ids of unsampled requests.
    pub fn new(plan: &Plan, target: &Target, random: u64) -> Composer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, AGENT);
        if let Some(authorization) = &target.authorization {
            headers.insert(AUTHORIZATION, authorization.clone());
        }
        Composer {
            target: target.clone(),
            bodies: plan
                .mix
                .kinds()
                .iter()
                .map(|kind| kind.payload.body())
                .collect(),
            mix: plan.mix.clone(),
            seed: plan.seed.clone(),
            choice: plan.seed.as_deref().map_or(random, hash),
            random,
            headers,
        }
    }

    /// Adds a header to every request, such as `accept` to ask for a report.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Composer {
        self.headers.insert(name, value);
        self
    }

    /// Builds request `number`.
    pub fn compose(&self, number: u64) -> Composed {
        let chosen = self.mix.choose(self.choice, number);
        let kind = &self.mix.kinds()[chosen];
        let mut request = Request::new(self.bodies[chosen].clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.uri.clone();
        *request.headers_mut() = self.headers.clone();
        // Baggage was checked when it was parsed, and seeds are encoded, so both are valid header values.
        if let Some(baggage) = self.baggage(kind, number)
            && let Ok(value) = HeaderValue::try_from(baggage)
        {
            request.headers_mut().insert(BAGGAGE, value);
        }
        if !kind.sampled
            && let Ok(value) = HeaderValue::try_from(self.unsampled(number))
        {
            request.headers_mut().insert(TRACEPARENT, value);
        }
        Composed {
            kind: chosen,
            request,
        }
    }

    /// The seed comes first, since baggage over the limits is dropped from the end.
    fn baggage(&self, kind: &Kind, number: u64) -> Option<String> {
        let seed = match (&kind.seed, &self.seed) {
            (Some(seed), _) => Some(seed.clone()),
            (None, Some(seed)) if !kind.has_own_seed() => Some(format!("{seed}.{number}")),
            _ => None,
        };
        let seed = seed.map(|seed| format!("{SEED}={}", percent_encode(&seed)));
        let given = Some(kind.baggage.clone()).filter(|given| !given.is_empty());
        match (seed, given) {
            (Some(seed), Some(given)) => Some(format!("{seed},{given}")),
            (seed, given) => seed.or(given),
        }
    }

    /// A context with the sampled flag off (Trace Context, "Sampled flag"), and ids that are never zero.
    fn unsampled(&self, number: u64) -> String {
        let part = |n| scramble(self.random, 3 * number + n).max(1);
        format!("00-{:016x}{:016x}-{:016x}-00", part(0), part(1), part(2))
    }
}

/// Encodes everything that a baggage value may not contain (W3C Baggage, "value").
fn percent_encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composer(seed: Option<&str>, kinds: &[&str], random: u64) -> Composer {
        let kinds = kinds.iter().map(|kind| Kind::parse(kind).unwrap());
        let plan = Plan {
            seed: seed.map(str::to_owned),
            mix: Mix::new(kinds.collect()),
            ..Plan::default()
        };
        Composer::new(&plan, &Target::parse("http://me:x@h").unwrap(), random)
    }

    fn value<'r>(request: &'r Request<Bytes>, name: &str) -> Option<&'r str> {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    }

    #[test]
    fn sends_a_list_with_credentials() {
        let request = composer(None, &[], 1).compose(0).request;
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "http://h/process");
        assert_eq!(request.body(), r#"["item1","item2"]"#);
        assert_eq!(value(&request, "content-type"), Some("application/json"));
        assert_eq!(value(&request, "authorization"), Some("Basic bWU6eA=="));
        assert_eq!(value(&request, "baggage"), None);
        assert_eq!(value(&request, "traceparent"), None);
    }

    #[test]
    fn seeds_each_request_by_its_kind_or_by_the_run() {
        let table = [
            (None, "1", None, "neither"),
            (None, "1 seed a,b", Some("tail.seed=a%2Cb"), "the kind's"),
            (
                None,
                "1 baggage x=1 seed 7",
                Some("tail.seed=7,x=1"),
                "with baggage",
            ),
            (
                Some("s t"),
                "1",
                Some("tail.seed=s%20t.5"),
                "the run's, and the number",
            ),
            (
                Some("s"),
                "1 baggage x=1",
                Some("tail.seed=s.5,x=1"),
                "with baggage",
            ),
            (
                Some("s"),
                "1 seed 7",
                Some("tail.seed=7"),
                "the kind's before the run's",
            ),
            (
                Some("s"),
                "1 baggage tail.seed=9",
                Some("tail.seed=9"),
                "the baggage's own",
            ),
        ];
        for (seed, kind, baggage, reason) in table {
            let request = composer(seed, &[kind], 1).compose(5).request;
            assert_eq!(value(&request, "baggage"), baggage, "{reason}");
        }
    }

    #[test]
    fn an_unsampled_request_has_a_context_of_its_own() {
        let composer = composer(None, &["1 sampled false"], 1);
        let parent = |number| {
            let request = composer.compose(number).request;
            value(&request, "traceparent").unwrap().to_owned()
        };
        let (one, other) = (parent(0), parent(1));
        assert_ne!(one, other);
        assert_eq!(one.len(), 55);
        assert!(one.starts_with("00-") && one.ends_with("-00"), "{one}");
    }

    #[test]
    fn the_same_seed_makes_the_same_requests_whatever_the_random_bits() {
        let kinds = ["3", "1 payload 5", "1 baggage x=1"];
        let sent = |seed, random| {
            let composer = composer(seed, &kinds, random);
            let composed = (0..100).map(|number| composer.compose(number));
            composed
                .map(|one| (one.kind, format!("{:?}", one.request)))
                .collect::<Vec<_>>()
        };
        assert_eq!(sent(Some("a"), 1), sent(Some("a"), 2));
        assert_ne!(sent(Some("a"), 1), sent(Some("b"), 1));
        assert_ne!(sent(None, 1), sent(None, 2));
    }

    #[test]
    fn a_header_may_be_added() {
        let accept = HeaderValue::from_static("application/vnd.tracing-tail.report+json");
        let composer = composer(None, &[], 1).header(http::header::ACCEPT, accept);
        let request = composer.compose(0).request;
        assert_eq!(
            value(&request, "accept"),
            Some("application/vnd.tracing-tail.report+json")
        );
    }
}
