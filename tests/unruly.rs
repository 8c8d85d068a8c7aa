//! The embedded host with components that misbehave.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use tokio::time::timeout;

use crate::harness::{Test, tests};
use crate::support::{App, eventually, launch_app, repository};

pub(crate) const TESTS: &[Test] = tests! {
    embedded_host: [
        a_guest_in_an_endless_loop_does_not_block_others,
        refuses_memory_to_a_guest_that_grows_without_bound,
        a_trap_fails_every_request_of_its_instance_and_no_later_one,
        an_endless_response_stops_when_its_reader_disconnects,
    ]
};

async fn unruly() -> App {
    let manifest = repository().join("tests/unruly/spin.toml");
    launch_app().manifest(&manifest).start().await
}

async fn get(app: &App, path: &str) -> (u16, String) {
    let answer = app.request(Method::GET, path).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn a_guest_in_an_endless_loop_does_not_block_others() {
    let app = unruly().await;
    // More of them than there are cores.
    let loops = (0..8).map(|_| app.request(Method::GET, "/loop").send());
    // A request in the same instance as a loop waits as long as the loop runs.
    let others = async {
        let mut served_in_a_row = 0;
        for _ in 0..30 {
            let answer = timeout(Duration::from_secs(3), get(&app, "/")).await;
            served_in_a_row = match answer {
                Ok(answer) => {
                    assert_eq!(answer, (200, "well-behaved".to_owned()));
                    served_in_a_row + 1
                }
                Err(_) => 0,
            };
            if served_in_a_row == 10 {
                return;
            }
        }
        panic!("nobody else is served");
    };
    tokio::select! {
        _ = join_all(loops) => panic!("a loop has ended"),
        () = others => {}
    }
    assert!(!app.stderr().contains("trapped"), "{}", app.stderr());
}

async fn refuses_memory_to_a_guest_that_grows_without_bound() {
    let app = unruly().await;
    let (status, sentence) = get(&app, "/grow").await;
    assert_eq!(status, 500, "{sentence}");
    eventually("it is reported", || {
        app.stderr().contains("one may take 256 MiB").then_some(())
    })
    .await;
    assert_eq!(get(&app, "/").await.0, 200);
}

async fn a_trap_fails_every_request_of_its_instance_and_no_later_one() {
    let app = unruly().await;
    let waiting = (0..15).map(|_| get(&app, "/wait"));
    let (waiting, trapped) = tokio::join!(join_all(waiting), async { get(&app, "/trap").await });
    assert_eq!(trapped.0, 500, "{trapped:?}");
    for (status, text) in &waiting {
        let fine = (*status, text.as_str()) == (200, "waited");
        assert!(fine || *status == 500, "{status} {text}");
    }
    assert_eq!(get(&app, "/").await, (200, "well-behaved".to_owned()));
}

async fn an_endless_response_stops_when_its_reader_disconnects() {
    let mut app = unruly().await;
    let mut answer = app.request(Method::GET, "/endless").send().await.unwrap();
    for _ in 0..100 {
        assert!(answer.chunk().await.unwrap().is_some());
    }
    drop(answer);
    assert_eq!(get(&app, "/").await.0, 200);
    // The instance is idle again, and does not delay the shutdown.
    app.signal("TERM");
    app.wait_for_exit().await;
    eventually("it shuts down", || {
        app.stderr().contains("Shutting down").then_some(())
    })
    .await;
    assert!(!app.stderr().contains("still had work"), "{}", app.stderr());
}
