//! What only Spin can do: headers that it alone may set, and components that call each other.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::forgery::FORGED;
use crate::harness::{Test, tests};
use crate::support::{Collector, eventually, launch_app, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        forged_headers_of_spin_change_nothing,
        a_delivery_from_outside_is_a_request_for_an_unknown_path,
        what_needs_spin_is_refused_with_the_way_out,
        a_queue_without_consumers_is_published_to,
    ]
};

async fn forged_headers_of_spin_change_nothing() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    for (path, status) in [("/x", 404), ("/process", 200), ("/forged/process", 404)] {
        let request = app.request(Method::POST, path).body("[]");
        let forged = FORGED.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        assert_eq!(forged.send().await.unwrap().status(), status, "{path}");
    }
    let (address, port) = app.authority().rsplit_once(':').unwrap();
    for span in collector.wait_for(3).await {
        let path = &span.attributes["url.path"];
        assert_eq!(span.attributes["server.address"], address, "{path}");
        assert_eq!(span.attributes["server.port"], port, "{path}");
        for absent in ["client.address", "network.peer.address"] {
            assert_eq!(span.attributes.get(absent), None, "{path}");
        }
        let route = span.attributes.get("http.route").map(String::as_str);
        assert_eq!(route, (path == "/process").then_some("/process"));
    }
}

/// In Spin this header says that a component of the same app delivers messages.
async fn a_delivery_from_outside_is_a_request_for_an_unknown_path() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    for client in [None, Some("0.0.0.0:0"), Some("[::]:0")] {
        let mut request = app.request(Method::POST, "/deliver").body("[]");
        let delivery = "application/vnd.tracing-tail.delivery+json";
        request = request.header("content-type", delivery);
        if let Some(client) = client {
            request = request.header("spin-client-addr", client);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{client:?}");
    }
    for span in collector.wait_for(3).await {
        assert_eq!(span.kind, "SERVER");
    }
}

async fn what_needs_spin_is_refused_with_the_way_out() {
    let table = [
        (
            "APP_URL_DESTINO",
            "http://service-b.spin.internal",
            "'http://service-b.spin.internal/process' is a component of a Spin app, and this host is not Spin: give an \
             address that it can reach, such as http://service-b.example.com:3001",
        ),
        (
            "APP_URL_DESTINO",
            "http://127.0.0.1:1;queue=orders",
            "'http://127.0.0.1:1' can't consume messages: only components of the same Spin app do, and this host is not \
             Spin; without a URL the queue has no consumer",
        ),
        (
            "OTLP_ENDPOINT",
            "http://viewer.spin.internal/v1/traces",
            "'http://viewer.spin.internal/v1/traces' is a component of a Spin app, and this host is not Spin: give an \
             address that it can reach, such as http://localhost:4318/v1/traces",
        ),
    ];
    for (setting, value, problem) in table {
        let app = launch_app().env(setting, value).start().await;
        let answer = app.process("[]").await;
        assert_eq!(answer.status(), 500);
        let sentence = format!("{setting}: {problem}");
        assert_eq!(
            answer.json::<Value>().await.unwrap(),
            json!({ "error": sentence })
        );
        eventually("it is on stderr too", || {
            app.stderr().contains(&sentence).then_some(())
        })
        .await;
    }
}

async fn a_queue_without_consumers_is_published_to() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", ";queue=audit")
        .start()
        .await;
    assert_eq!(app.process("[]").await.status(), 200);
    let spans = collector.wait_for(2).await;
    let sent = spans.iter().find(|span| span.kind == "PRODUCER").unwrap();
    assert_eq!(sent.attributes["messaging.destination.name"], "audit");
}
