//! What a client says in the name of the host counts for nothing, in the embedded host as in Spin.

use reqwest::Method;

use crate::harness::{Test, tests};
use crate::support::{Collector, launch_exporting_to};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        the_host_s_own_headers_win_over_a_client_s,
        a_slash_too_many_is_another_path,
    ]
};

/// Headers of Spin's, as a client that wants to pass for somebody else sends them.
const FORGED: [(&str, &str); 4] = [
    ("spin-path-info", "/process"),
    ("spin-component-route", "/forged"),
    ("spin-full-url", "http://forged.example/process"),
    ("spin-client-addr", "9.9.9.9:9"),
];

async fn the_host_s_own_headers_win_over_a_client_s() {
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

/// `//process` and `/process/` are other paths than `/process`, at the top as below a base.
async fn a_slash_too_many_is_another_path() {
    let collector = Collector::start().await;
    let app = launch_exporting_to(&collector).start().await;
    for path in ["//process", "/process/", "/process//", "///process"] {
        let answer = app.request(Method::POST, path).body("[]").send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        let told = answer.text().await.unwrap();
        let expected = format!("nothing lives on {path}; POST to /process");
        assert!(told.contains(&expected), "{told}");
    }
    for span in collector.wait_for(4).await {
        assert_eq!(span.name, "POST");
    }
}
