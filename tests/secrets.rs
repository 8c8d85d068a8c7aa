//! Passwords in URLs appear nowhere: neither in responses, spans and reports nor on the terminal.

use reqwest::Method;

use crate::harness::{Test, tests};
use crate::support::{
    App, Collector, eventually, launch_app, launch_exporting_to, refusing_address,
};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        never_shows_the_password_of_a_url,
        an_at_sign_in_a_query_is_not_a_password,
    ]
    embedded_host: [
        a_password_in_an_allowed_host_is_refused_and_not_shown,
    ]
};

/// The password of every URL here has these two parts.
const PARTS: [&str; 2] = ["leftpart", "rightpart"];

fn passwords() -> impl Iterator<Item = String> {
    let [left, right] = PARTS;
    ["/", "?", "#", ":", ";", "@", "%2F"]
        .map(|between| format!("{left}{between}{right}"))
        .into_iter()
}

fn assert_hidden(what: &str, text: &str) {
    for part in PARTS {
        assert!(!text.contains(part), "{what} shows {part}: {text}");
    }
}

/// Checks the responses to two requests, one of them with a report.
async fn answers_hide(app: &App, setting: &str) {
    for path in ["/process", "/process?report"] {
        let answer = app.request(Method::POST, path).body("[]").send().await;
        let answer = answer.unwrap();
        let headers = format!("{:?}", answer.headers());
        assert_hidden(setting, &headers);
        assert_hidden(setting, &answer.text().await.unwrap());
    }
}

/// Checks the spans and the terminal output.
async fn leaves_nothing(mut app: App, collector: &Collector, setting: &str) {
    app.signal("TERM");
    app.wait_for_exit().await;
    assert_hidden(setting, &app.stdout());
    assert_hidden(setting, &app.stderr());
    assert_hidden(setting, &format!("{:?}", collector.spans()));
}

async fn never_shows_the_password_of_a_url() {
    let (_socket, address) = refusing_address();
    for password in passwords() {
        let url = format!("http://user:{password}@{address}");
        for setting in [url.clone(), format!("{url};p=100"), format!("{url};p=x")] {
            let collector = Collector::start().await;
            let app = launch_exporting_to(&collector)
                .env("APP_URL_DESTINO", &setting)
                .start();
            let app = app.await;
            answers_hide(&app, &setting).await;
            eventually("spans arrive", || collector.spans().pop()).await;
            leaves_nothing(app, &collector, &setting).await;
        }
        let collector = Collector::start().await;
        let endpoint = format!("{url}/v1/traces?key={password}");
        let app = launch_app().env("OTLP_ENDPOINT", &endpoint).start();
        let app = app.await;
        answers_hide(&app, &endpoint).await;
        leaves_nothing(app, &collector, &endpoint).await;
    }
}

async fn a_password_in_an_allowed_host_is_refused_and_not_shown() {
    for password in passwords() {
        let host = format!("http://user:{password}@127.0.0.1");
        let mut app = launch_app().env("APP_ALLOWED_HOST", &host).spawn();
        assert!(!app.wait_for_exit().await.success(), "{host}");
        let stderr = eventually("it says why", || {
            let stderr = app.stderr();
            stderr.ends_with('\n').then_some(stderr)
        });
        let stderr = stderr.await;
        assert!(
            stderr.contains("it must not have a user name or a password"),
            "{stderr}"
        );
        assert_hidden(&host, &stderr);
        assert_hidden(&host, &app.stdout());
    }
}

async fn an_at_sign_in_a_query_is_not_a_password() {
    let app = launch_app()
        .env("OTLP_ENDPOINT", "https://127.0.0.1/v1/traces?u=me@corp")
        .start()
        .await;
    assert_eq!(app.process("[]").await.status(), 200);
}
