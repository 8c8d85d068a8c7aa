//! A signal: requests in flight and spans in the queue.

use reqwest::Method;

use crate::harness::{Test, tests};
use crate::support::{
    Answer, Collector, Downstream, eventually, launch_app, launch_exporting_to, reuses_instances,
};

pub(crate) const TESTS: &[Test] = tests! {
    embedded_host: [
        ctrl_c_loses_no_span,
        ctrl_c_lets_requests_in_flight_finish,
        shuts_down_cleanly_on_a_signal_right_after_the_banner,
    ]
};

async fn ctrl_c_loses_no_span() {
    let reuses = reuses_instances();
    for signal in ["INT", "TERM"] {
        let collector = Collector::start().await;
        let mut app = launch_exporting_to(&collector)
            .env("OTEL_BSP_SCHEDULE_DELAY", "1500")
            .start()
            .await;
        for _ in 0..20 {
            app.request(Method::POST, "/process")
                .body("[]")
                .send()
                .await
                .unwrap();
        }
        if reuses {
            assert_eq!(collector.spans().len(), 0, "they still wait in the queue");
        }
        app.signal(signal);
        assert!(app.wait_for_exit().await.success());
        assert_eq!(collector.spans().len(), 20);
    }
}

async fn ctrl_c_lets_requests_in_flight_finish() {
    let collector = Collector::start().await;
    let downstream = Downstream::start([Answer::Held]).await;
    let mut app = launch_exporting_to(&collector)
        .env("APP_URL_DESTINO", downstream.url())
        .start()
        .await;
    let request = tokio::spawn(app.request(Method::POST, "/process").body("[]").send());
    let received = || (!downstream.received().is_empty()).then_some(());
    eventually("the request is in flight", received).await;
    app.signal("INT");
    let shutting_down = || app.stderr().contains("Shutting down").then_some(());
    eventually("the shutdown begins", shutting_down).await;
    downstream.release();
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
    assert!(app.wait_for_exit().await.success());
    assert_eq!(collector.spans().len(), 2);
}

async fn shuts_down_cleanly_on_a_signal_right_after_the_banner() {
    for _ in 0..5 {
        let mut app = launch_app().start().await;
        app.signal("INT");
        assert_eq!(app.wait_for_exit().await.code(), Some(0));
    }
}
