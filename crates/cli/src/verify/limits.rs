//! What a backend by its nature does not keep. A difference that its limits explain is no fault of the pipeline.

use std::fmt;

/// The limits of a backend's format, as seen through its query API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Times are cut or rounded to a multiple of this many nanoseconds. If it is more than one, an end is kept as a
    /// duration of whole units, so it may be off by two of them.
    pub time_unit: u64,
    /// Whether names are in lower case only.
    pub lower_case_names: bool,
    /// How the values of attributes are kept.
    pub attributes: AttributeTypes,
    /// Whether the attributes of the resource are among those of the span.
    pub resource: ResourceAttributes,
    /// Whether a span that arrives twice is there twice.
    pub keeps_copies: bool,
    /// How links are kept.
    pub links: Links,
    /// What its answers have no field for: whether it was stored can't be seen.
    pub hidden: &'static [Part],
    /// Each limit as a sentence for people, to be said once.
    pub notes: &'static [&'static str],
}

/// How a backend keeps the values of attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeTypes {
    /// With their types.
    Kept,
    /// As text only.
    Text,
}

/// Where a backend keeps the attributes of the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceAttributes {
    /// Apart from those of the span.
    Apart,
    /// Among those of the span: an attribute that nobody expects on the span may be one of the resource.
    Mixed,
}

/// How a backend keeps links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// With their attributes.
    Kept,
    /// Only the ids that they point to.
    IdsOnly,
    /// Not at all.
    Lost,
}

/// A part of a span that a backend may have no field for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The flags of spans and links.
    Flags,
    /// The `tracestate` of spans.
    TraceState,
    /// Links.
    Links,
    /// The kind.
    Kind,
    /// The resource, `service.name` too.
    Resource,
    /// The instrumentation scope.
    Scope,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Flags => "flags",
            Part::TraceState => "tracestate",
            Part::Links => "links",
            Part::Kind => "kinds",
            Part::Resource => "resources",
            Part::Scope => "scopes",
        })
    }
}

impl Limits {
    /// Whether its answers have a field for a part.
    pub fn shows(&self, part: Part) -> bool {
        !self.hidden.contains(&part)
    }

    /// Everything is kept.
    pub const NONE: Limits = Limits {
        time_unit: 1,
        lower_case_names: false,
        attributes: AttributeTypes::Kept,
        resource: ResourceAttributes::Apart,
        keeps_copies: true,
        links: Links::Kept,
        hidden: &[],
        notes: &[],
    };
}
