//! Lists, filters, trees and graphs.

use serde_json::{Value, json};

use super::{JSON, TRACE, export, get, send, span, stored, trace};
use crate::harness::{Test, tests};
use crate::support::launch_app;

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        nests_a_server_span_with_its_clients_id_and_marks_odd_times,
        answers_quickly_for_a_trace_with_as_many_resources_as_spans,
        finds_attributes_among_many,
        filters_pages_and_follows_changes,
        builds_tree_graph_and_export_whatever_the_order_of_arrival,
        finds_everything_that_it_shows,
    ]
    own_instances: [
        has_no_stream_of_events_where_an_instance_serves_one_request,
    ]
};

async fn nests_a_server_span_with_its_clients_id_and_marks_odd_times() {
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

async fn answers_quickly_for_a_trace_with_as_many_resources_as_spans() {
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

async fn finds_attributes_among_many() {
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

async fn builds_tree_graph_and_export_whatever_the_order_of_arrival() {
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

async fn finds_everything_that_it_shows() {
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

async fn has_no_stream_of_events_where_an_instance_serves_one_request() {
    let app = launch_app().start().await;
    let answer = app.request(reqwest::Method::GET, "/traces/api/events");
    assert_eq!(answer.send().await.unwrap().status(), 204);
}
