//! What the store keeps, and what it evicts.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{JSON, TRACE, export, get, send, span, trace};
use crate::harness::{Test, tests};
use crate::support::{App, PATIENCE, eventually, launch_app};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        a_trace_larger_than_the_store_evicts_no_other_trace,
        keeps_pinned_traces_and_ignores_late_spans_of_evicted_ones,
        evicts_the_oldest_traces_and_survives_a_restart,
        stays_within_its_byte_limit_and_names_a_malformed_limit,
    ]
    embedded_host: [
        says_so_where_the_host_loses_what_is_stored,
    ]
    own_instances: [
        works_where_all_instances_have_one_connection,
    ]
};

async fn change(app: &App, method: Method, path: &str) -> u16 {
    let path = format!("/traces/api/{path}");
    let answer = app.request(method, &path).send().await.unwrap();
    answer.status().as_u16()
}

async fn a_trace_larger_than_the_store_evicts_no_other_trace() {
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

async fn keeps_pinned_traces_and_ignores_late_spans_of_evicted_ones() {
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

async fn evicts_the_oldest_traces_and_survives_a_restart() {
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

async fn stays_within_its_byte_limit_and_names_a_malformed_limit() {
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

/// As Spin does from 3.0 on, for an app from a registry.
async fn says_so_where_the_host_loses_what_is_stored() {
    let app = launch_app()
        .argument("--sharing")
        .argument("own-memory")
        .start()
        .await;
    for number in 1..=3 {
        assert_eq!(send(&app, JSON, trace(number)).await.status(), 200);
    }
    let (_, counts) = get(&app, "counts").await;
    assert_eq!(
        (&counts["in_memory"], &counts["traces"]),
        (&json!(true), &json!(0))
    );
    assert_eq!(get(&app, "app").await.0, 200);
    let said = || {
        app.stderr()
            .matches("start the app with --state-dir")
            .count()
    };
    eventually("stderr has the way out", || (said() > 0).then_some(())).await;
    for _ in 0..3 {
        get(&app, "app").await;
        get(&app, "counts").await;
    }
    assert_eq!(said(), 1, "{}", app.stderr());
    let app = launch_app().start().await;
    assert_eq!(get(&app, "counts").await.1["in_memory"], false);
}

/// As in Spin before 3.0, where one instance's statements fall into the transaction of another.
async fn works_where_all_instances_have_one_connection() {
    let app = launch_app()
        .argument("--sharing")
        .argument("one")
        .start()
        .await;
    let writes = (1..=24_u64).map(|number| {
        let app = &app;
        async move {
            let started = std::time::Instant::now();
            loop {
                let status = send(app, JSON, trace(number)).await.status();
                if status == 200 {
                    let (status, list) = get(app, "traces").await;
                    assert_eq!(status, 200, "{list}");
                    return;
                }
                assert_eq!(status, 503);
                assert!(started.elapsed() < PATIENCE);
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    });
    futures::future::join_all(writes).await;
    let (_, counts) = get(&app, "counts").await;
    assert_eq!(
        (&counts["spans"], &counts["received"]),
        (&json!(24), &json!(24)),
        "{counts}"
    );
}
