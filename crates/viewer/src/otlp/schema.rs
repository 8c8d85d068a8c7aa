//! The messages of OTLP's trace signal: number, JSON name and type of each field
//! (<https://github.com/open-telemetry/opentelemetry-proto>, version 1.10).
//!
//! The receiver translates JSON to protobuf by this table, and the export translates it back.

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message {
    /// `ExportTraceServiceRequest`, which is `TracesData` too.
    Export,
    /// The spans of one resource.
    ResourceSpans,
    /// The spans of one instrumentation scope.
    ScopeSpans,
    /// A span.
    Span,
    /// An event of a span.
    Event,
    /// A link of a span.
    Link,
    /// A span's status.
    Status,
    /// The entity that produced the spans.
    Resource,
    /// A reference to an entity within a resource.
    EntityRef,
    /// `InstrumentationScope`
    Scope,
    /// An attribute.
    KeyValue,
    /// An attribute's value, of one of several types.
    AnyValue,
    /// A list.
    ArrayValue,
    /// A map.
    KeyValueList,
}

/// The type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// A string.
    String,
    /// A repeated string.
    RepeatedString,
    /// Bytes that JSON encodes as hexadecimal digits.
    Id,
    /// Bytes that JSON encodes as base64.
    Bytes,
    /// A boolean.
    Bool,
    /// An enum or a signed 32-bit integer, as a varint.
    Int32,
    /// An unsigned 32-bit integer, as a varint.
    Uint32,
    /// A signed 64-bit integer, as a varint.
    Int64,
    /// An unsigned 64-bit integer of fixed size.
    Fixed64,
    /// An unsigned 32-bit integer of fixed size.
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
    /// Its field number in protobuf.
    pub number: u32,
    /// Its name in JSON.
    pub name: &'static str,
    /// Its type.
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
