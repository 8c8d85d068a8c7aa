//! Responses whose head arrives and whose body does not: the CLIENT span records both.

use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::harness::{Test, tests};
use crate::support::{App, Collector, SpanRecord, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        records_the_status_of_a_response_whose_body_fails,
        reports_a_stalled_body_as_a_timeout_and_keeps_its_status,
    ]
};

/// What happens to the connection once the response is written.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Close,
    Stall,
}

/// A server that sends every client the same bytes. It stops when this is dropped.
struct Raw {
    url: String,
    server: JoinHandle<()>,
}

impl Raw {
    async fn start(answer: String, then: Then) -> Raw {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let answer = answer.clone();
                tokio::spawn(async move {
                    let mut request = vec![0; 64 * 1024];
                    // The request is so small that it arrives in one read. Clients may disconnect.
                    let _ = stream.read(&mut request).await;
                    let _ = stream.write_all(answer.as_bytes()).await;
                    if then == Then::Close {
                        let _ = stream.shutdown().await;
                    }
                    let _ = stream.read_to_end(&mut request).await;
                });
            }
        });
        Raw { url, server }
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn app(collector: &Collector, raw: &Raw) -> App {
    launch_exporting_to(collector)
        .env("APP_URL_DESTINO", &raw.url)
        .env("APP_TIMEOUT", "500ms")
        .start()
        .await
}

/// Sends one request, and returns the response's status, the hop in its report, and the CLIENT span.
async fn ask(app: &App, collector: &Collector, spans: usize) -> (u16, Value, SpanRecord) {
    let request = app.request(Method::POST, "/process?report").body("[]");
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let mut report: Value = answer.json().await.unwrap();
    let hop = report["hops"][0].take();
    let mut clients = collector.wait_for(spans).await;
    clients.retain(|span| span.kind == "CLIENT");
    clients.sort_by_key(|span| span.start);
    (status, hop, clients.pop().unwrap())
}

async fn records_the_status_of_a_response_whose_body_fails() {
    let large = "x".repeat(4 * 1024 * 1024);
    let head = |status: &str, header: &str| format!("HTTP/1.1 {status}\r\n{header}\r\n\r\n");
    let table = [
        (head("200 OK", "content-length: 100") + "[", 200, None),
        (
            head("503 Unavailable", "content-length: 100") + "[",
            503,
            None,
        ),
        (
            head("200 OK", "transfer-encoding: chunked") + "1\r\n[\r\n",
            200,
            None,
        ),
        (
            head("200 OK", "transfer-encoding: chunked") + "zz\r\n[\r\n",
            200,
            None,
        ),
        (
            head("200 OK", "content-length: 4194306") + "[\"" + &large[2..] + "\"]",
            200,
            Some("answer_too_large"),
        ),
    ];
    for (answer, head, error) in table {
        let row = answer[..answer.len().min(70)].to_owned();
        let collector = Collector::start().await;
        let raw = Raw::start(answer, Then::Close).await;
        let app = app(&collector, &raw).await;
        let (status, hop, client) = ask(&app, &collector, 2).await;
        assert_eq!(status, 502, "{row}");
        let sentence = format!(
            "{}/process answered {head}, but its body broke off: ",
            raw.url
        );
        let message = hop["error"].as_str().unwrap();
        assert!(message.starts_with(&sentence), "{row}: {message}");
        assert_eq!(hop["calls"][0]["tries"][0]["status"], head, "{row}");
        assert_eq!(
            client.attributes["http.response.status_code"],
            head.to_string(),
            "{row}"
        );
        let kind = &client.attributes["error.type"];
        assert!(error.is_none_or(|error| error == kind), "{row}: {kind}");
        assert_ne!(kind, "timeout", "{row}");
        assert!(client.status.is_some(), "{row}");
    }
}

/// A host's own limits may end the call in different ways.
async fn reports_a_stalled_body_as_a_timeout_and_keeps_its_status() {
    let collector = Collector::start().await;
    let stalled = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[";
    let raw = Raw::start(stalled.to_owned(), Then::Stall).await;
    let app = app(&collector, &raw).await;
    for times in 1..=8 {
        let (status, hop, client) = ask(&app, &collector, 2 * times).await;
        assert_eq!(status, 504);
        assert_eq!(
            hop["error"],
            format!(
                "{}/process did not answer completely within the time that APP_TIMEOUT sets",
                raw.url
            )
        );
        assert_eq!(client.attributes["http.response.status_code"], "200");
        assert_eq!(client.attributes["error.type"], "timeout");
    }
}
