//! The messages of OTLP's traces: the number, the name in JSON and the type of each of their fields
//! (<https://github.com/open-telemetry/opentelemetry-proto>, version 1.10).
//!
//! What is received as JSON becomes protobuf by this table, and what is stored becomes JSON.

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// `ExportTraceServiceRequest`, which is `TracesData` too.
    Export,
    /// All that one resource has sent.
    ResourceSpans,
    /// All of one scope among that.
    ScopeSpans,
    /// A span.
    Span,
    /// An event of a span.
    Event,
    /// A link of a span.
    Link,
    /// A span's status.
    Status,
    /// What sends.
    Resource,
    /// A part of a resource that is an entity.
    EntityRef,
    /// `InstrumentationScope`
    Scope,
    /// An attribute.
    KeyValue,
    /// A value of any kind, of which it has one.
    AnyValue,
    /// A list.
    ArrayValue,
    /// A map.
    KeyValueList,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// A string.
    Text,
    /// Any number of strings.
    Texts,
    /// Bytes that JSON has in hexadecimal digits.
    Id,
    /// Bytes that JSON has in base64.
    Bytes,
    /// A boolean.
    Bool,
    /// An enum, or an integer of 32 bits, as a varint.
    Int32,
    /// The same without a sign.
    Uint32,
    /// An integer of 64 bits, as a varint.
    Int64,
    /// 64 bits without a sign, as they are.
    Fixed64,
    /// 32 bits without a sign, as they are.
    Fixed32,
    /// A double.
    Double,
    /// A message.
    One(Message),
    /// Any number of messages.
    Many(Message),
}

/// A field.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its number in protobuf.
    pub number: u32,
    /// Its name in JSON.
    pub name: &'static str,
    /// What it holds.
    pub holds: Type,
}

const fn field(number: u32, name: &'static str, holds: Type) -> Field {
    Field {
        number,
        name,
        holds,
    }
}

impl Message {
    /// Its fields.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Message::Export => EXPORT,
            Message::ResourceSpans => RESOURCE_SPANS,
            Message::ScopeSpans => SCOPE_SPANS,
            Message::Span => SPAN,
            Message::Event => EVENT,
            Message::Link => LINK,
            Message::Status => STATUS,
            Message::Resource => RESOURCE,
            Message::EntityRef => ENTITY_REF,
            Message::Scope => SCOPE,
            Message::KeyValue => KEY_VALUE,
            Message::AnyValue => ANY_VALUE,
            Message::ArrayValue => ARRAY_VALUE,
            Message::KeyValueList => KEY_VALUE_LIST,
        }
    }
}

const EXPORT: &[Field] = &[field(
    1,
    "resourceSpans",
    Type::Many(Message::ResourceSpans),
)];
const RESOURCE_SPANS: &[Field] = &[
    field(1, "resource", Type::One(Message::Resource)),
    field(2, "scopeSpans", Type::Many(Message::ScopeSpans)),
    field(3, "schemaUrl", Type::Text),
];
const SCOPE_SPANS: &[Field] = &[
    field(1, "scope", Type::One(Message::Scope)),
    field(2, "spans", Type::Many(Message::Span)),
    field(3, "schemaUrl", Type::Text),
];
const SPAN: &[Field] = &[
    field(1, "traceId", Type::Id),
    field(2, "spanId", Type::Id),
    field(3, "traceState", Type::Text),
    field(4, "parentSpanId", Type::Id),
    field(16, "flags", Type::Fixed32),
    field(5, "name", Type::Text),
    field(6, "kind", Type::Int32),
    field(7, "startTimeUnixNano", Type::Fixed64),
    field(8, "endTimeUnixNano", Type::Fixed64),
    field(9, "attributes", Type::Many(Message::KeyValue)),
    field(10, "droppedAttributesCount", Type::Uint32),
    field(11, "events", Type::Many(Message::Event)),
    field(12, "droppedEventsCount", Type::Uint32),
    field(13, "links", Type::Many(Message::Link)),
    field(14, "droppedLinksCount", Type::Uint32),
    field(15, "status", Type::One(Message::Status)),
];
const EVENT: &[Field] = &[
    field(1, "timeUnixNano", Type::Fixed64),
    field(2, "name", Type::Text),
    field(3, "attributes", Type::Many(Message::KeyValue)),
    field(4, "droppedAttributesCount", Type::Uint32),
];
const LINK: &[Field] = &[
    field(1, "traceId", Type::Id),
    field(2, "spanId", Type::Id),
    field(3, "traceState", Type::Text),
    field(4, "attributes", Type::Many(Message::KeyValue)),
    field(5, "droppedAttributesCount", Type::Uint32),
    field(6, "flags", Type::Fixed32),
];
const STATUS: &[Field] = &[
    field(2, "message", Type::Text),
    field(3, "code", Type::Int32),
];
const RESOURCE: &[Field] = &[
    field(1, "attributes", Type::Many(Message::KeyValue)),
    field(2, "droppedAttributesCount", Type::Uint32),
    field(3, "entityRefs", Type::Many(Message::EntityRef)),
];
const ENTITY_REF: &[Field] = &[
    field(1, "schemaUrl", Type::Text),
    field(2, "type", Type::Text),
    field(3, "idKeys", Type::Texts),
    field(4, "descriptionKeys", Type::Texts),
];
const SCOPE: &[Field] = &[
    field(1, "name", Type::Text),
    field(2, "version", Type::Text),
    field(3, "attributes", Type::Many(Message::KeyValue)),
    field(4, "droppedAttributesCount", Type::Uint32),
];
const KEY_VALUE: &[Field] = &[
    field(1, "key", Type::Text),
    field(2, "value", Type::One(Message::AnyValue)),
    field(3, "keyStrindex", Type::Int32),
];
const ANY_VALUE: &[Field] = &[
    field(1, "stringValue", Type::Text),
    field(2, "boolValue", Type::Bool),
    field(3, "intValue", Type::Int64),
    field(4, "doubleValue", Type::Double),
    field(5, "arrayValue", Type::One(Message::ArrayValue)),
    field(6, "kvlistValue", Type::One(Message::KeyValueList)),
    field(7, "bytesValue", Type::Bytes),
    field(8, "stringValueStrindex", Type::Int32),
];
const ARRAY_VALUE: &[Field] = &[field(1, "values", Type::Many(Message::AnyValue))];
const KEY_VALUE_LIST: &[Field] = &[field(1, "values", Type::Many(Message::KeyValue))];
