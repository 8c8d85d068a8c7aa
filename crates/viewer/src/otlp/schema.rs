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
pub enum FieldType {
    /// A string.
    String,
    /// A repeated string.
    RepeatedString,
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
    Message(Message),
    /// A repeated message.
    RepeatedMessage(Message),
}

/// A field.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its number in protobuf.
    pub number: u32,
    /// Its name in JSON.
    pub name: &'static str,
    /// What it holds.
    pub field_type: FieldType,
}

const fn field(number: u32, name: &'static str, field_type: FieldType) -> Field {
    Field {
        number,
        name,
        field_type,
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
    FieldType::RepeatedMessage(Message::ResourceSpans),
)];
const RESOURCE_SPANS: &[Field] = &[
    field(1, "resource", FieldType::Message(Message::Resource)),
    field(
        2,
        "scopeSpans",
        FieldType::RepeatedMessage(Message::ScopeSpans),
    ),
    field(3, "schemaUrl", FieldType::String),
];
const SCOPE_SPANS: &[Field] = &[
    field(1, "scope", FieldType::Message(Message::Scope)),
    field(2, "spans", FieldType::RepeatedMessage(Message::Span)),
    field(3, "schemaUrl", FieldType::String),
];
const SPAN: &[Field] = &[
    field(1, "traceId", FieldType::Id),
    field(2, "spanId", FieldType::Id),
    field(3, "traceState", FieldType::String),
    field(4, "parentSpanId", FieldType::Id),
    field(16, "flags", FieldType::Fixed32),
    field(5, "name", FieldType::String),
    field(6, "kind", FieldType::Int32),
    field(7, "startTimeUnixNano", FieldType::Fixed64),
    field(8, "endTimeUnixNano", FieldType::Fixed64),
    field(
        9,
        "attributes",
        FieldType::RepeatedMessage(Message::KeyValue),
    ),
    field(10, "droppedAttributesCount", FieldType::Uint32),
    field(11, "events", FieldType::RepeatedMessage(Message::Event)),
    field(12, "droppedEventsCount", FieldType::Uint32),
    field(13, "links", FieldType::RepeatedMessage(Message::Link)),
    field(14, "droppedLinksCount", FieldType::Uint32),
    field(15, "status", FieldType::Message(Message::Status)),
];
const EVENT: &[Field] = &[
    field(1, "timeUnixNano", FieldType::Fixed64),
    field(2, "name", FieldType::String),
    field(
        3,
        "attributes",
        FieldType::RepeatedMessage(Message::KeyValue),
    ),
    field(4, "droppedAttributesCount", FieldType::Uint32),
];
const LINK: &[Field] = &[
    field(1, "traceId", FieldType::Id),
    field(2, "spanId", FieldType::Id),
    field(3, "traceState", FieldType::String),
    field(
        4,
        "attributes",
        FieldType::RepeatedMessage(Message::KeyValue),
    ),
    field(5, "droppedAttributesCount", FieldType::Uint32),
    field(6, "flags", FieldType::Fixed32),
];
const STATUS: &[Field] = &[
    field(2, "message", FieldType::String),
    field(3, "code", FieldType::Int32),
];
const RESOURCE: &[Field] = &[
    field(
        1,
        "attributes",
        FieldType::RepeatedMessage(Message::KeyValue),
    ),
    field(2, "droppedAttributesCount", FieldType::Uint32),
    field(
        3,
        "entityRefs",
        FieldType::RepeatedMessage(Message::EntityRef),
    ),
];
const ENTITY_REF: &[Field] = &[
    field(1, "schemaUrl", FieldType::String),
    field(2, "type", FieldType::String),
    field(3, "idKeys", FieldType::RepeatedString),
    field(4, "descriptionKeys", FieldType::RepeatedString),
];
const SCOPE: &[Field] = &[
    field(1, "name", FieldType::String),
    field(2, "version", FieldType::String),
    field(
        3,
        "attributes",
        FieldType::RepeatedMessage(Message::KeyValue),
    ),
    field(4, "droppedAttributesCount", FieldType::Uint32),
];
const KEY_VALUE: &[Field] = &[
    field(1, "key", FieldType::String),
    field(2, "value", FieldType::Message(Message::AnyValue)),
    field(3, "keyStrindex", FieldType::Int32),
];
const ANY_VALUE: &[Field] = &[
    field(1, "stringValue", FieldType::String),
    field(2, "boolValue", FieldType::Bool),
    field(3, "intValue", FieldType::Int64),
    field(4, "doubleValue", FieldType::Double),
    field(5, "arrayValue", FieldType::Message(Message::ArrayValue)),
    field(6, "kvlistValue", FieldType::Message(Message::KeyValueList)),
    field(7, "bytesValue", FieldType::Bytes),
    field(8, "stringValueStrindex", FieldType::Int32),
];
const ARRAY_VALUE: &[Field] = &[field(
    1,
    "values",
    FieldType::RepeatedMessage(Message::AnyValue),
)];
const KEY_VALUE_LIST: &[Field] = &[field(
    1,
    "values",
    FieldType::RepeatedMessage(Message::KeyValue),
)];
