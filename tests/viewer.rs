//! The viewer's receiver and API: what it takes, what it refuses, and what it then answers.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message as _;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tracing_tail_viewer::receive::Status;

use crate::harness::{Test, tests};
use crate::support::{App, PATIENCE, eventually, launch_app, spin};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        takes_both_encodings_plain_and_compressed_and_each_span_once,
        refuses_what_is_no_export_and_says_so_in_the_requests_encoding,
        what_is_malformed_costs_no_more_than_itself,
        a_server_with_its_clients_id_is_shown_below_it_and_odd_times_are_marked,
        a_trace_that_is_larger_than_the_store_takes_nothing_with_it,
        a_trace_of_as_many_resources_as_spans_is_answered_for_at_once,
        takes_the_rest_of_an_export_with_a_span_that_is_too_large,
        what_is_pinned_stays_and_what_comes_late_opens_no_stump,
        what_is_turned_away_is_said,
        attributes_are_found_however_many_there_are,
        lets_the_oldest_traces_go_and_survives_a_restart,
        keeps_within_its_bytes_and_names_a_malformed_bound,
        filters_pages_and_follows_changes,
        draws_a_tree_a_graph_and_the_export_of_what_came_in_any_order,
        many_write_and_read_at_the_same_time_and_nothing_is_lost,
        the_services_of_the_app_send_their_spans_to_the_viewer_by_default,
        the_page_is_all_there_and_may_load_nothing_else,
        neither_a_name_that_leads_here_nor_another_site_reads_or_deletes_traces,
        the_token_is_wanted_by_all_and_brought_by_the_apps_own_services,
        browsers_may_send_from_this_machine_and_from_where_it_is_allowed,
        what_is_sent_to_another_path_is_told_where_traces_are_taken_and_becomes_none,
        what_is_shown_is_found,
    ]
};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";
const TRACE: &str = "0102030405060708090a0b0c0d0e0f10";

/// An export of spans as JSON, of one service.
pub fn export(service: &str, spans: &[Value]) -> Value {
    json!({ "resourceSpans": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": service } }] },
        "scopeSpans": [{ "scope": { "name": "test" }, "spans": spans }],
    }] })
}

/// A span: its number, its parent's or 0, its name, and when it starts and ends in milliseconds.
pub fn span(trace: &str, id: u64, parent: u64, name: &str, (start, end): (u64, u64)) -> Value {
    const DAY: u64 = 1_790_000_000_000;
    let parent = if parent == 0 {
        String::new()
    } else {
        format!("{parent:016x}")
    };
    json!({
        "traceId": trace,
        "spanId": format!("{id:016x}"),
        "parentSpanId": parent,
        "name": name,
        "kind": 2,
        "startTimeUnixNano": ((DAY + start) * 1_000_000).to_string(),
        "endTimeUnixNano": ((DAY + end) * 1_000_000).to_string(),
    })
}

/// Sends an export.
pub async fn send(app: &App, kind: &str, body: impl Into<reqwest::Body>) -> Response {
    let request = app.request(Method::POST, "/v1/traces");
    request
        .header("content-type", kind)
        .body(body)
        .send()
        .await
        .unwrap()
}

async fn get(app: &App, path: &str) -> (u16, Value) {
    let path = format!("/traces/api/{path}");
    let answer = app.request(Method::GET, &path).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

async fn stored(app: &App) -> i64 {
    get(app, "counts").await.1["spans"].as_i64().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn takes_both_encodings_plain_and_compressed_and_each_span_once() {
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

async fn refuses_what_is_no_export_and_says_so_in_the_requests_encoding() {
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

async fn what_is_malformed_costs_no_more_than_itself() {
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
    // The same by protobuf, with text that is not UTF-8.
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
    // What holds nothing is no mistake, and lines are taken one by one.
    for (kind, body) in [(JSON, "{}"), (PROTOBUF, "")] {
        assert_eq!(send(&app, kind, body).await.status(), 200);
    }
    let line = |id: u64| export("lines", &[span(TRACE, id, 1, "line", (0, 1))]).to_string();
    let lines = format!("{}\n{}\n", line(5), line(6));
    assert_eq!(send(&app, JSON, lines).await.status(), 200);
    assert_eq!(stored(&app).await, 5);
}

async fn a_server_with_its_clients_id_is_shown_below_it_and_odd_times_are_marked() {
    let app = launch_app().start().await;
    let mut call = span(TRACE, 2, 1, "call", (1, 9));
    call["kind"] = json!(3);
    let mut early = span(TRACE, 4, 1, "early", (2, 1));
    early["kind"] = json!(1);
    let mut timeless = span(TRACE, 5, 1, "timeless", (0, 9));
    timeless["startTimeUnixNano"] = json!("0");
    let front = [span(TRACE, 1, 0, "front", (0, 10)), call, early, timeless];
    send(&app, JSON, export("front", &front).to_string()).await;
    let back = [
        span(TRACE, 2, 1, "back", (3, 8)),
        span(TRACE, 3, 2, "below", (4, 5)),
    ];
    send(&app, JSON, export("back", &back).to_string()).await;
    send(&app, JSON, export("back", &back).to_string()).await;
    let (_, counts) = get(&app, "counts").await;
    assert_eq!(
        (&counts["spans"], &counts["duplicates"]),
        (&json!(6), &json!(2))
    );
    let (_, trace) = get(&app, &format!("traces/{TRACE}")).await;
    let rows = trace["spans"].as_array().unwrap();
    let drawn = rows.iter().map(|row| {
        let depth = row["depth"].as_u64().unwrap() as usize;
        let time = row["time"].as_str().unwrap_or("");
        format!(
            "{}{} {} {time}",
            ".".repeat(depth),
            row["name"].as_str().unwrap(),
            row["duration_ns"]
        )
    });
    let drawn: Vec<_> = drawn.collect();
    assert_eq!(
        drawn,
        [
            "front 10000000 ",
            ".timeless 0 no_start",
            ".call 8000000 ",
            "..back 5000000 ",
            "...below 1000000 ",
            ".early 0 end_before_start",
        ]
    );
    assert_eq!(trace["duration_ns"], 10_000_000);
    for row in rows {
        let id = row["id"].as_str().unwrap();
        let (_, one) = get(&app, &format!("traces/{TRACE}/spans/{id}")).await;
        assert_eq!((&one["name"], &one["time"]), (&row["name"], &row["time"]));
        assert_eq!(one["duration_ns"], row["duration_ns"]);
    }
    let (_, graph) = get(&app, "graph").await;
    let edges = graph["edges"].as_array().unwrap();
    let edge = edges.iter().find(|edge| edge["callee"] == "back").unwrap();
    assert_eq!(
        (&edge["caller"], &edge["count"]),
        (&json!("front"), &json!(1))
    );
    assert!(graph["seconds"].as_f64().unwrap() < 2.0);
}

async fn a_trace_that_is_larger_than_the_store_takes_nothing_with_it() {
    let app = launch_app().env("APP_VIEWER_BYTES", "200000").start().await;
    let fat = |id: u64| {
        let mut fat = span(TRACE, id, 0, "fat", (0, 1));
        fat["attributes"] = json!([{ "key": "k", "value": { "stringValue": "x".repeat(1_000) } }]);
        fat
    };
    for number in 1..=5 {
        send(&app, JSON, trace(number)).await;
    }
    let fats: Vec<_> = (1..=300).map(fat).collect();
    let answer = send(&app, JSON, export("shop", &fats).to_string()).await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["partialSuccess"]["rejectedSpans"], "300", "{answer}");
    let why = answer["partialSuccess"]["errorMessage"].as_str().unwrap();
    assert!(why.contains("more than 200000 bytes"), "{why}");
    let (_, counts) = get(&app, "counts").await;
    assert_eq!(
        (&counts["traces"], &counts["spans"]),
        (&json!(5), &json!(5))
    );
}

async fn a_trace_of_as_many_resources_as_spans_is_answered_for_at_once() {
    let app = launch_app().start().await;
    let attribute =
        |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    for part in 0..5 {
        let resources = (1..=2_000_u64).map(|number| {
            let number = 2_000 * part + number;
            let name = format!("service {number}");
            let mut attributes = vec![attribute("service.name", &name)];
            attributes.extend((0..30).map(|key| attribute(&format!("key {key}"), "same")));
            let one = span(TRACE, number, u64::from(number > 1), "op", (0, 9));
            json!({ "resource": { "attributes": attributes }, "scopeSpans": [{ "spans": [one] }] })
        });
        let body = json!({ "resourceSpans": resources.collect::<Vec<_>>() });
        assert_eq!(send(&app, JSON, body.to_string()).await.status(), 200);
    }
    assert_eq!(stored(&app).await, 10_000);
    let one = format!("traces/{TRACE}");
    let export = format!("{one}/otlp");
    for path in [
        &one,
        &export,
        "graph",
        "services",
        "traces",
        "traces?text=service+9999",
    ] {
        let began = std::time::Instant::now();
        let (status, _) = get(&app, path).await;
        assert_eq!(status, 200, "{path}");
        // It was 40 s and more; this machine may be busy.
        let took = began.elapsed();
        assert!(
            took < std::time::Duration::from_secs(10),
            "{path}: {took:?}"
        );
    }
}

async fn takes_the_rest_of_an_export_with_a_span_that_is_too_large() {
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

/// A trace of one span.
fn trace(number: u64) -> String {
    let id = format!("{number:032x}");
    export("shop", &[span(&id, number, 0, "buy", (0, 9))]).to_string()
}

async fn change(app: &App, method: Method, path: &str) -> u16 {
    let path = format!("/traces/api/{path}");
    let answer = app.request(method, &path).send().await.unwrap();
    answer.status().as_u16()
}

async fn what_is_pinned_stays_and_what_comes_late_opens_no_stump() {
    let app = launch_app().env("APP_VIEWER_TRACES", "8").start().await;
    for number in 1..=6 {
        send(&app, JSON, trace(number)).await;
    }
    let pin = |number: u64| format!("traces/{number:032x}/pin");
    assert_eq!(change(&app, Method::PUT, &pin(99)).await, 404);
    assert_eq!(change(&app, Method::PUT, &pin(2)).await, 204);
    assert_eq!(change(&app, Method::PUT, &pin(2)).await, 204, "once more");
    assert_eq!(change(&app, Method::PUT, &pin(3)).await, 204);
    let beyond = change(&app, Method::PUT, &pin(4)).await;
    assert_eq!(beyond, 409, "a quarter of the bound is pinned");
    for number in 7..=60 {
        send(&app, JSON, trace(number)).await;
    }
    let (_, counts) = get(&app, "counts").await;
    assert_eq!(
        (&counts["received"], &counts["late"]),
        (&json!(60), &json!(0))
    );
    assert_eq!(counts["traces"], 8);
    let (status, pinned) = get(&app, &format!("traces/{:032x}", 2)).await;
    assert_eq!((status, &pinned["pinned"]), (200, &json!(true)));
    let gone = format!("traces/{:032x}", 20);
    assert_eq!(get(&app, &gone).await.0, 404);
    let late = export(
        "shop",
        &[span(&format!("{:032x}", 20), 77, 20, "late", (1, 2))],
    );
    assert_eq!(send(&app, JSON, late.to_string()).await.status(), 200);
    assert_eq!(get(&app, &gone).await.0, 404, "no stump");
    let (_, counts) = get(&app, "counts").await;
    assert_eq!(
        (&counts["received"], &counts["late"]),
        (&json!(60), &json!(1))
    );
    let (_, list) = get(&app, "traces?limit=8").await;
    let listed: Vec<_> = list["traces"].as_array().unwrap().iter().collect();
    let pinned = listed.iter().filter(|one| one["pinned"] == true);
    assert_eq!(pinned.count(), 2, "{list}");
    let ids = listed
        .iter()
        .filter(|one| one["id"].as_i64() < list["oldest"].as_i64());
    let kept = list["kept"].as_array().unwrap();
    for old in ids {
        assert!(kept.contains(&old["id"]), "{list}");
    }
    assert_eq!(change(&app, Method::DELETE, &pin(2)).await, 204);
    assert_eq!(
        change(&app, Method::PUT, &pin(60)).await,
        204,
        "there is room again"
    );
}

async fn what_is_turned_away_is_said() {
    let state = TempDir::new().unwrap();
    let app = launch_app().state_dir(state.path()).start().await;
    send(&app, JSON, trace(1)).await;
    let database = rusqlite::Connection::open(state.path().join("sqlite_db.db")).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = send(&app, JSON, trace(2)).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "1");
    database.execute_batch("COMMIT").unwrap();
    // No other request comes to count it, and an instance without work is gone within a second.
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

async fn attributes_are_found_however_many_there_are() {
    let app = launch_app().start().await;
    let attribute =
        |key: String, value: String| json!({ "key": key, "value": { "stringValue": value } });
    let mut spans = Vec::new();
    // More distinct ones than a summary holds.
    for number in 1..=30_u64 {
        let mut one = span(TRACE, number, 0, "buy", (0, 9));
        let of_span = (0..40).map(|key| attribute(format!("key.{key}"), format!("value {number}")));
        one["attributes"] = of_span.collect();
        spans.push(one);
    }
    send(&app, JSON, export("many", &spans).to_string()).await;
    send(&app, JSON, trace(1)).await;
    for (query, found) in [
        ("attribute=key.7%3Dvalue+29", 1),
        ("attribute=key.7%3Dvalue+29&attribute=key.39%3Dvalue+1", 1),
        ("attribute=key.7%3Dvalue+31", 0),
        ("attribute=service.name%3Dmany", 1),
        ("attribute=service.name%3Dshop", 1),
        ("attribute=service.name%3Dsho", 0),
    ] {
        let (_, list) = get(&app, &format!("traces?{query}")).await;
        assert_eq!(list["traces"].as_array().unwrap().len(), found, "{query}");
    }
}

async fn lets_the_oldest_traces_go_and_survives_a_restart() {
    let state = TempDir::new().unwrap();
    let launch = || {
        launch_app()
            .state_dir(state.path())
            .env("APP_VIEWER_TRACES", "3")
    };
    let app = launch().start().await;
    for number in 1..=5_u64 {
        let body = export(
            "shop",
            &[span(
                &format!("{number:032x}"),
                number,
                0,
                "buy",
                (number, 9),
            )],
        );
        assert_eq!(send(&app, JSON, body.to_string()).await.status(), 200);
    }
    let listed = |list: &Value| -> Vec<String> {
        let traces = list["traces"].as_array().unwrap().iter();
        traces
            .map(|trace| {
                trace["trace_id"]
                    .as_str()
                    .unwrap()
                    .trim_start_matches('0')
                    .to_owned()
            })
            .collect()
    };
    assert_eq!(listed(&get(&app, "traces").await.1), ["5", "4", "3"]);
    drop(app);
    let app = launch().start().await;
    let (_, list) = get(&app, "traces").await;
    assert_eq!(listed(&list), ["5", "4", "3"]);
    let deleted = app
        .request(Method::DELETE, "/traces/api/traces")
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    let (_, empty) = get(&app, "traces").await;
    assert_eq!(empty["traces"], json!([]));
    assert!(
        empty["oldest"].as_i64() > list["traces"][0]["id"].as_i64(),
        "what was listed is gone"
    );
}

async fn keeps_within_its_bytes_and_names_a_malformed_bound() {
    let app = launch_app().env("APP_VIEWER_BYTES", "4000").start().await;
    for number in 1..=20_u64 {
        let body = export(
            "shop",
            &[span(&format!("{number:032x}"), number, 0, "buy", (0, 9))],
        );
        send(&app, JSON, body.to_string()).await;
    }
    let (_, counts) = get(&app, "counts").await;
    assert!(
        (1..=4_000).contains(&counts["bytes"].as_i64().unwrap()),
        "{counts}"
    );
    let app = launch_app().env("APP_VIEWER_TRACES", "many").start().await;
    let (status, problem) = get(&app, "counts").await;
    assert_eq!(status, 500);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .starts_with("APP_VIEWER_TRACES: 'many' is not")
    );
}

async fn filters_pages_and_follows_changes() {
    let app = launch_app().start().await;
    for number in 1..=6_u64 {
        let mut one = span(
            &format!("{number:032x}"),
            number,
            0,
            &format!("op {number}"),
            (0, 10 * number),
        );
        one["attributes"] =
            json!([{ "key": "user", "value": { "intValue": (number % 2).to_string() } }]);
        if number == 4 {
            one["status"] = json!({ "code": 2 });
        }
        let service = if number > 3 { "late" } else { "early" };
        send(&app, JSON, export(service, &[one]).to_string()).await;
    }
    let names = |list: &Value| -> String {
        let traces = list["traces"].as_array().unwrap().iter();
        traces
            .map(|trace| trace["name"].as_str().unwrap().replace("op ", ""))
            .collect()
    };
    for (query, expected) in [
        ("", "654321"),
        ("service=late", "654"),
        ("attribute=user%3D1", "531"),
        ("attribute=user%3D1&attribute=service.name%3Dlate", "5"),
        ("errors=true", "4"),
        ("min_duration=50", "65"),
        ("text=OP%205", "5"),
        ("text=00000000000000000000000000000002", "2"),
        ("text=%25", ""),
        ("service=nobody", ""),
        ("from=1790000000000&to=1790000000001", "654321"),
        ("from=1790000000001", ""),
        ("limit=2", "65"),
    ] {
        let (status, list) = get(&app, &format!("traces?{query}")).await;
        assert_eq!((status, names(&list).as_str()), (200, expected), "{query}");
    }
    let (_, first) = get(&app, "traces?limit=4").await;
    assert_eq!(first["more"], true);
    let (_, second) = get(&app, &format!("traces?limit=4&before={}", first["before"])).await;
    assert_eq!(
        (names(&second).as_str(), &second["more"]),
        ("21", &json!(false))
    );
    let changed = &first["changed"];
    let late = span(&format!("{:032x}", 2), 20, 2, "late", (0, 99));
    send(&app, JSON, export("early", &[late]).to_string()).await;
    let (_, news) = get(&app, &format!("traces?changed_after={changed}")).await;
    assert_eq!(
        (names(&news).as_str(), &news["traces"][0]["spans"]),
        ("2", &json!(2))
    );
    let (status, problem) = get(&app, "traces?limit=x").await;
    assert_eq!((status, &problem["status"]), (400, &json!(400)));
    assert_eq!(get(&app, "nothing").await.0, 404);
    assert_eq!(get(&app, &format!("traces/{TRACE}")).await.0, 404);
    assert_eq!(get(&app, "traces/abc").await.0, 400);
}

async fn draws_a_tree_a_graph_and_the_export_of_what_came_in_any_order() {
    let app = launch_app().start().await;
    let child = span(TRACE, 2, 1, "child", (5, 8));
    send(&app, JSON, export("back", &[child]).to_string()).await;
    let path = format!("traces/{TRACE}");
    let (_, early) = get(&app, &path).await;
    assert_eq!(
        early["spans"][0]["orphan"], true,
        "its parent is still on the way"
    );
    let mut root = span(TRACE, 1, 0, "root", (6, 20));
    root["events"] = json!([{ "timeUnixNano": "1790000000007000000", "name": "seen" }]);
    let others = [
        root,
        span(TRACE, 3, 4, "round", (9, 9)),
        span(TRACE, 4, 3, "and round", (9, 9)),
    ];
    send(&app, JSON, export("front", &others).to_string()).await;
    let (_, trace) = get(&app, &path).await;
    let rows = trace["spans"].as_array().unwrap().iter();
    let row = |row: &Value| {
        format!(
            "{}{}",
            ".".repeat(row["depth"].as_u64().unwrap() as usize),
            row["name"].as_str().unwrap()
        )
    };
    let drawn: Vec<_> = rows.map(row).collect();
    assert_eq!(drawn, ["root", ".child", "round", ".and round"]);
    assert_eq!(trace["spans"][1]["skew_ns"], 1_000_000);
    assert_eq!(trace["spans"][2]["cycle"], true);
    assert_eq!(trace["spans"][0]["events"], json!([[2_000_000, "seen"]]));
    let (_, graph) = get(&app, "graph").await;
    let edge = &graph["edges"][0];
    assert_eq!(
        (&edge["caller"], &edge["callee"], &edge["p95_ns"]),
        (&json!("front"), &json!("back"), &json!(3_000_000))
    );
    let (_, services) = get(&app, "services").await;
    assert_eq!(
        services["services"][0],
        json!({ "name": "back", "spans": 1, "errors": 0 })
    );
    let (_, detail) = get(&app, &format!("{path}/spans/0000000000000001")).await;
    assert_eq!(
        (&detail["name"], &detail["events"][0]["offset_ns"]),
        (&json!("root"), &json!(1_000_000))
    );
    let (_, otlp) = get(&app, &format!("{path}/otlp")).await;
    let again = launch_app().start().await;
    assert_eq!(send(&again, JSON, otlp.to_string()).await.status(), 200);
    assert_eq!(
        get(&again, &path).await.1,
        trace,
        "an export is taken as it was given"
    );
}

async fn many_write_and_read_at_the_same_time_and_nothing_is_lost() {
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
                // What can't be kept up with is asked for again, a little later.
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

async fn the_page_is_all_there_and_may_load_nothing_else() {
    let app = launch_app().start().await;
    let page = app.request(Method::GET, "/traces/").send().await.unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let text = page.text().await.unwrap();
    assert!(
        !text.contains("http:") && !text.contains("https:"),
        "an address elsewhere"
    );
    let files = text
        .split('"')
        .filter(|word| word.starts_with("/traces/page/"));
    for file in files {
        assert_eq!(
            app.request(Method::GET, file)
                .send()
                .await
                .unwrap()
                .status(),
            200,
            "{file}"
        );
    }
    assert!(
        app.request(Method::GET, "/traces")
            .send()
            .await
            .unwrap()
            .url()
            .path()
            .ends_with("/traces/")
    );
    assert_eq!(
        app.request(Method::GET, "/traces/page/none.js")
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
}

/// How the app answers a request to the viewer.
async fn ask(app: &App, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let client = reqwest::Client::builder();
    let client = client.redirect(reqwest::redirect::Policy::none());
    let mut request = client.build().unwrap().request(method, app.url(path));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

async fn neither_a_name_that_leads_here_nor_another_site_reads_or_deletes_traces() {
    let app = launch_app()
        .env("APP_VIEWER_HOSTS", "viewer.example")
        .start()
        .await;
    send(&app, JSON, trace(1)).await;
    let evil = ("host", "evil.example");
    for (path, method) in [
        ("/traces/api/traces", Method::DELETE),
        ("/traces/api/traces", Method::GET),
        ("/traces/", Method::GET),
    ] {
        // A client may send the header that tells where it is; the host's word wins.
        for forged in [None, Some(("spin-client-addr", "10.1.2.3:4"))] {
            let headers: Vec<_> = [evil].into_iter().chain(forged).collect();
            let answer = ask(&app, method.clone(), path, &headers).await;
            assert_eq!(answer.status(), 421, "{method} {path}");
            let problem: Value = answer.json().await.unwrap();
            let detail = problem["detail"].as_str().unwrap();
            assert!(
                detail.contains("'evil.example'") && detail.contains("APP_VIEWER_HOSTS"),
                "{detail}"
            );
        }
        if method == Method::GET {
            let named = ask(&app, method, path, &[("host", "viewer.example:80")]).await;
            assert_eq!(named.status(), 200, "{path}");
        }
    }
    for headers in [
        [("origin", "http://evil.example")],
        [("origin", "null")],
        [("sec-fetch-site", "cross-site")],
    ] {
        let answer = ask(&app, Method::DELETE, "/traces/api/traces", &headers).await;
        assert_eq!(answer.status(), 403, "{headers:?}");
    }
    assert_eq!(stored(&app).await, 1, "nothing was deleted");
    let container = [
        ("host", "host.docker.internal:3000"),
        ("content-type", JSON),
    ];
    let sent = ask(&app, Method::POST, "/v1/traces", &container).await;
    assert_ne!(sent.status(), 421, "exports come by any name");
}

async fn the_token_is_wanted_by_all_and_brought_by_the_apps_own_services() {
    const TOKEN: &str = "s3cret-T0ken/+=";
    let app = launch_app()
        .env("APP_VIEWER_TOKEN", TOKEN)
        .env("APP_URL_DESTINO", "http://service-b.spin.internal")
        .start()
        .await;
    let answer = app.process("[]").await;
    let traceresponse = answer.headers()["traceresponse"].to_str().unwrap();
    let path = format!("/traces/api/traces/{}", &traceresponse[3..35]);
    let bearer = format!("Bearer {TOKEN}");
    let started = std::time::Instant::now();
    loop {
        let answer = ask(&app, Method::GET, &path, &[("authorization", &bearer)]).await;
        if answer.status() == 200 {
            break;
        }
        assert_eq!(answer.status(), 404, "the token opens");
        assert!(started.elapsed() < PATIENCE, "its own spans did not arrive");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for (method, path) in [
        (Method::GET, path.as_str()),
        (Method::GET, "/traces/"),
        (Method::DELETE, "/traces/api/traces"),
        (Method::POST, "/v1/traces"),
    ] {
        let answer = ask(&app, method, path, &[("content-type", JSON)]).await;
        assert_eq!(answer.status(), 401, "{path}");
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        assert!(
            answer.text().await.unwrap().contains("APP_VIEWER_TOKEN"),
            "{path}"
        );
    }
    let link = format!("/traces/?token={}", TOKEN.replace('+', "%2B"));
    let led = ask(&app, Method::GET, &link, &[]).await;
    assert_eq!(
        (
            led.status().as_u16(),
            &led.headers()["location"] == "/traces/"
        ),
        (303, true)
    );
    let cookie = led.headers()["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    let opened = ask(&app, Method::GET, "/traces/", &[("cookie", pair)]).await;
    assert_eq!(opened.status(), 200);
    assert!(!app.stdout().contains(TOKEN) && !app.stderr().contains(TOKEN));
    let banner = app.stdout();
    assert!(
        spin().is_some() || banner.contains("/traces/?token=<APP_VIEWER_TOKEN>"),
        "{banner}"
    );
    let app = launch_app()
        .env("APP_VIEWER_TOKEN", "two words")
        .start()
        .await;
    let answer = ask(&app, Method::GET, "/traces/", &[]).await;
    assert_eq!(answer.status(), 500);
    let said = answer.text().await.unwrap();
    assert!(
        said.contains("APP_VIEWER_TOKEN: ") && !said.contains("two words"),
        "{said}"
    );
}

async fn browsers_may_send_from_this_machine_and_from_where_it_is_allowed() {
    let app = launch_app()
        .env("APP_VIEWER_CORS", "loopback, https://shop.example")
        .start()
        .await;
    for (origin, may) in [
        ("http://localhost:5173", true),
        ("https://shop.example", true),
        ("https://evil.example", false),
    ] {
        let preflight = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,traceparent"),
        ];
        let told = ask(&app, Method::OPTIONS, "/v1/traces", &preflight).await;
        assert_eq!(told.status(), 204);
        let allowed = told.headers().get("access-control-allow-origin");
        assert_eq!(
            allowed.map(|allowed| allowed == origin),
            may.then_some(true),
            "{origin}"
        );
        let request = app.request(Method::POST, "/v1/traces");
        let request = request
            .header("content-type", JSON)
            .header("origin", origin);
        let sent = request.body(trace(1)).send().await.unwrap();
        assert_eq!(sent.status(), if may { 200 } else { 403 }, "{origin}");
        let readable = sent.headers().contains_key("access-control-allow-origin");
        assert_eq!(readable, may, "{origin}");
    }
}

async fn what_is_sent_to_another_path_is_told_where_traces_are_taken_and_becomes_none() {
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
    // What these had made would have been exported before the answer to this, which is the same app's.
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

async fn what_is_shown_is_found() {
    let app = launch_app().start().await;
    let string = |key: &str, value: &str| json!({ "key": key, "value": { "stringValue": value } });
    let long = "x".repeat(300);
    let mut one = span(TRACE, 1, 0, &format!("{}end", "n".repeat(250)), (0, 9));
    let mut attributes: Vec<Value> = (0..128)
        .map(|number| string(&format!("a{number:03}"), &number.to_string()))
        .collect();
    attributes.extend([
        string("list", "a, b=c, d"),
        string("a=b", "c"),
        string(" spaced ", " out "),
        string("", "no key"),
        string("long", &long),
        json!({ "key": "double", "value": { "doubleValue": 1.0 } }),
        json!({ "key": "int", "value": { "intValue": "9223372036854775807" } }),
        json!({ "key": "bytes", "value": { "bytesValue": "AP/+" } }),
        json!({ "key": "array", "value": { "arrayValue": { "values": [{ "intValue": "1" }, { "stringValue": "b" }] } } }),
    ]);
    one["attributes"] = json!(attributes);
    let mut callee = span(TRACE, 2, 1, "called", (1, 2));
    callee["attributes"] = json!([string("a000", "other")]);
    let mut body = export("caller>one", &[one]);
    let of_resource = &mut body["resourceSpans"][0]["resource"]["attributes"];
    for number in 0..70 {
        let attribute = string(&format!("r{number}"), "of the resource");
        of_resource.as_array_mut().unwrap().push(attribute);
    }
    assert_eq!(send(&app, JSON, body.to_string()).await.status(), 200);
    let second = export("callee>two", &[callee]);
    assert_eq!(send(&app, JSON, second.to_string()).await.status(), 200);
    let (_, shown) = get(&app, &format!("traces/{TRACE}/spans/0000000000000001")).await;
    let read = |pair: &Value| -> (String, String) {
        let value = pair["text"].as_str().or(pair["value"].as_str()).unwrap();
        (pair["key"].as_str().unwrap().to_owned(), value.to_owned())
    };
    let all = ["attributes", "resource"].map(|table| shown[table].as_array().unwrap().clone());
    let mut filters: Vec<String> = all
        .concat()
        .iter()
        .map(read)
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    assert_eq!(filters.len(), 128 + 9 + 71, "{shown}");
    filters
        .extend(["double=1", "int = 9223372036854775807 ", "array=[1,\"b\"]"].map(str::to_owned));
    let found = async |name: &str, value: &str| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.append_pair(name, value).finish();
        let (status, list) = get(&app, &format!("traces?{query}")).await;
        assert_eq!(status, 200, "{name}: {value}");
        list["traces"].as_array().unwrap().len()
    };
    for filter in &filters {
        assert_eq!(found("attribute", filter).await, 1, "{filter}");
    }
    for filter in [
        "a064=65",
        "a=c",
        "long=xx",
        "list=a",
        "int=9223372036854775806",
    ] {
        assert_eq!(found("attribute", filter).await, 0, "{filter}");
    }
    let beginning = format!("long={}", &long[..200]);
    assert_eq!(
        found("attribute", &beginning).await,
        0,
        "the value is longer"
    );
    assert_eq!(found("calls", "caller>one>callee>two").await, 1);
    assert_eq!(found("calls", "callee>two>caller>one").await, 0);
    assert_eq!(found("service", "caller>one").await, 1);
    assert_eq!(
        found("text", "NEND").await,
        1,
        "behind what a list shows of a name"
    );
    assert_eq!(found("text", "nothing").await, 0);
    assert_eq!(found("trace_id", TRACE).await, 1);
}
