//! The page, and who may read and send: hosts, origins, the token.

use reqwest::Method;
use serde_json::Value;

use super::{JSON, ask, send, stored, trace};
use crate::harness::{Test, tests};
use crate::support::{App, PATIENCE, launch_app, spin};

pub(crate) const TESTS: &[Test] = tests! {
    any_host: [
        the_page_is_complete_and_its_policy_allows_nothing_else,
        other_host_names_and_sites_can_not_read_or_delete_traces,
        everybody_needs_the_token_and_the_apps_own_services_send_it,
        browsers_may_send_from_this_machine_and_from_allowed_origins,
    ]
    embedded_host: [
        a_token_is_made_and_printed_where_none_is_set,
    ]
};

const TOKEN: &str = "s3cret-T0ken/+=";

async fn the_page_is_complete_and_its_policy_allows_nothing_else() {
    let app = launch_app().start().await;
    let page = app.request(Method::GET, "/traces/").send().await.unwrap();
    let policy = page.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{policy}"
    );
    let text = page.text().await.unwrap();
    assert!(
        !text.contains("http:") && !text.contains("https:"),
        "an address elsewhere"
    );
    let files = text
        .split('"')
        .filter(|word| word.starts_with("/traces/page/"));
    for file in files {
        assert_eq!(
            app.request(Method::GET, file)
                .send()
                .await
                .unwrap()
                .status(),
            200,
            "{file}"
        );
    }
    assert!(
        app.request(Method::GET, "/traces")
            .send()
            .await
            .unwrap()
            .url()
            .path()
            .ends_with("/traces/")
    );
    assert_eq!(
        app.request(Method::GET, "/traces/page/none.js")
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
}

async fn other_host_names_and_sites_can_not_read_or_delete_traces() {
    let app = launch_app()
        .env("APP_VIEWER_HOSTS", "viewer.example")
        .start()
        .await;
    send(&app, JSON, trace(1)).await;
    let evil = ("host", "evil.example");
    for (path, method) in [
        ("/traces/api/traces", Method::DELETE),
        ("/traces/api/traces", Method::GET),
        ("/traces/", Method::GET),
    ] {
        // A client may send this header too; the host's value wins.
        for forged in [None, Some(("spin-client-addr", "10.1.2.3:4"))] {
            let headers: Vec<_> = [evil].into_iter().chain(forged).collect();
            let answer = ask(&app, method.clone(), path, &headers).await;
            assert_eq!(answer.status(), 421, "{method} {path}");
            let problem: Value = answer.json().await.unwrap();
            let detail = problem["detail"].as_str().unwrap();
            assert!(
                detail.contains("'evil.example'") && detail.contains("APP_VIEWER_HOSTS"),
                "{detail}"
            );
        }
        if method == Method::GET {
            let named = ask(&app, method, path, &[("host", "viewer.example:80")]).await;
            assert_eq!(named.status(), 200, "{path}");
        }
    }
    for headers in [
        [("origin", "http://evil.example")],
        [("origin", "null")],
        [("sec-fetch-site", "cross-site")],
    ] {
        let answer = ask(&app, Method::DELETE, "/traces/api/traces", &headers).await;
        assert_eq!(answer.status(), 403, "{headers:?}");
    }
    assert_eq!(stored(&app).await, 1, "nothing was deleted");
    let container = [
        ("host", "host.docker.internal:3000"),
        ("content-type", JSON),
    ];
    let sent = ask(&app, Method::POST, "/v1/traces", &container).await;
    assert_ne!(sent.status(), 421, "exports come by any name");
}

async fn everybody_needs_the_token_and_the_apps_own_services_send_it() {
    let app = launch_app()
        .env("APP_VIEWER_TOKEN", TOKEN)
        .env("APP_URL_DESTINO", "http://service-b.spin.internal")
        .start()
        .await;
    let answer = app.process("[]").await;
    let traceresponse = answer.headers()["traceresponse"].to_str().unwrap();
    let path = format!("/traces/api/traces/{}", &traceresponse[3..35]);
    let bearer = format!("Bearer {TOKEN}");
    let started = std::time::Instant::now();
    loop {
        let answer = ask(&app, Method::GET, &path, &[("authorization", &bearer)]).await;
        if answer.status() == 200 {
            break;
        }
        assert_eq!(answer.status(), 404, "the token opens");
        assert!(started.elapsed() < PATIENCE, "its own spans did not arrive");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for (method, path) in [
        (Method::GET, path.as_str()),
        (Method::GET, "/traces/"),
        (Method::DELETE, "/traces/api/traces"),
        (Method::POST, "/v1/traces"),
    ] {
        let answer = ask(&app, method, path, &[("content-type", JSON)]).await;
        assert_eq!(answer.status(), 401, "{path}");
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        assert!(
            answer.text().await.unwrap().contains("APP_VIEWER_TOKEN"),
            "{path}"
        );
    }
    let link = format!("/traces/?token={}", TOKEN.replace('+', "%2B"));
    let led = ask(&app, Method::GET, &link, &[]).await;
    assert_eq!(
        (led.status().as_u16(), &led.headers()["location"] == "./"),
        (303, true)
    );
    let cookie = led.headers()["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap();
    let opened = ask(&app, Method::GET, "/traces/", &[("cookie", pair)]).await;
    assert_eq!(opened.status(), 200);
    assert!(!app.stdout().contains(TOKEN) && !app.stderr().contains(TOKEN));
    let banner = app.stdout();
    assert!(
        spin().is_some() || banner.contains("/traces/?token=<APP_VIEWER_TOKEN>"),
        "{banner}"
    );
    let app = launch_app()
        .env("APP_VIEWER_TOKEN", "two words")
        .start()
        .await;
    let answer = ask(&app, Method::GET, "/traces/", &[]).await;
    assert_eq!(answer.status(), 500);
    let text = answer.text().await.unwrap();
    assert!(
        text.contains("APP_VIEWER_TOKEN: ") && !text.contains("two words"),
        "{text}"
    );
}

async fn a_token_is_made_and_printed_where_none_is_set() {
    let token = |app: &App| {
        let banner = app.stdout();
        let after = banner.split("/traces/?token=").nth(1).unwrap_or_default();
        after.lines().next().unwrap_or_default().to_owned()
    };
    let launch = || launch_app().argument("--make-token");
    let app = launch().start().await;
    let made = token(&app);
    assert_eq!(made.len(), 32, "{}", app.stdout());
    for (token, status) in [(made.as_str(), 200), ("", 401), ("0", 401)] {
        let bearer = format!("Bearer {token}");
        let answer = ask(&app, Method::GET, "/traces/", &[("authorization", &bearer)]).await;
        assert_eq!(answer.status(), status, "{token}");
    }
    let app = launch().env("APP_VIEWER_TOKEN", TOKEN).start().await;
    assert_eq!(token(&app), "<APP_VIEWER_TOKEN>");
    let bearer = format!("Bearer {TOKEN}");
    let answer = ask(&app, Method::GET, "/traces/", &[("authorization", &bearer)]).await;
    assert_eq!(answer.status(), 200);
}

async fn browsers_may_send_from_this_machine_and_from_allowed_origins() {
    let app = launch_app()
        .env("APP_VIEWER_CORS", "loopback, https://shop.example")
        .start()
        .await;
    for (origin, may) in [
        ("http://localhost:5173", true),
        ("https://shop.example", true),
        ("https://evil.example", false),
    ] {
        let preflight = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,traceparent"),
        ];
        let preflight_response = ask(&app, Method::OPTIONS, "/v1/traces", &preflight).await;
        assert_eq!(preflight_response.status(), 204);
        let allowed = preflight_response
            .headers()
            .get("access-control-allow-origin");
        assert_eq!(
            allowed.map(|allowed| allowed == origin),
            may.then_some(true),
            "{origin}"
        );
        let request = app.request(Method::POST, "/v1/traces");
        let request = request
            .header("content-type", JSON)
            .header("origin", origin);
        let sent = request.body(trace(1)).send().await.unwrap();
        assert_eq!(sent.status(), if may { 200 } else { 403 }, "{origin}");
        let readable = sent.headers().contains_key("access-control-allow-origin");
        assert_eq!(readable, may, "{origin}");
    }
}
