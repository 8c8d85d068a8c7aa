//! Headers that only a host may set have no effect when a client sends them, in the embedded host as in Spin.

use reqwest::Method;

use crate::harness::{Test, tests};
use crate::support::{Collector, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        host_headers_override_client_headers,
        an_extra_slash_makes_another_path,
    ]
};

/// Spin's own headers, forged by a client.
pub(crate) const FORGED: [(&str, &str); 4] = [
    ("spin-path-info", "/process"),
    ("spin-component-route", "/forged"),
    ("spin-full-url", "http://forged.example/process"),
    ("spin-client-addr", "9.9.9.9:9"),
];

async fn host_headers_override_client_headers() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    for (path, status) in [("/x", 404), ("/process", 200)] {
        let mut request = app.request(Method::POST, path).body("[]");
        for (name, value) in FORGED {
            request = request.header(name, value);
        }
        assert_eq!(request.send().await.unwrap().status(), status, "{path}");
    }
    let (address, port) = app.authority().rsplit_once(':').unwrap();
    for span in collector.wait_for(2).await {
        let path = span.attributes["url.path"].as_str();
        let route = span.attributes.get("http.route").map(String::as_str);
        assert_eq!(route, (path == "/process").then_some("/process"));
        for (name, value) in [
            ("client.address", "127.0.0.1"),
            ("server.address", address),
            ("server.port", port),
        ] {
            assert_eq!(span.attributes[name], value, "{name} of {path}");
        }
    }
}

/// `//process` and `/process/` are not `/process`, with and without a base path.
async fn an_extra_slash_makes_another_path() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    for path in ["//process", "/process/", "/process//", "///process"] {
        let answer = app.request(Method::POST, path).body("[]").send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        let text = answer.text().await.unwrap();
        let expected = format!("no route matches {path}; POST to /process");
        assert!(text.contains(&expected), "{text}");
    }
    for span in collector.wait_for(4).await {
        assert_eq!(span.name, "POST");
    }
}
