use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use super::*;
use crate::store::span_view::FromEncoded as _;

/// An encoded span of a kind with the attributes of `key=value`, of which numbers are integers.
fn span(kind: i32, attributes: &str) -> Vec<u8> {
    let attribute = |pair: &str| {
        let (key, value) = pair.split_once('=').unwrap();
        let value = match value.parse() {
            Ok(integer) => Value::IntValue(integer),
            Err(_) => Value::StringValue(value.to_owned()),
        };
        KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(value) }),
            ..KeyValue::default()
        }
    };
    let span = Span {
        kind,
        attributes: attributes.split_whitespace().map(attribute).collect(),
        ..Span::default()
    };
    span.encode_to_vec()
}

fn described(interaction: &Interaction<'_>) -> String {
    let Interaction {
        role,
        kind,
        system,
        name,
        address: (host, port),
        ..
    } = interaction;
    format!("{role:?} {kind:?} {system}/{name} {host}:{port}")
}

#[test]
fn reads_todays_names_and_older_ones() {
    const CLIENT: i32 = 3;
    let table = [
        (
            CLIENT,
            "db.system.name=postgresql server.address=db.internal server.port=5432 db.namespace=carts",
            "Call Database postgresql/db.internal db.internal:5432",
            "a store is named by its address",
        ),
        (
            CLIENT,
            "db.system.name=mysql db.namespace=carts",
            "Call Database mysql/carts :0",
            "or by its namespace",
        ),
        (
            CLIENT,
            "db.system.name=elasticsearch",
            "Call Database elasticsearch/elasticsearch :0",
            "or by its system",
        ),
        (
            CLIENT,
            "db.system=redis net.peer.name=cache net.peer.port=6379",
            "Call Cache redis/cache cache:6379",
            "older names",
        ),
        (
            CLIENT,
            "db.system.name=mongodb db.system=other server.address=a net.peer.name=b",
            "Call Database mongodb/a a:0",
            "today's names win",
        ),
        (
            CLIENT,
            "rpc.system.name=grpc rpc.service=Stock server.address=stock server.port=50051",
            "Call Rpc grpc/stock stock:50051",
            "RPC",
        ),
        (
            CLIENT,
            "rpc.system=aws-api rpc.service=S3",
            "Call Rpc aws-api/S3 :0",
            "RPC without an address",
        ),
        (
            CLIENT,
            "url.full=https://u:p@pay.example:8443/v1?a=@b:1 http.request.method=POST",
            "Call External http/pay.example pay.example:8443",
            "HTTP by its URL",
        ),
        (
            CLIENT,
            "http.url=http://[::1]/",
            "Call External http/[::1] [::1]:0",
            "an address of version 6",
        ),
        (
            CLIENT,
            "server.address=pay.example server.port=443",
            "Call External /pay.example pay.example:443",
            "only an address",
        ),
        (
            4,
            "messaging.system=kafka messaging.destination.name=orders server.address=broker",
            "Message Queue kafka/orders :0",
            "a message",
        ),
        (
            4,
            "messaging.system=rabbitmq messaging.destination=orders",
            "Message Queue rabbitmq/orders :0",
            "a message with an older name",
        ),
        (
            CLIENT,
            "messaging.system=kafka messaging.destination.name=orders messaging.operation.type=send",
            "Send Queue kafka/orders :0",
            "messages with spans of their own",
        ),
        (
            5,
            "messaging.system=kafka messaging.operation.type=process",
            "Process Queue kafka/ :0",
            "a consumer that does not say where its message came from",
        ),
        (
            5,
            "messaging.system=kafka messaging.operation=receive",
            "Receive Queue kafka/ :0",
            "an older consumer",
        ),
        (
            CLIENT,
            "messaging.system=kafka messaging.operation.name=poll",
            "Receive Queue kafka/ :0",
            "an operation without a type",
        ),
        (
            CLIENT,
            "messaging.system=kafka messaging.operation.type=settle",
            "Other Queue kafka/ :0",
            "neither",
        ),
    ];
    for (kind, attributes, expected, reason) in table {
        let encoded = span(kind, attributes);
        let view = SpanView::from_encoded(&encoded).unwrap();
        assert_eq!(described(&read(&view).unwrap()), expected, "{reason}");
    }
}

#[test]
fn other_spans_interact_with_nothing() {
    let table = [
        (3, "", "no attributes"),
        (3, "http.request.method=GET url.full=/relative", "no host"),
        (3, "url.full=http:// server.address=", "empty ones"),
        (3, "db.system.name=7", "a system that is not text"),
        (2, "db.system.name=redis", "a SERVER span"),
        (1, "db.system.name=sqlite", "an INTERNAL span"),
        (4, "db.system.name=redis", "a PRODUCER span of no queue"),
    ];
    for (kind, attributes, reason) in table {
        let encoded = span(kind, attributes);
        let view = SpanView::from_encoded(&encoded).unwrap();
        assert_eq!(read(&view), None, "{reason}");
    }
}

#[test]
fn a_call_with_its_other_half_is_no_leaf() {
    const HTTP: &str = "url.full=http://stock/";
    const GRPC: &str = "rpc.system.name=grpc server.address=stock";
    const DB: &str = "db.system.name=elasticsearch server.address=search";
    const SEND: &str = "messaging.system=aws_sqs messaging.destination.name=orders";
    // Service, kind, attributes and the parent's index of each span; then the indices of those that are shown.
    type Spans = &'static [(&'static str, i32, &'static str, Option<usize>)];
    let table: [(Spans, &[usize], &str); 9] = [
        (&[("a", 3, HTTP, None)], &[0], "no other half"),
        (
            &[("a", 3, HTTP, None), ("b", 2, "", Some(0))],
            &[],
            "a SERVER span below it",
        ),
        (
            &[("a", 3, HTTP, None), ("a", 2, "", Some(0))],
            &[],
            "of the same service",
        ),
        (
            &[("a", 3, HTTP, None), ("a", 1, "", Some(0))],
            &[0],
            "an INTERNAL span of the same service",
        ),
        (
            &[("a", 3, GRPC, None), ("a", 3, HTTP, Some(0))],
            &[1],
            "an RPC and the request that carries it",
        ),
        (
            &[("a", 3, DB, None), ("a", 3, HTTP, Some(0))],
            &[0],
            "a store that is asked over HTTP",
        ),
        (
            &[
                ("a", 3, DB, None),
                ("a", 3, HTTP, Some(0)),
                ("b", 2, "", Some(1)),
            ],
            &[],
            "a store that sends spans",
        ),
        (
            &[("a", 4, SEND, None), ("a", 3, HTTP, Some(0))],
            &[0],
            "a message that is sent over HTTP",
        ),
        (
            &[("a", 5, SEND, None), ("a", 3, DB, Some(0))],
            &[0, 1],
            "a consumer that asks a store",
        ),
    ];
    for (spans, expected, reason) in table {
        let encoded: Vec<_> = spans.iter().map(|one| span(one.1, one.2)).collect();
        let views: Vec<_> = encoded
            .iter()
            .map(|encoded| SpanView::from_encoded(encoded).unwrap())
            .collect();
        let spans: Vec<_> = spans
            .iter()
            .zip(&views)
            .map(|((service, _, _, parent), span)| TraceSpan {
                service,
                span,
                parent: *parent,
            })
            .collect();
        let found = of_trace(&spans);
        let shown = (0..found.len()).filter(|index| {
            let one = found[*index].as_ref();
            !peer_json(one).is_null()
        });
        assert_eq!(shown.collect::<Vec<_>>(), expected, "{reason}");
    }
}
