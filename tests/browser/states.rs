//! What the page says of itself: messages, a server that is gone, menus, and a phone.

use super::{ROWS, id, store};
use crate::harness::{Test, tests};
use crate::support::{Browser, launch_app, screenshot};
use crate::viewer::span;

pub(crate) const TESTS: &[Test] = tests! {
    browser: [
        messages_are_seen_and_deleted_services_leave_the_menus,
        a_server_that_is_gone_is_said_on_every_view_until_it_is_back,
        a_tap_on_a_phone_shows_the_details_and_filters_fold,
    ]
};

/// Whether an element is where one sees it.
fn in_sight(selector: &str) -> String {
    format!(
        "(one => one && one.width > 40 && one.height > 10 && one.top >= 0 && one.bottom <= innerHeight)(document.querySelector('{selector}')?.getBoundingClientRect())"
    )
}

async fn messages_are_seen_and_deleted_services_leave_the_menus() {
    // A quarter of eight traces may be pinned.
    let app = launch_app().env("APP_VIEWER_TRACES", "8").start().await;
    for number in 1..=3 {
        store(&app, "shop", &[span(&id(number), number, 0, "buy", (0, 9))]).await;
    }
    let browser = Browser::start().await;
    browser.resize(1100, 800).await;
    for number in 1..=3 {
        browser
            .open(&app.url(&format!("/traces/#/trace/{}", id(number))))
            .await;
        browser
            .wait_until(
                "the trace is shown",
                "document.querySelectorAll('.span').length === 1",
            )
            .await;
        browser.click(".trace button.pin").await;
        let said = match number {
            3 => "can’t be pinned|can't be pinned",
            _ => "is kept until it is unpinned",
        };
        browser
            .wait_until(
                "what became of it is seen",
                &format!(
                    "/{said}/.test(document.getElementById('said').innerText) && {}",
                    in_sight("#said")
                ),
            )
            .await;
    }
    screenshot(&browser, "store-full").await;
    browser.open(&app.url("/traces/#/")).await;
    browser
        .wait_until("all are listed", &format!("{ROWS} === 3"))
        .await;
    let menu = "document.querySelector('.facet').innerText";
    browser.click(".facet summary").await;
    browser
        .wait_until("the menu has it", &format!("{menu}.includes('shop')"))
        .await;
    browser.click(".facet summary").await;
    browser.click(".danger").await;
    browser.accept_alert().await;
    browser
        .wait_until(
            "that they are deleted is seen",
            &format!(
                "document.getElementById('said').innerText === 'All traces are deleted' && {}",
                in_sight("#said")
            ),
        )
        .await;
    store(&app, "other", &[span(&id(9), 9, 0, "look", (0, 9))]).await;
    browser
        .wait_until("another is listed", &format!("{ROWS} === 1"))
        .await;
    browser.click(".facet summary").await;
    browser
        .wait_until(
            "the menu has what is there",
            &format!("{menu}.includes('other') && !{menu}.includes('shop')"),
        )
        .await;
    browser
        .wait_until(
            "a message goes by itself",
            "document.getElementById('said').innerText === ''",
        )
        .await;
}

async fn a_server_that_is_gone_is_said_on_every_view_until_it_is_back() {
    let app = launch_app().start().await;
    store(&app, "shop", &[span(&id(1), 1, 0, "buy", (0, 9))]).await;
    let browser = Browser::start().await;
    browser.resize(1500, 900).await;
    let views = [
        ("#/", ".rows .row"),
        ("#/map", ".map"),
        ("#/try", "form"),
        (&format!("#/trace/{}", id(1)), ".span"),
    ];
    for (view, shown) in views {
        browser.open(&app.url(&format!("/traces/{view}"))).await;
        let is_shown = format!("document.querySelector('{shown}')");
        browser.wait_until(view, &is_shown).await;
        browser.set_offline(true).await;
        browser
            .wait_until(
                "that it is gone is seen",
                &format!("{} && document.getElementById('gone').innerText.includes('the server does not answer')", in_sight("#gone")),
            )
            .await;
        browser.wait_until("what was there stays", &is_shown).await;
        browser.set_offline(false).await;
        browser
            .wait_until(
                "it is back by itself",
                "document.getElementById('gone').hidden",
            )
            .await;
    }
    browser.open(&app.url("/traces/#/")).await;
    store(&app, "shop", &[span(&id(2), 2, 0, "buy", (0, 9))]).await;
    browser
        .wait_until("and the list goes on", &format!("{ROWS} === 2"))
        .await;
}

async fn a_tap_on_a_phone_shows_the_details_and_filters_fold() {
    let app = launch_app().start().await;
    let spans: Vec<_> = (1..=60)
        .map(|number| span(&id(1), number, number / 2, &format!("op {number}"), (0, 99)))
        .collect();
    store(&app, "shop", &spans).await;
    let browser = Browser::start().await;
    browser.resize(400, 800).await;
    browser.open(&app.url("/traces/")).await;
    browser
        .wait_until("it is listed", &format!("{ROWS} === 1"))
        .await;
    let folded = "!document.querySelector('.more-filters').open";
    browser.wait_until("filters are folded", folded).await;
    let wide = "document.documentElement.scrollWidth > innerWidth";
    assert_eq!(browser.execute(&format!("return {wide}")).await, false);
    browser.click(".rows .row").await;
    browser
        .wait_until(
            "its spans are shown",
            "document.querySelectorAll('.span').length > 5",
        )
        .await;
    browser.click(".span:nth-child(2) .label").await;
    browser
        .wait_until(
            "the details of the chosen span are in sight",
            "(panel => panel && !panel.hidden && panel.innerText.includes(document.querySelector('.span.selected')?.innerText.match(/op \\d+/)[0]) && panel.getBoundingClientRect().top < innerHeight - 100)(document.querySelector('.panel'))",
        )
        .await;
    screenshot(&browser, "phone-details").await;
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
}
