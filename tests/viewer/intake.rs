//! What the receiver accepts, what it refuses, and what it answers.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tracing_tail_viewer::receive::Status;

use super::{JSON, PROTOBUF, TRACE, export, get, send, span, stored, trace};
use crate::harness::{Test, tests};
use crate::support::{PATIENCE, eventually, launch_app};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        accepts_both_encodings_and_compression_and_stores_each_span_once,
        refuses_anything_but_an_export_in_the_requests_encoding,
        rejects_only_the_malformed_parts_of_an_export,
        accepts_the_rest_of_an_export_with_too_large_a_span,
        reports_refused_exports,
        concurrent_writers_and_readers_lose_nothing,
        the_services_of_the_app_send_their_spans_to_the_viewer_by_default,
        exports_to_another_path_are_refused_with_a_hint_and_not_traced,
    ]
};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn accepts_both_encodings_and_compression_and_stores_each_span_once() {
    let app = launch_app().start().await;
    let body = export("shop", &[span(TRACE, 1, 0, "buy", (0, 10))]);
    let encoded: ExportTraceServiceRequest = serde_json::from_value(body.clone()).unwrap();
    let encoded = encoded.encode_to_vec();
    for (kind, plain) in [(JSON, body.to_string().into_bytes()), (PROTOBUF, encoded)] {
        let answer = send(&app, kind, plain.clone()).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], kind);
        let bytes = answer.bytes().await.unwrap();
        match kind {
            JSON => assert_eq!(bytes, "{}"),
            _ => assert_eq!(
                ExportTraceServiceResponse::decode(bytes)
                    .unwrap()
                    .partial_success,
                None
            ),
        }
        let request = app
            .request(Method::POST, "/v1/traces")
            .header("content-encoding", "gzip");
        let answer = request
            .header("content-type", kind)
            .body(gzip(&plain))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(stored(&app).await, 1, "the same span four times");
}

async fn refuses_anything_but_an_export_in_the_requests_encoding() {
    let app = launch_app().start().await;
    let bomb = gzip(&vec![b' '; 9 * 1024 * 1024]);
    let many = [10, 0].repeat(500_000);
    let values = span(TRACE, 1, 0, "wide", (0, 1)).to_string();
    let values = values.replace(
        "\"kind\"",
        &format!(
            r#""attributes":[{{"key":"k","value":{{"arrayValue":{{"values":[{}{{}}]}}}}}}],"kind""#,
            "{},".repeat(2_600_000)
        ),
    );
    let values = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{values}]}}]}}]}}"#);
    let values = gzip(values.as_bytes());
    let deep = format!("{{\"resourceSpans\":{}", "[".repeat(100_000)).into_bytes();
    type Case<'c> = (&'c str, &'c str, Vec<u8>, u16, &'c str);
    let table: Vec<Case<'_>> = vec![
        (JSON, "", b"{".to_vec(), 400, "broken JSON"),
        (JSON, "", deep, 400, "deep JSON"),
        (JSON, "", b"[]".to_vec(), 400, "no object"),
        (JSON, "", br#"{"resourceLogs":[]}"#.to_vec(), 400, "logs"),
        (
            JSON,
            "",
            br#"{"resource_spans":[]}"#.to_vec(),
            400,
            "snake case",
        ),
        (JSON, "", br#"{"batches":[]}"#.to_vec(), 400, "Tempo's"),
        (PROTOBUF, "", b"\x12\x00".to_vec(), 400, "another field"),
        (JSON, "", b"\xff\xfe".to_vec(), 400, "no text"),
        (PROTOBUF, "", b"\x0a\x05x".to_vec(), 400, "cut off"),
        (PROTOBUF, "", b"hello".to_vec(), 400, "no protobuf"),
        (PROTOBUF, "gzip", b"hello".to_vec(), 400, "no gzip"),
        (
            PROTOBUF,
            "gzip",
            gzip(b"hello")[..15].to_vec(),
            400,
            "gzip cut off",
        ),
        (PROTOBUF, "gzip", bomb, 413, "9 MiB in a few KiB"),
        (
            PROTOBUF,
            "",
            vec![0; 8 * 1024 * 1024 + 1],
            413,
            "more than 8 MiB",
        ),
        (PROTOBUF, "", many, 413, "half a million messages in 1 MB"),
        (JSON, "gzip", values, 413, "four million values"),
        (PROTOBUF, "br", Vec::new(), 415, "another encoding"),
        ("text/plain", "", Vec::new(), 415, "another type"),
    ];
    for (kind, encoding, body, status, reason) in table {
        let request = app
            .request(Method::POST, "/v1/traces")
            .header("content-type", kind);
        let request = match encoding {
            "" => request,
            encoding => request.header("content-encoding", encoding),
        };
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), status, "{reason}");
        let expected = if kind == PROTOBUF { PROTOBUF } else { JSON };
        assert_eq!(answer.headers()["content-type"], expected, "{reason}");
        let bytes = answer.bytes().await.unwrap();
        let message = match kind {
            PROTOBUF => Status::decode(bytes).unwrap().message,
            _ => serde_json::from_slice::<Value>(&bytes).unwrap()["message"].to_string(),
        };
        assert!(message.len() > 10, "{reason}: {message}");
    }
    assert_eq!(stored(&app).await, 0);
    let answer = app.request(Method::GET, "/v1/traces").send().await.unwrap();
    assert_eq!(
        (
            answer.status().as_u16(),
            &answer.headers()["allow"] == "POST"
        ),
        (405, true)
    );
    assert!(!app.stderr().contains("trapped"), "{}", app.stderr());
}

async fn rejects_only_the_malformed_parts_of_an_export() {
    let app = launch_app().start().await;
    let bad = [
        ("traceId", json!("00000000000000000000000000000000")),
        ("spanId", json!("0102")),
        ("startTimeUnixNano", json!("18446744073709551615")),
        ("kind", json!("SPAN_KIND_SERVER")),
        (
            "attributes",
            json!([{ "key": "k", "value": { "intValue": "x" } }]),
        ),
    ];
    let mut spans = vec![span(TRACE, 1, 0, "good", (0, 1))];
    for (at, (change, value)) in (10..).zip(&bad) {
        let mut one = span(TRACE, at, 1, &format!("bad {at}"), (0, 1));
        one[change] = value.clone();
        spans.push(one);
    }
    let mut odd = span(TRACE, 2, 1, "odd", (0, 1));
    odd["links"] = json!([{ "attributes": [] }]);
    odd["startTimeUnixNano"] = json!(1.79e18);
    odd["attributes"] = json!([{ "key": "nan", "value": { "doubleValue": "NaN" } }]);
    spans.push(odd);
    let answer = send(&app, JSON, export("shop", &spans).to_string()).await;
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    let partial = &answer["partialSuccess"];
    assert_eq!(partial["rejectedSpans"], "5");
    let why = partial["errorMessage"].as_str().unwrap();
    assert!(
        why.starts_with("5 are malformed; the first: span 'bad "),
        "{why}"
    );
    assert_eq!(stored(&app).await, 2);
    let (_, otlp) = get(&app, &format!("traces/{TRACE}/otlp")).await;
    let odd = &otlp["resourceSpans"][0]["scopeSpans"][0]["spans"][1];
    assert_eq!(odd["links"], json!([{}]));
    assert_eq!(
        odd["attributes"][0]["value"],
        json!({ "doubleValue": "NaN" })
    );
    // The same in protobuf, with text that is not UTF-8.
    let good = export(
        "shop",
        &[
            span(TRACE, 3, 1, "good", (0, 1)),
            span(TRACE, 4, 1, "caf?", (0, 1)),
        ],
    );
    let good: ExportTraceServiceRequest = serde_json::from_value(good).unwrap();
    let mut encoded = good.encode_to_vec();
    let at = encoded.windows(4).position(|part| part == b"caf?").unwrap();
    encoded[at + 3] = 0xe9;
    let answer = send(&app, PROTOBUF, encoded).await;
    assert_eq!(answer.status(), 200);
    let answer = ExportTraceServiceResponse::decode(answer.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.partial_success.unwrap().rejected_spans, 1);
    assert_eq!(stored(&app).await, 3);
    // Empty exports are valid, and lines are accepted one by one.
    for (kind, body) in [(JSON, "{}"), (PROTOBUF, "")] {
        assert_eq!(send(&app, kind, body).await.status(), 200);
    }
    let line = |id: u64| export("lines", &[span(TRACE, id, 1, "line", (0, 1))]).to_string();
    let lines = format!("{}\n{}\n", line(5), line(6));
    assert_eq!(send(&app, JSON, lines).await.status(), 200);
    assert_eq!(stored(&app).await, 5);
}

async fn accepts_the_rest_of_an_export_with_too_large_a_span() {
    let app = launch_app().start().await;
    let mut large = span(TRACE, 1, 0, "large", (0, 1));
    large["attributes"] = json!([{ "key": "k", "value": { "stringValue": "x".repeat(300_000) } }]);
    let body = export("shop", &[large, span(TRACE, 2, 0, "small", (0, 1))]);
    let answer = send(&app, JSON, body.to_string()).await;
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "1");
    assert_eq!(stored(&app).await, 1);
    let (_, list) = get(&app, "traces").await;
    assert_eq!(list["traces"][0]["incomplete"], json!({ "refused": 1 }));
    let (_, trace) = get(&app, &format!("traces/{TRACE}")).await;
    assert_eq!(trace["incomplete"]["refused"], 1, "{trace}");
}

async fn reports_refused_exports() {
    let state = TempDir::new().unwrap();
    let app = launch_app().state_dir(state.path()).start().await;
    send(&app, JSON, trace(1)).await;
    let database = rusqlite::Connection::open(state.path().join("sqlite_db.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = send(&app, JSON, trace(2)).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
    database.execute_batch("COMMIT").unwrap();
    // No later request stores the count, and an idle instance ends within a second.
    let counted = || {
        let counted = "SELECT turned_away FROM tracing_tail_state";
        let counted = database.query_row(counted, [], |row| row.get::<_, i64>(0));
        (counted.unwrap() == 1).then_some(())
    };
    eventually("the instance counts what it has turned away", counted).await;
    assert_eq!(send(&app, JSON, trace(2)).await.status(), 200);
    let (_, counts) = get(&app, "counts").await;
    assert_eq!(
        (&counts["turned_away"], &counts["received"]),
        (&json!(1), &json!(2))
    );
}

async fn concurrent_writers_and_readers_lose_nothing() {
    let app = launch_app().start().await;
    let writes = (0..48_u64).map(|writer| {
        let app = &app;
        async move {
            let spans = (1..=20).map(|number| {
                span(
                    &format!("{:032x}", 1 + writer % 7),
                    writer * 100 + number,
                    0,
                    "op",
                    (0, 1),
                )
            });
            let body = export("shop", &spans.collect::<Vec<_>>()).to_string();
            let started = std::time::Instant::now();
            loop {
                let answer = send(app, JSON, body.clone()).await;
                if answer.status() == 200 {
                    return get(app, "traces").await.0;
                }
                // An overloaded viewer asks for a retry.
                assert!(
                    [429, 503].contains(&answer.status().as_u16()),
                    "{}",
                    answer.status()
                );
                assert_eq!(answer.headers()["retry-after"], "1");
                assert!(started.elapsed() < PATIENCE);
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
        }
    });
    let read = futures::future::join_all(writes).await;
    assert!(read.iter().all(|status| *status == 200), "{read:?}");
    assert_eq!(stored(&app).await, 48 * 20);
}

async fn the_services_of_the_app_send_their_spans_to_the_viewer_by_default() {
    let app = launch_app()
        .env("APP_URL_DESTINO", "http://service-b.spin.internal")
        .start()
        .await;
    let answer = app.process("[]").await;
    let id = answer.headers()["traceresponse"]
        .to_str()
        .unwrap()
        .split('-')
        .nth(1)
        .unwrap()
        .to_owned();
    let started = std::time::Instant::now();
    loop {
        let (status, trace) = get(&app, &format!("traces/{id}")).await;
        if status == 200 && trace["spans"].as_array().unwrap().len() == 3 {
            assert_eq!(trace["services"], json!(["tracing-tail", "service-b"]));
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{trace}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

async fn exports_to_another_path_are_refused_with_a_hint_and_not_traced() {
    let app = launch_app().start().await;
    for path in [
        "/v1/logs",
        "/v1/metrics",
        "/v1/traces/",
        "//v1/traces",
        "/v1/other",
    ] {
        for kind in [JSON, PROTOBUF] {
            let request = app.request(Method::POST, path);
            let answer = request
                .header("content-type", kind)
                .body("{}")
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 404, "{path}");
            assert_eq!(answer.headers()["content-type"], kind, "{path}");
            let bytes = answer.bytes().await.unwrap();
            let message = match kind {
                PROTOBUF => Status::decode(bytes).unwrap().message,
                _ => serde_json::from_slice::<Value>(&bytes).unwrap()["message"].to_string(),
            };
            assert!(message.contains("at /v1/traces"), "{path}: {message}");
        }
    }
    send(&app, JSON, trace(1)).await;
    // Their spans would have been exported before the response to this request of the same app.
    app.process("[]").await;
    let started = std::time::Instant::now();
    while stored(&app).await < 2 {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let (_, list) = get(&app, "traces").await;
    let names = list["traces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trace| trace["name"].clone());
    let names: std::collections::BTreeSet<String> = names.map(|name| name.to_string()).collect();
    assert!(!names.contains("\"POST\""), "{names:?}");
}
