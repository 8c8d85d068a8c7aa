//! The HTTP contract, row by row.

use reqwest::Method;
use reqwest::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::harness::{Test, tests};
use crate::support::{Answer, App, Collector, Downstream, launch_exporting_to, refusing_address};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        appends_its_name_to_the_list,
        every_response_carries_traceresponse,
        simulates_an_error_with_the_configured_status,
        calls_downstreams_in_order_with_the_current_list,
        answers_502_for_a_bad_response_and_still_calls_the_others,
        answers_502_for_an_unreachable_downstream,
        answers_502_for_a_forbidden_downstream_and_names_the_setting,
        answers_504_for_a_downstream_that_takes_too_long,
        the_first_failure_is_the_answer,
        answers_422_for_anything_but_an_array_of_strings,
        answers_413_for_too_large_a_body_or_list,
        answers_405_for_other_methods_on_process,
        answers_404_for_other_paths,
        has_no_page_where_its_spans_go_elsewhere,
    ]
};

async fn app(env: &[(&str, &str)], collector: &Collector) -> App {
    let launch = launch_exporting_to(collector);
    env.iter()
        .fold(launch, |launch, (name, value)| launch.env(name, *value))
        .start()
        .await
}

/// Sends a list, checks what all failures have in common, and returns the status and the `error`.
async fn failure(app: &App, body: &'static str) -> (u16, String) {
    let answer = app.process(body).await;
    let status = answer.status().as_u16();
    let traceresponse = answer.headers()["traceresponse"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
    let error_body: Value = answer.json().await.unwrap();
    assert_eq!(
        error_body["trace_id"],
        traceresponse.split('-').nth(1).unwrap()
    );
    (status, error_body["error"].as_str().unwrap().to_owned())
}

async fn appends_its_name_to_the_list() {
    let collector = Collector::start().await;
    let app = app(&[("APP_NAME", "größer \"b\"")], &collector).await;
    let answer = app.process(r#"["item1", "item2"]"#).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/json");
    assert!(
        answer.headers().contains_key(CONTENT_LENGTH),
        "never chunked"
    );
    let list: Value = answer.json().await.unwrap();
    assert_eq!(list, json!(["item1", "item2", "größer \"b\""]));
}

async fn every_response_carries_traceresponse() {
    let collector = Collector::start().await;
    let app = app(&[], &collector).await;
    let requests = [
        (Method::POST, "/process", "[]"),
        (Method::POST, "/process", "{}"),
        (Method::GET, "/process", ""),
        (Method::POST, "/elsewhere", "[]"),
    ];
    let mut announced = Vec::new();
    for (method, path, body) in requests {
        let answer = app.request(method, path).body(body).send().await.unwrap();
        let traceresponse = answer.headers()["traceresponse"]
            .to_str()
            .unwrap()
            .to_owned();
        let timing = format!("traceparent;desc=\"{traceresponse}\"");
        assert_eq!(answer.headers()["server-timing"], timing);
        announced.push(traceresponse);
    }
    for span in collector.wait_for(4).await {
        let traceresponse = format!("00-{}-{}-03", span.trace, span.id);
        assert!(
            announced.contains(&traceresponse),
            "{traceresponse} of {announced:?}"
        );
    }
}

async fn simulates_an_error_with_the_configured_status() {
    let collector = Collector::start().await;
    for (errors, status) in [("100", 500), ("503:100", 503), ("429:100", 429)] {
        let app = app(&[("APP_ERRORS", errors)], &collector).await;
        let expected = (status, "simulated error in tracing-tail".to_owned());
        assert_eq!(failure(&app, "[]").await, expected);
    }
}

async fn calls_downstreams_in_order_with_the_current_list() {
    let collector = Collector::start().await;
    let b = Downstream::start([Answer::Now(200, r#"["from-b"]"#)]).await;
    let c = Downstream::start([Answer::Now(201, r#"["from-c"]"#)]).await;
    let urls = format!(" {}/ , {}", b.url(), c.url());
    let app = app(&[("APP_URL_DESTINO", &urls)], &collector).await;
    let list: Value = app.process(r#"["x"]"#).await.json().await.unwrap();
    assert_eq!(list, json!(["from-c"]));
    assert_eq!(b.received()[0].1, r#"["x","tracing-tail"]"#);
    assert_eq!(c.received()[0].1, r#"["from-b"]"#);
    assert_eq!(b.received()[0].0[CONTENT_TYPE], "application/json");
}

async fn answers_502_for_a_bad_response_and_still_calls_the_others() {
    let collector = Collector::start().await;
    let table = [
        (Answer::Now(503, "no"), "answered 503"),
        (Answer::Now(404, "[]"), "answered 404"),
        (
            Answer::Now(200, r#"{"a": 1}"#),
            "answered 200, but the body is not a JSON array of strings",
        ),
    ];
    for (bad, explanation) in table {
        let b = Downstream::start([bad]).await;
        let c = Downstream::start([Answer::Now(200, "[]")]).await;
        let urls = format!("{},{}", b.url(), c.url());
        let app = app(&[("APP_URL_DESTINO", &urls)], &collector).await;
        let (status, error) = failure(&app, r#"["x"]"#).await;
        assert_eq!(status, 502);
        assert!(
            error.starts_with(&format!("{}/process {explanation}", b.url())),
            "{error}"
        );
        assert_eq!(
            c.received()[0].1,
            r#"["x","tracing-tail"]"#,
            "the list as it stood"
        );
    }
}

async fn answers_502_for_an_unreachable_downstream() {
    let collector = Collector::start().await;
    let (_socket, address) = refusing_address();
    let url = format!("http://{address}");
    let app = app(&[("APP_URL_DESTINO", &url)], &collector).await;
    let (status, error) = failure(&app, "[]").await;
    assert_eq!(status, 502);
    assert_eq!(
        error,
        format!("{url}/process could not be reached: connection refused")
    );
}

async fn answers_502_for_a_forbidden_downstream_and_names_the_setting() {
    let collector = Collector::start().await;
    let b = Downstream::start_on("127.0.0.2", [Answer::Now(200, "[]")]).await;
    let settings = [("APP_URL_DESTINO", b.url())];
    let forbidden = app(&settings, &collector).await;
    let (status, error) = failure(&forbidden, "[]").await;
    assert_eq!(status, 502);
    assert_eq!(
        error,
        format!(
            "{0}/process is not an allowed destination: set APP_ALLOWED_HOST={0} or add it to allowed_outbound_hosts",
            b.url()
        )
    );
    assert_eq!(b.received().len(), 0);
    let allowed = app(&[settings[0], ("APP_ALLOWED_HOST", b.url())], &collector).await;
    assert_eq!(allowed.process("[]").await.status(), 200);
}

async fn answers_504_for_a_downstream_that_takes_too_long() {
    let collector = Collector::start().await;
    let b = Downstream::start([Answer::Never]).await;
    let settings = [("APP_URL_DESTINO", b.url()), ("APP_TIMEOUT", "1s")];
    let app = app(&settings, &collector).await;
    let (status, error) = failure(&app, "[]").await;
    assert_eq!(status, 504);
    assert_eq!(
        error,
        format!(
            "{}/process did not answer within the time that APP_TIMEOUT sets",
            b.url()
        )
    );
}

async fn the_first_failure_is_the_answer() {
    let collector = Collector::start().await;
    for (script, expected) in [
        ([Answer::Never, Answer::Now(503, "")], 504),
        ([Answer::Now(503, ""), Answer::Never], 502),
    ] {
        let [first, second] = script;
        let b = Downstream::start([first]).await;
        let c = Downstream::start([second]).await;
        let urls = format!("{},{}", b.url(), c.url());
        let settings = [("APP_URL_DESTINO", urls.as_str()), ("APP_TIMEOUT", "1s")];
        let app = app(&settings, &collector).await;
        assert_eq!(failure(&app, "[]").await.0, expected);
        assert_eq!(
            (b.received().len(), c.received().len()),
            (1, 1),
            "both are called"
        );
    }
}

async fn answers_422_for_anything_but_an_array_of_strings() {
    let collector = Collector::start().await;
    let app = app(&[], &collector).await;
    for body in [
        "",
        "{",
        "{}",
        "null",
        "\"x\"",
        "[1]",
        "[\"x\", null]",
        "[[\"x\"]]",
    ] {
        let (status, error) = failure(&app, body).await;
        assert_eq!(status, 422, "{body}");
        assert!(
            error.starts_with("the body is not a JSON array of strings: "),
            "{error}"
        );
    }
}

async fn answers_413_for_too_large_a_body_or_list() {
    let collector = Collector::start().await;
    let app = app(&[], &collector).await;
    let post = async |body: String| {
        let answer = app
            .request(Method::POST, "/process")
            .body(body)
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap())
    };
    let megabyte = 1024 * 1024;
    let fits = format!("[\"{}\"]", "x".repeat(megabyte - 4));
    assert_eq!(post(fits).await.0, 200, "a body of exactly 1 MiB");
    let (status, error_body) = post(format!("[\"{}\"]", "x".repeat(megabyte - 3))).await;
    assert_eq!(
        (status, error_body["error"].as_str()),
        (413, Some("the body is larger than 1048576 bytes"))
    );
    let items = |count| serde_json::to_string(&vec!["x"; count]).unwrap();
    let (status, list) = post(items(10_000)).await;
    assert_eq!((status, list.as_array().unwrap().len()), (200, 10_001));
    let (status, error_body) = post(items(10_001)).await;
    assert_eq!(
        (status, error_body["error"].as_str()),
        (
            413,
            Some("the array has 10001 items; at most 10000 are accepted")
        )
    );
}

async fn answers_405_for_other_methods_on_process() {
    let collector = Collector::start().await;
    let app = app(&[], &collector).await;
    for method in [
        Method::GET,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::OPTIONS,
    ] {
        let answer = app
            .request(method.clone(), "/process")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()[ALLOW], "POST");
        let error_body: Value = answer.json().await.unwrap();
        assert_eq!(
            error_body["error"],
            format!("{method} is not allowed on /process; use POST")
        );
    }
}

async fn answers_404_for_other_paths() {
    let collector = Collector::start().await;
    let app = app(&[], &collector).await;
    for path in ["/", "/processes", "/process/", "/process/x", "/Process"] {
        let answer = app
            .request(Method::POST, path)
            .body("[]")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        let error_body: Value = answer.json().await.unwrap();
        assert_eq!(
            error_body["error"],
            format!("no route matches {path}; POST to /process")
        );
    }
}

async fn has_no_page_where_its_spans_go_elsewhere() {
    let collector = Collector::start().await;
    let app = app(&[], &collector).await;
    let answer = app.request(Method::GET, "/").send().await.unwrap();
    assert_eq!(answer.status(), 404);
}
