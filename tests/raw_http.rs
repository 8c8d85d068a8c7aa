//! How the embedded host treats unusual clients, seen from a socket.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{Test, tests};
use crate::support::{App, Collector, PATIENCE, launch_app, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    embedded_host: [
        answers_a_malformed_head_with_an_explanation,
        refuses_http_2_with_an_explanation,
        an_absolute_target_wins_over_the_host_header,
        serves_whatever_http_allows,
        answers_invalid_requests_with_client_errors,
        a_client_that_is_still_sending_receives_the_response,
        stalled_uploads_block_nobody_and_end_with_408,
        closes_idle_connections_when_file_descriptors_run_out,
    ]
};

/// A client that sends arbitrary bytes.
struct Client(TcpStream);

impl Client {
    async fn connect(app: &App) -> Client {
        Client(TcpStream::connect(app.authority()).await.unwrap())
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Receives until `end`, or until the connection is closed.
    async fn receive(&mut self, end: &str) -> String {
        let mut received = Vec::new();
        let receives = async {
            loop {
                let text = String::from_utf8_lossy(&received);
                if !end.is_empty() && text.ends_with(end) {
                    return;
                }
                match self.0.read_buf(&mut received).await {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
            }
        };
        let in_time = timeout(PATIENCE, receives).await;
        let received = String::from_utf8_lossy(&received).into_owned();
        assert!(in_time.is_ok(), "after {received:?}");
        received
    }
}

/// Sends these bytes, and returns everything that comes back.
async fn exchange(app: &App, bytes: impl AsRef<[u8]>) -> String {
    let mut client = Client::connect(app).await;
    client.send(bytes).await;
    client.receive("").await
}

/// A request for `/process` with an empty list, and other headers.
fn post(headers: &str) -> String {
    format!("POST /process HTTP/1.1\r\nhost: a\r\n{headers}content-length: 2\r\n\r\n[]")
}

const LIST: &str = "[\"tracing-tail\"]";

async fn answers_a_malformed_head_with_an_explanation() {
    let app = launch_app().start().await;
    let many = (0..101).fold(String::new(), |all, at| format!("{all}x{at}: y\r\n"));
    let long = format!("x: {}\r\n", "y".repeat(1 << 20));
    let get = |line: &str| format!("{line}\r\nconnection: close\r\n\r\n");
    let table = [
        (get("nonsense"), 400, "the request's head is malformed: "),
        (
            get("GET / HTTP/9.9"),
            400,
            "the request's head is malformed: ",
        ),
        (
            get("GET / HTTP/1.1\r\nhost: a\r\nno colon"),
            400,
            "the request's head is malformed: ",
        ),
        (
            get(&format!("GET / HTTP/1.1\r\n{many}host: a")),
            431,
            "more than 64 KiB or 100 headers",
        ),
        (get("GET / HTTP/1.1"), 400, "the request has no Host header"),
        (
            get("GET / HTTP/1.1\r\nhost: a\r\nhost: a"),
            400,
            "more than one Host header",
        ),
        (
            get("GET / HTTP/1.1\r\nhost: a b"),
            400,
            "the Host header is malformed",
        ),
        (
            get("GET / HTTP/1.1\r\nhost: u:secret@a"),
            400,
            "has a user or a password",
        ),
        (
            get("GET http://u:secret@a/ HTTP/1.1\r\nhost: a"),
            400,
            "has a user or a password",
        ),
        (
            get(&format!("GET /{} HTTP/1.1\r\nhost: a", "x".repeat(65_535))),
            431,
            "more than 64 KiB or 100 headers",
        ),
    ];
    for (request, status, sentence) in table {
        let shown: String = request.chars().take(60).collect();
        let received = exchange(&app, &request).await;
        assert!(
            received.starts_with(&format!("HTTP/1.1 {status} ")),
            "{shown:?}: {received}"
        );
        assert!(received.contains(sentence), "{shown:?}: {received}");
        assert!(!received.contains("secret"), "{received}");
    }
    // It is still sending when it is refused, and may or may not receive the response.
    let mut client = Client::connect(&app).await;
    let _ = client
        .0
        .write_all(get(&format!("GET / HTTP/1.1\r\n{long}host: a")).as_bytes())
        .await;
    let received = client.receive("").await;
    assert!(
        received.is_empty() || received.starts_with("HTTP/1.1 431 "),
        "{received}"
    );
    assert!(
        exchange(&app, post("connection: close\r\n"))
            .await
            .ends_with(LIST)
    );
}

async fn refuses_http_2_with_an_explanation() {
    let app = launch_app().start().await;
    let received = exchange(&app, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
    assert!(
        received.contains("this server speaks HTTP/1.1 only"),
        "{received:?}"
    );
}

async fn an_absolute_target_wins_over_the_host_header() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    let table = [
        (
            "POST http://target:81/process HTTP/1.1\r\nhost: other:82",
            "target",
            81,
        ),
        ("POST /process HTTP/1.1\r\nhost: other:82", "other", 82),
    ];
    for (at, (head, host, port)) in table.into_iter().enumerate() {
        let request = format!("{head}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n[]");
        assert!(exchange(&app, request).await.ends_with(LIST));
        let spans = collector.wait_for(at + 1).await;
        let attributes = &spans[at].attributes;
        assert_eq!(attributes["server.address"], json!(host));
        assert_eq!(attributes["server.port"], json!(port.to_string()));
    }
    let old = "POST /process HTTP/1.0\r\ncontent-length: 2\r\n\r\n[]";
    assert!(
        exchange(&app, old).await.ends_with(LIST),
        "HTTP/1.0 has no Host header"
    );
}

async fn serves_whatever_http_allows() {
    let app = launch_app().start().await;
    let chunked = "transfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    let head = "POST /process HTTP/1.1\r\nhost: a\r\n";
    let table = [
        ("closes when asked to", post("connection: close\r\n")),
        (
            "an empty line before",
            format!("\r\n{}", post("connection: close\r\n")),
        ),
        (
            "in chunks",
            format!("{head}{chunked}1\r\n[\r\n1;x=y\r\n]\r\n0\r\n\r\n"),
        ),
        (
            "with trailers",
            format!("{head}te: trailers\r\n{chunked}2\r\n[]\r\n0\r\nx: y\r\n\r\n"),
        ),
    ];
    for (what, request) in table {
        let received = exchange(&app, request).await;
        assert!(
            received.starts_with("HTTP/1.1 200 OK\r\n"),
            "{what}: {received}"
        );
    }
    let mut client = Client::connect(&app).await;
    client
        .send([post(""), post(""), post("connection: close\r\n")].concat())
        .await;
    let received = client.receive("").await;
    assert_eq!(received.matches(LIST).count(), 3, "pipelined: {received}");

    let mut client = Client::connect(&app).await;
    client
        .send(format!(
            "{head}expect: 100-continue\r\ncontent-length: 2\r\nconnection: close\r\n\r\n"
        ))
        .await;
    assert_eq!(
        client.receive("\r\n\r\n").await,
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    client.send("[]").await;
    assert!(client.receive("").await.ends_with(LIST));
}

async fn answers_invalid_requests_with_client_errors() {
    let app = launch_app().start().await;
    let table = [
        (
            "a chunk without a length",
            "POST /process HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
        ),
        (
            "a length of 2^63",
            "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-length: 9223372036854775808\r\n\r\n[]",
        ),
        (
            "a length of 2^64 - 1",
            "POST /v1/traces HTTP/1.1\r\nhost: a\r\ncontent-length: 18446744073709551615\r\n\r\n[]",
        ),
        (
            "both lengths",
            "POST /process HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n[]",
        ),
        (
            "no number",
            "POST /process HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n[]",
        ),
        (
            "the whole server",
            "OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        ),
        (
            "a tunnel",
            "CONNECT a:443 HTTP/1.1\r\nhost: a:443\r\nconnection: close\r\n\r\n",
        ),
    ];
    for (what, request) in table {
        let received = exchange(&app, request).await;
        assert!(received.starts_with("HTTP/1.1 4"), "{what}: {received}");
    }
    assert!(
        exchange(&app, post("connection: close\r\n"))
            .await
            .ends_with(LIST)
    );
}

async fn a_client_that_is_still_sending_receives_the_response() {
    let app = launch_app().start().await;
    let mut client = Client::connect(&app).await;
    let length = 64 << 20;
    client
        .send(format!(
            "POST /process HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\n\r\n"
        ))
        .await;
    let (mut reads, mut writes) = client.0.split();
    let sends = async {
        let piece = vec![b' '; 1 << 20];
        while writes.write_all(&piece).await.is_ok() {}
    };
    let mut received = [0; 12];
    tokio::select! {
        read = timeout(PATIENCE, reads.read_exact(&mut received)) => {
            read.unwrap().unwrap();
        }
        () = sends => panic!("it could send no more, and received nothing"),
    }
    assert_eq!(&received, b"HTTP/1.1 413");
}

async fn stalled_uploads_block_nobody_and_end_with_408() {
    let app = launch_app().start().await;
    let mut slow = Vec::new();
    for at in 0..40 {
        let mut client = Client::connect(&app).await;
        let path = ["/v1/traces", "/process"][at % 2];
        client
            .send(format!("POST {path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"))
            .await;
        slow.push(client);
    }
    let mut head = Client::connect(&app).await;
    head.send("GET /process HTTP/1.1\r\nhost: ").await;
    for path in ["/v1/traces", "/process"] {
        let body = ["{\"resourceSpans\":[]}", "[]"][usize::from(path == "/process")];
        let request = app.request(reqwest::Method::POST, path).body(body);
        let request = request.header("content-type", "application/json");
        let answer = timeout(Duration::from_secs(5), request.send()).await;
        assert_eq!(answer.unwrap().unwrap().status(), 200, "{path}");
    }
    let received = head.receive("").await;
    assert!(received.starts_with("HTTP/1.1 408 "), "{received}");
    assert!(
        received.ends_with("the request's head did not come within 10 s\n"),
        "{received}"
    );
    for client in &mut slow {
        let received = client.receive("").await;
        assert!(received.starts_with("HTTP/1.1 408 "), "{received}");
        assert!(
            received.contains("the request's body came too slowly"),
            "{received}"
        );
    }
}

async fn closes_idle_connections_when_file_descriptors_run_out() {
    let app = launch_app().max_open_files(200).start().await;
    let mut idle = Vec::new();
    for _ in 0..400 {
        idle.push(Client::connect(&app).await);
    }
    for _ in 0..10 {
        let answer = app.process("[]");
        let answer = timeout(Duration::from_secs(5), answer).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(idle[0].receive("").await, "", "the idlest was closed");
    let latest = idle.last_mut().unwrap();
    latest.send(post("connection: close\r\n")).await;
    assert!(
        latest.receive("").await.ends_with(LIST),
        "the latest was not"
    );
    assert!(
        !app.stderr().contains("failed to accept"),
        "{}",
        app.stderr()
    );
}
