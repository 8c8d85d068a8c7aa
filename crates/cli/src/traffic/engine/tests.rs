//! The engine against a server in this process.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes as Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::super::kind::Kind;
use super::super::mix::Mix;
use super::super::rate::Rate;
use super::super::target::Target;
use super::*;

/// A server that keeps what it is sent, and answers when it is let. It stops where this is dropped.
struct Server {
    url: String,
    state: Arc<Kept>,
    open: watch::Sender<bool>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Kept {
    bodies: Mutex<Vec<String>>,
    now: AtomicUsize,
    most: AtomicUsize,
    connections: AtomicUsize,
}

impl Server {
    async fn start() -> Server {
        let state = Arc::new(Kept::default());
        let (open, gate) = watch::channel(true);
        let router = Router::new()
            .fallback(answer)
            .with_state((Arc::clone(&state), gate));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kept = Arc::clone(&state);
        let listener = listener.tap_io(move |_| {
            kept.connections.fetch_add(1, Ordering::SeqCst);
        });
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Server {
            url,
            state,
            open,
            task,
        }
    }

    fn run(&self, plan: &Plan, random: u64) -> Receiver<Event> {
        let target = Target::parse(&self.url).unwrap();
        let composer = Composer::new(plan, &target, random);
        start(plan.clone(), composer, std::future::pending())
    }

    fn received(&self) -> usize {
        self.state.bodies.lock().unwrap().len()
    }

    fn most_at_once(&self) -> usize {
        self.state.most.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State((kept, mut gate)): State<(Arc<Kept>, watch::Receiver<bool>)>,
    headers: HeaderMap,
    body: Body,
) -> Body {
    let baggage = headers
        .get("baggage")
        .map_or("", |value| value.to_str().unwrap());
    let request = format!("{} {baggage}", String::from_utf8_lossy(&body));
    kept.bodies.lock().unwrap().push(request);
    let now = kept.now.fetch_add(1, Ordering::SeqCst) + 1;
    kept.most.fetch_max(now, Ordering::SeqCst);
    let _ = gate.wait_for(|open| *open).await;
    kept.now.fetch_sub(1, Ordering::SeqCst);
    body
}

fn plan(rate: &str, requests: u64) -> Plan {
    Plan {
        rate: Rate::parse(rate).unwrap(),
        requests: Some(requests),
        ..Plan::default()
    }
}

/// All events but the end, and the end.
async fn all(mut events: Receiver<Event>) -> (Vec<Event>, Ended) {
    let mut seen = Vec::new();
    while let Some(event) = events.recv().await {
        match event {
            Event::Ended(ended) => return (seen, ended),
            event => seen.push(event),
        }
    }
    panic!("a run ends with its end");
}

fn late(events: &[Event]) -> usize {
    let late = events
        .iter()
        .filter(|event| matches!(event, Event::Sent { late: true, .. }));
    late.count()
}

fn answers(events: &[Event]) -> Vec<&Exchange> {
    let exchanges = events.iter().filter_map(|event| match event {
        Event::Finished(exchange) => Some(&**exchange),
        _ => None,
    });
    exchanges.collect()
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), waiting).await.expect(what);
}

const WHOLE: Ended = Ended {
    not_sent: 0,
    unanswered: 0,
};

#[tokio::test]
async fn hands_on_each_answer_with_headers_and_body() {
    let server = Server::start().await;
    let (events, ended) = all(server.run(&plan("200/s", 5), 1)).await;
    assert_eq!(ended, WHOLE);
    let answers = answers(&events);
    let mut numbers: Vec<_> = answers.iter().map(|exchange| exchange.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2, 3, 4]);
    for exchange in answers {
        let answer = exchange.outcome.as_ref().unwrap();
        assert_eq!(answer.body(), r#"["item1","item2"]"#);
        assert!(answer.headers().contains_key("content-length"));
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_delays_no_request() {
    let server = Server::start().await;
    server.open.send_replace(false);
    let events = server.run(&plan("200/s", 20), 1);
    eventually("all arrive while none is answered", || {
        server.received() == 20
    })
    .await;
    server.open.send_replace(true);
    let (events, ended) = all(events).await;
    assert_eq!(ended, WHOLE);
    assert_eq!(answers(&events).len(), 20);
}

#[tokio::test]
async fn what_waits_for_a_connection_is_late_and_connections_are_bounded() {
    let server = Server::start().await;
    server.open.send_replace(false);
    let plan = Plan {
        connections: 3,
        ..plan("900/s", 100)
    };
    let events = server.run(&plan, 1);
    eventually("three arrive", || server.received() == 3).await;
    // All have had their turn by now.
    tokio::time::sleep(plan.rate.time_of(100) + Duration::from_millis(20)).await;
    assert_eq!(server.received(), 3);
    server.open.send_replace(true);
    let (events, ended) = all(events).await;
    assert_eq!(ended, WHOLE);
    assert_eq!(server.most_at_once(), 3);
    // Each was used again.
    assert_eq!(server.state.connections.load(Ordering::SeqCst), 3);
    assert_eq!(late(&events), 97);
    assert_eq!(answers(&events).len(), 100);
}

#[tokio::test]
async fn what_is_due_but_never_sent_or_answered_is_counted() {
    let server = Server::start().await;
    server.open.send_replace(false);
    let plan = Plan {
        connections: 2,
        duration: Some(Duration::from_millis(100)),
        ..plan("100/s", 1000)
    };
    let target = Target::parse(&server.url).unwrap();
    let composer = Composer::new(&plan, &target, 1);
    let stop = tokio::time::sleep(Duration::from_millis(200));
    let (events, ended) = all(start(plan, composer, stop)).await;
    assert_eq!(answers(&events).len(), 0);
    let expected = Ended {
        not_sent: 8,
        unanswered: 2,
    };
    assert_eq!(ended, expected);
}

#[tokio::test]
async fn a_server_that_is_not_there_does_not_end_the_run() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let plan = plan("200/s", 4);
    let composer = Composer::new(&plan, &Target::parse(&url).unwrap(), 1);
    let (events, ended) = all(start(plan, composer, std::future::pending())).await;
    assert_eq!(ended, WHOLE);
    let failures: Vec<_> = answers(&events)
        .iter()
        .map(|exchange| exchange.outcome.as_ref().err().copied())
        .collect();
    assert_eq!(failures, [Some(Failure::ConnectionRefused); 4]);
}

#[tokio::test]
async fn the_same_seed_sends_the_same_requests() {
    let plan = |seed: &str| Plan {
        seed: Some(seed.to_owned()),
        mix: Mix::new(
            ["3", "1 payload 1", "1 baggage x=1"]
                .map(|kind| Kind::parse(kind).unwrap())
                .to_vec(),
        ),
        ..plan("500/s", 30)
    };
    let sent = async |seed, random| {
        let server = Server::start().await;
        all(server.run(&plan(seed), random)).await;
        // They arrive in any order.
        let mut bodies = server.state.bodies.lock().unwrap().clone();
        bodies.sort_unstable();
        bodies
    };
    let first = sent("a", 1).await;
    assert_eq!(first.len(), 30);
    assert_eq!(first, sent("a", 2).await);
    assert_ne!(first, sent("b", 1).await);
}
