//! Answers that are partial: in pages, or without all spans.

use super::*;

#[tokio::test]
async fn a_partial_trace_of_tempo_can_t_be_judged() {
    let partial = r#"{"trace":{},"status":"PARTIAL","message":"too large"}"#;
    let server = Scripted::start(Script::from([
        ("/api/echo", (200, "text/plain", b"echo".to_vec())),
        (
            "/api/v2/traces/5b8efff798038103d269b633813fc60c",
            json(partial),
        ),
    ]))
    .await;
    let backend = server.connect("tempo+").await.unwrap();
    let problem = backend.trace(id()).await.unwrap_err();
    assert!(problem.message.contains("partial: too large"), "{problem}");
    assert_eq!(problem.retry, Retry::Never);
}

#[tokio::test]
async fn spans_that_are_counted_but_not_shown_are_not_called_missing() {
    let server = Scripted::start(Script::from([
        (
            "/rpc getStats",
            json(r#"{"result":{"traces":{"spanCount":3}}}"#),
        ),
        ("/rpc searchSpans", json(DESKTOP_VIEWER)),
        ("/rpc getTraceSpanCount", json(r#"{"result":3}"#)),
    ]))
    .await;
    let backend = server.connect("odv+").await.unwrap();
    let problem = backend.trace(id()).await.unwrap_err();
    assert!(problem.message.contains("counts 3 spans"), "{problem}");
    assert!(problem.message.contains("shows 1"), "{problem}");
    assert!(problem.is_transient(), "{problem}");
}

#[tokio::test]
async fn all_pages_of_phoenix_are_read() {
    let page = |id: &str, info: &str| {
        json(&format!(
            r#"{{"data":{{"getTraceByOtelId":{{"spans":{{"edges":[{{"node":{{"spanId":"{id}"}}}}],"pageInfo":{info}}}}}}}}}"#
        ))
    };
    let server = Scripted::start(Script::from([
        ("/v1/projects", json(r#"{"data":[],"next_cursor":null}"#)),
        (
            "/graphql \"after\":null",
            page("01", r#"{"hasNextPage":true,"endCursor":"MQ=="}"#),
        ),
        (
            "/graphql \"after\":\"MQ==\"",
            page("02", r#"{"hasNextPage":false,"endCursor":"Mg=="}"#),
        ),
    ]))
    .await;
    let backend = server.connect("phoenix+").await.unwrap();
    let spans = backend.trace(id()).await.unwrap().unwrap();
    let ids: Vec<_> = spans
        .iter()
        .map(|span| span.span_id.to_bytes()[7])
        .collect();
    assert_eq!(ids, [1, 2]);
    assert!(spans.iter().all(|span| span.trace_id == id()));
}
