//! The stream that says that something has changed.

use std::time::{Duration, Instant};

use reqwest::{Method, Response};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{JSON, ask, send, trace};
use crate::harness::{Test, tests};
use crate::support::{App, PATIENCE, eventually, launch_app};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        an_export_is_an_event_whichever_instance_takes_it,
        a_client_that_comes_back_hears_only_what_it_has_missed,
        events_need_the_token_and_the_apps_own_page,
        streams_are_few_and_hold_nobody_up,
    ]
    embedded_host: [
        streams_end_when_the_server_stops,
        whoever_goes_away_leaves_nothing_behind,
    ]
};

const PATH: &str = "/traces/api/events";

/// A stream of events, and what of it has been received.
struct Events {
    response: Response,
    text: String,
}

impl Events {
    async fn open(app: &App, headers: &[(&str, &str)]) -> Events {
        let response = ask(app, Method::GET, PATH, headers).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let text = String::new();
        Events { response, text }
    }

    /// The next block of lines, without the empty line at its end.
    async fn next_block(&mut self) -> String {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return block;
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await;
            let chunk = chunk.expect("something is sent in time").unwrap();
            let chunk = chunk.expect("the stream goes on");
            self.text += std::str::from_utf8(&chunk).unwrap();
        }
    }

    /// The next event: its id and its data.
    async fn next(&mut self) -> (String, Value) {
        let block = self.next_block().await;
        let field = |name: &str| {
            let mut lines = block.lines();
            lines.find_map(|line| line.strip_prefix(name).map(str::to_owned))
        };
        let data = field("data: ").unwrap_or_else(|| panic!("no event: {block}"));
        (field("id: ").unwrap(), serde_json::from_str(&data).unwrap())
    }

    /// Waits until the store has so many traces.
    async fn wait_for(&mut self, traces: i64) -> String {
        loop {
            let (id, data) = self.next().await;
            if data["traces"] == traces {
                return id;
            }
        }
    }
}

async fn an_export_is_an_event_whichever_instance_takes_it() {
    let app = launch_app().start().await;
    let mut streams = Vec::new();
    // Each comes by a connection of its own, so the shards of the embedded host have some each.
    for _ in 0..4 {
        let mut events = Events::open(&app, &[]).await;
        let (_, first) = events.next().await;
        assert_eq!(first["traces"], 0, "where it stands");
        streams.push(events);
    }
    for number in 1..=4 {
        assert_eq!(send(&app, JSON, trace(number)).await.status(), 200);
        for events in &mut streams {
            events.wait_for(number.cast_signed()).await;
        }
    }
    let deleted = app.request(Method::DELETE, "/traces/api/traces");
    assert_eq!(deleted.send().await.unwrap().status(), 204);
    for events in &mut streams {
        events.wait_for(0).await;
    }
}

async fn a_client_that_comes_back_hears_only_what_it_has_missed() {
    let app = launch_app().start().await;
    send(&app, JSON, trace(1)).await;
    let mut events = Events::open(&app, &[]).await;
    let id = events.wait_for(1).await;
    drop(events);
    let mut same = Events::open(&app, &[("last-event-id", &id)]).await;
    assert_eq!(same.next_block().await, "retry: 1000");
    send(&app, JSON, trace(2)).await;
    same.wait_for(2).await;
    let mut late = Events::open(&app, &[("last-event-id", &id)]).await;
    assert_eq!(late.next().await.1["traces"], 2);
    let head = ask(&app, Method::HEAD, PATH, &[]).await;
    assert_eq!(head.headers()["content-type"], "text/event-stream");
    assert_eq!(head.bytes().await.unwrap().len(), 0);
    let posted = ask(&app, Method::POST, PATH, &[]).await;
    assert_eq!(posted.status(), 405);
    assert_eq!(posted.headers()["allow"], "GET, HEAD");
}

async fn events_need_the_token_and_the_apps_own_page() {
    let app = launch_app().env("APP_VIEWER_TOKEN", "s3cret").start().await;
    let bearer = ("authorization", "Bearer s3cret");
    Events::open(&app, &[bearer, ("sec-fetch-site", "same-origin")]).await;
    for (headers, status) in [
        (vec![], 401),
        (vec![("authorization", "Bearer other")], 401),
        (vec![bearer, ("host", "evil.example")], 421),
        (vec![bearer, ("origin", "http://evil.example")], 403),
        (vec![bearer, ("sec-fetch-site", "cross-site")], 403),
    ] {
        let refused = ask(&app, Method::GET, PATH, &headers).await;
        assert_eq!(refused.status(), status, "{headers:?}");
    }
}

async fn streams_are_few_and_hold_nobody_up() {
    let app = launch_app().start().await;
    let mut streams = Vec::new();
    let mut refused = 0;
    for _ in 0..40 {
        let response = ask(&app, Method::GET, PATH, &[]).await;
        match response.status().as_u16() {
            200 => streams.push(response),
            503 => {
                assert_eq!(response.headers()["retry-after"], "1");
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert!(refused > 0 && !streams.is_empty(), "{refused} refused");
    // More than the requests that an instance serves in its life.
    for number in 1..=150 {
        assert_eq!(send(&app, JSON, trace(number)).await.status(), 200);
    }
    assert_eq!(app.process("[\"a\"]").await.status(), 200);
    for mut response in streams {
        let chunk = timeout(PATIENCE, response.chunk()).await.unwrap().unwrap();
        assert!(chunk.is_some(), "it is still open");
    }
}

async fn streams_end_when_the_server_stops() {
    let mut app = launch_app().start().await;
    let mut events = Events::open(&app, &[]).await;
    events.next().await;
    let stopped = Instant::now();
    app.signal("INT");
    loop {
        let chunk = timeout(PATIENCE, events.response.chunk()).await;
        if chunk
            .expect("it ends in time")
            .expect("by the rules of HTTP")
            .is_none()
        {
            break;
        }
    }
    assert!(app.wait_for_exit().await.success());
    let took = stopped.elapsed();
    assert!(
        took < Duration::from_secs(3),
        "{took:?}: not after the grace"
    );
    let said = app.stderr();
    assert!(!said.contains("still"), "{said}");
}

async fn whoever_goes_away_leaves_nothing_behind() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let app = launch_app().start().await;
    let head = format!("GET {PATH} HTTP/1.1\r\nhost: {}\r\n\r\n", app.authority());
    // Several times as many as there may be at a time: each leaves its place. Some never read.
    for number in 0..60 {
        let answered = eventually_opened(&app, &head, number % 2 == 0);
        timeout(PATIENCE, answered).await.expect("there is room");
    }
    // Who reads nothing is sent nothing, and the others go on.
    let mut lazy = TcpStream::connect(app.authority()).await.unwrap();
    lazy.write_all(head.as_bytes()).await.unwrap();
    timeout(PATIENCE, eventually_opened(&app, &head, true))
        .await
        .expect("room");
    let mut events = loop {
        let response = ask(&app, Method::GET, PATH, &[]).await;
        if response.status() == 200 {
            let text = String::new();
            break Events { response, text };
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    for number in 1..=20 {
        send(&app, JSON, trace(number)).await;
        events.wait_for(number.cast_signed()).await;
    }
    let mut all = vec![0; 64 * 1024];
    let read = timeout(PATIENCE, lazy.read(&mut all))
        .await
        .unwrap()
        .unwrap();
    assert!(read > 0, "it was not cut");
    drop((lazy, events));
    let instances = || (!app.stderr().contains("trapped")).then_some(());
    eventually("nothing has trapped", instances).await;

    async fn eventually_opened(app: &App, head: &str, reads: bool) {
        loop {
            let mut client = TcpStream::connect(app.authority()).await.unwrap();
            client.write_all(head.as_bytes()).await.unwrap();
            if !reads {
                return;
            }
            let mut answer = vec![0; 4096];
            let read = client.read(&mut answer).await.unwrap();
            let answer = String::from_utf8_lossy(&answer[..read]);
            if answer.starts_with("HTTP/1.1 200 ") {
                return;
            }
            assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
