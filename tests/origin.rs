//! The request's origin: its method, the peer's address, and proxies.

use reqwest::Method;

use crate::harness::{Test, tests};
use crate::support::{App, Collector, SpanRecord, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        known_methods_come_from_the_conventions_or_the_setting,
        forwarded_headers_count_only_from_a_trusted_proxy,
        ipv6_addresses_have_no_brackets,
    ]
};

async fn ask(app: &App, method: &str, headers: &[(&str, &str)]) {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = app.request(method, "/process").body("[]");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap();
}

fn attribute<'s>(span: &'s SpanRecord, name: &str) -> &'s str {
    span.attributes.get(name).map_or("-", String::as_str)
}

async fn known_methods_come_from_the_conventions_or_the_setting() {
    let table = [
        ("", "QUERY", "QUERY"),
        ("", "PATCH", "PATCH"),
        ("", "PURGE", "_OTHER"),
        ("", "query", "_OTHER"),
        ("POST, PURGE", "PURGE", "PURGE"),
        ("POST, PURGE", "POST", "POST"),
        ("POST, PURGE", "GET", "_OTHER"),
    ];
    for (known, method, named) in table {
        let collector = Collector::start().await;
        let app = launch_exporting_to(&collector)
            .env("OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS", known)
            .start()
            .await;
        ask(&app, method, &[]).await;
        let span = collector.wait_for(1).await.remove(0);
        let row = format!("{known}: {method}");
        assert_eq!(attribute(&span, "http.request.method"), named, "{row}");
        let (verb, original) = match named {
            "_OTHER" => ("HTTP", method),
            known => (known, "-"),
        };
        assert_eq!(
            attribute(&span, "http.request.method_original"),
            original,
            "{row}"
        );
        assert_eq!(span.name, format!("{verb} /process"), "{row}");
    }
}

async fn forwarded_headers_count_only_from_a_trusted_proxy() {
    let forwarded = [
        (
            "forwarded",
            "for=\"[2001:db8::17]:4711\";proto=https;host=shop.example",
        ),
        ("x-forwarded-for", "9.9.9.9"),
    ];
    let attributes = [
        "client.address",
        "server.address",
        "server.port",
        "url.scheme",
    ];
    for trusted in ["off", "on"] {
        let collector = Collector::start().await;
        let launch = launch_exporting_to(&collector).env("APP_TRUST_PROXY", trusted);
        let app = launch.start().await;
        ask(&app, "POST", &forwarded).await;
        let span = collector.wait_for(1).await.remove(0);
        let (here, port) = app.authority().rsplit_once(':').unwrap();
        let expected = match trusted {
            "on" => ["2001:db8::17", "shop.example", "443", "https"],
            _ => ["127.0.0.1", here, port, "http"],
        };
        assert_eq!(
            attributes.map(|name| attribute(&span, name)),
            expected,
            "{trusted}"
        );
        assert_eq!(attribute(&span, "network.peer.address"), "127.0.0.1");
        let port: u16 = attribute(&span, "network.peer.port").parse().unwrap();
        assert_ne!(port, 0);
    }
}

async fn ipv6_addresses_have_no_brackets() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", "http://[::1]:1")
        .start()
        .await;
    ask(&app, "POST", &[("host", "[::1]:3000")]).await;
    for span in collector.wait_for(2).await {
        assert_eq!(attribute(&span, "server.address"), "::1", "{}", span.kind);
    }
}
