//! Components that do what no component should, in the embedded host. Skipped on real Spin.

use std::time::Duration;

use futures::future::join_all;
use reqwest::Method;
use tokio::time::timeout;

use crate::harness::{Test, tests};
use crate::support::{App, eventually, launch_app, repository};

pub(crate) const TESTS: &[Test] = tests! {
    embedded_host: [
        a_guest_that_loops_for_ever_holds_no_core,
        a_guest_that_grows_without_bound_is_refused_memory,
        a_trap_is_answered_for_every_request_of_the_instance_and_the_next_one_is_served,
        an_answer_without_an_end_stops_with_its_reader,
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

async fn a_guest_that_loops_for_ever_holds_no_core() {
    let app = unruly().await;
    // More of them than there are cores.
    let loops = (0..8).map(|_| app.request(Method::GET, "/loop").send());
    // One that is in the same instance as a loop waits as long as that does.
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

async fn a_guest_that_grows_without_bound_is_refused_memory() {
    let app = unruly().await;
    let (status, sentence) = get(&app, "/grow").await;
    assert_eq!(status, 500, "{sentence}");
    eventually("it is said", || {
        app.stderr().contains("one may take 256 MiB").then_some(())
    })
    .await;
    assert_eq!(get(&app, "/").await.0, 200);
}

async fn a_trap_is_answered_for_every_request_of_the_instance_and_the_next_one_is_served() {
    let app = unruly().await;
    let waiting = (0..15).map(|_| get(&app, "/wait"));
    let (waiting, trapped) = tokio::join!(join_all(waiting), async { get(&app, "/trap").await });
    assert_eq!(trapped.0, 500, "{trapped:?}");
    for (status, said) in &waiting {
        let fine = (*status, said.as_str()) == (200, "waited");
        assert!(fine || *status == 500, "{status} {said}");
    }
    assert_eq!(get(&app, "/").await, (200, "well-behaved".to_owned()));
}

async fn an_answer_without_an_end_stops_with_its_reader() {
    let mut app = unruly().await;
    let mut answer = app.request(Method::GET, "/endless").send().await.unwrap();
    for _ in 0..100 {
        assert!(answer.chunk().await.unwrap().is_some());
    }
    drop(answer);
    assert_eq!(get(&app, "/").await.0, 200);
    // The instance has nothing to do any more, and so does not hold up the shutdown.
    app.signal("TERM");
    app.wait_for_exit().await;
    eventually("it shuts down", || {
        app.stderr().contains("Shutting down").then_some(())
    })
    .await;
    assert!(!app.stderr().contains("still had work"), "{}", app.stderr());
}
