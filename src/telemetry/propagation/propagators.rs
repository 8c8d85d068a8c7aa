//! The propagators that are configured, as one.
//!
//! They extract in their order, and the last one that finds a context wins; all of them inject.
//! Source: OpenTelemetry's "Propagators API", "Composite Propagator"; the names: "Environment Variable
//! Specification", OTEL_PROPAGATORS.

use http::HeaderMap;
use opentelemetry::trace::SpanContext;

use super::{Caller, TraceContext, b3, baggage, ids, jaeger, ottrace, tracecontext, xray};

/// A propagator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagator {
    /// W3C Trace Context.
    TraceContext,
    /// W3C Baggage.
    Baggage,
    /// B3 in one header.
    B3,
    /// B3 in several headers.
    B3Multi,
    /// Jaeger's format, baggage included.
    Jaeger,
    /// AWS X-Ray's header.
    Xray,
    /// OpenTracing's basic tracers, baggage included.
    OtTrace,
}

use Propagator::{B3, B3Multi, Baggage, Jaeger, OtTrace, TraceContext as W3c, Xray};

/// All propagators, with their names.
const NAMES: [(Propagator, &str); 7] = [
    (W3c, "tracecontext"),
    (Baggage, "baggage"),
    (B3, "b3"),
    (B3Multi, "b3multi"),
    (Jaeger, "jaeger"),
    (Xray, "xray"),
    (OtTrace, "ottrace"),
];
const NONE: &str = "none";

impl Propagator {
    /// The propagator of a name, in any case.
    #[inline(never)]
    pub fn named(name: &str) -> Option<Propagator> {
        let found = NAMES
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name));
        found.map(|(propagator, _)| *propagator)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        let found = NAMES.iter().find(|(known, _)| *known == self);
        found.map_or(NONE, |(_, name)| name)
    }
}

/// The configured propagators, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Propagators(Vec<Propagator>);

impl Default for Propagators {
    /// W3C Trace Context and Baggage.
    fn default() -> Propagators {
        Propagators(vec![W3c, Baggage])
    }
}

impl Propagators {
    /// Reads names in any case, separated by commas or spaces, or `none`. A manifest has two lists, `own else shared`, of which the
    /// first that is not empty counts. Returns what is wrong besides: a sentence for each name that is left out. If
    /// nothing is left, the default holds.
    #[inline(never)]
    pub fn parse(text: &str) -> (Propagators, Vec<String>) {
        let mut names = Vec::new();
        for name in text.split(',').flat_map(|names| names.split(' ')) {
            match name.trim() {
                "" => {}
                "else" if names.is_empty() => {}
                "else" => break,
                name => names.push(name),
            }
        }
        let is_none = |name: &&str| name.eq_ignore_ascii_case(NONE);
        if !names.is_empty() && names.iter().all(is_none) {
            return (Propagators(Vec::new()), Vec::new());
        }
        let mut problems = Vec::new();
        let mut propagators = Propagators(Vec::new());
        for name in &names {
            match Propagator::named(name) {
                Some(propagator) if propagators.contains(propagator) => {}
                Some(propagator) => propagators.0.push(propagator),
                None if is_none(name) => problems.push(format!("'{name}' counts only alone")),
                None => {
                    let known = NAMES.map(|(_, name)| name).join(", ");
                    problems.push(format!("'{name}' is not one of {known}, {NONE}"));
                }
            }
        }
        if propagators.0.is_empty() {
            propagators = Propagators::default();
        }
        (propagators, problems)
    }

    /// Whether a propagator is configured.
    pub fn contains(&self, propagator: Propagator) -> bool {
        self.0.contains(&propagator)
    }

    /// The names of the formats of trace contexts among them.
    #[inline(never)]
    pub fn trace_formats(&self) -> Vec<&'static str> {
        let formats = self.0.iter().filter(|propagator| **propagator != Baggage);
        formats.map(|propagator| propagator.name()).collect()
    }

    /// Reads the headers of a request.
    #[inline(never)]
    pub fn extract(&self, headers: &HeaderMap) -> Caller {
        let mut caller = Caller {
            parent: None,
            host: None,
            baggage: baggage::parse(&self.baggage(headers)),
        };
        for propagator in &self.0 {
            let found = match propagator {
                W3c => {
                    let (parent, host) = tracecontext::extract(headers);
                    caller.host = host;
                    parent
                }
                B3 | B3Multi => b3::extract(headers),
                Jaeger => jaeger::extract(headers),
                Xray => xray::extract(headers),
                OtTrace => ottrace::extract(headers),
                Baggage => None,
            };
            // A decision without a span is no valid context, and replaces none.
            if let Some(found) = found
                && (found.span.is_valid() || !caller.names_a_span())
            {
                caller.parent = Some(found);
            }
        }
        caller
    }

    /// The baggage of a request as it was sent, malformed members included; may be empty. The last propagator
    /// that finds any wins.
    #[inline(never)]
    pub fn baggage(&self, headers: &HeaderMap) -> String {
        let mut last = String::new();
        for propagator in &self.0 {
            let found = match propagator {
                Baggage => baggage::read(headers),
                Jaeger => jaeger::extract_baggage(headers),
                OtTrace => ottrace::extract_baggage(headers),
                _ => continue,
            };
            if !found.is_empty() {
                last = found;
            }
        }
        last
    }

    /// The headers that make `parent` the parent of a downstream's spans.
    #[inline(never)]
    pub fn inject(&self, parent: &TraceContext, baggage: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for propagator in &self.0 {
            match propagator {
                W3c => tracecontext::inject(parent, &mut headers),
                Baggage if baggage.is_empty() => {}
                Baggage => {
                    headers.insert(baggage::HEADER, ids::value(baggage.to_owned()));
                }
                B3 => b3::inject_single(parent, &mut headers),
                B3Multi => b3::inject_multi(parent, &mut headers),
                Jaeger => {
                    jaeger::inject(parent, &mut headers);
                    jaeger::inject_baggage(baggage, &mut headers);
                }
                Xray => xray::inject(parent, &mut headers),
                OtTrace => {
                    ottrace::inject(parent, &mut headers);
                    if parent.span.is_valid() {
                        ottrace::inject_baggage(baggage, &mut headers);
                    }
                }
            }
        }
        headers
    }

    /// Names the span that handled a request in the headers of its response, as W3C Trace Context does, unless it is
    /// the client's own.
    pub fn inject_response(&self, span: &SpanContext, headers: &mut HeaderMap) {
        if self.contains(W3c) {
            tracecontext::inject_response(span, headers);
        }
    }

    /// The span that handled a downstream call, from the headers of its response.
    pub fn extract_response(&self, headers: &HeaderMap) -> Option<SpanContext> {
        self.contains(W3c)
            .then(|| tracecontext::extract_response(headers))?
    }
}

/// The names of the formats whose headers a request has, well-formed or not.
pub fn carried_formats(headers: &HeaderMap) -> Vec<&'static str> {
    let formats = NAMES.iter().filter(|(propagator, _)| {
        let header = match propagator {
            W3c => "traceparent",
            B3 => b3::B3,
            B3Multi => b3::TRACE_ID,
            Jaeger => jaeger::UBER_TRACE_ID,
            Xray => xray::TRACE_HEADER,
            OtTrace => ottrace::TRACE_ID,
            Baggage => return false,
        };
        ids::first(headers, header).is_some()
    });
    formats.map(|(_, name)| *name).collect()
}

/// Whether headers may hold baggage in any format.
pub fn may_have_header_baggage(headers: &HeaderMap) -> bool {
    let prefixes = [
        jaeger::BAGGAGE_PREFIX,
        ottrace::BAGGAGE_PREFIX,
        "jaeger-baggage",
    ];
    headers.keys().any(|name| {
        prefixes
            .iter()
            .any(|prefix| name.as_str().starts_with(prefix))
    })
}

#[cfg(test)]
mod tests;
