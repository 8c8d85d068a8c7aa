//! `GET events`: says that the store has changed, as server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
//!
//! An event has the store's counts. Whoever receives it asks for what it shows. Other instances write to the same
//! database, so a stream reads the counts a few times a second, and all streams of an instance share what one has read.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use serde_json::json;

use crate::response::{Content, Problem};
use crate::store::state::{self, State};
use crate::wasi::{DatabaseError, Runtime};

/// Its path after the API's prefix.
pub const ENDPOINT: &str = "events";
/// How often a stream looks for changes.
pub const INTERVAL: Duration = Duration::from_millis(200);
/// After how long without an event a stream shows that it is alive.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lasts. The client opens another one, perhaps of another instance.
pub const LIFETIME: Duration = Duration::from_secs(300);
/// The most streams of an instance. A browser has one for all of its tabs.
pub const MAX_STREAMS: usize = 8;
/// After how long a client opens the next stream, in milliseconds.
const RETRY: &str = "retry: 1000\n";

const LAST_EVENT_ID: &str = "last-event-id";
/// Proxies such as nginx hold back a response without it.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

thread_local! {
    static OPEN: Cell<usize> = const { Cell::new(0) };
    /// What was read last, and when, in milliseconds since 1970.
    static LATEST: RefCell<Option<(i64, Rc<State>)>> = const { RefCell::new(None) };
}

/// Answers `GET events`.
///
/// # Errors
/// 503 if the instance has too many streams.
pub fn answer(head: &Parts) -> Result<Response<Content>, Problem> {
    let content = match head.method {
        Method::GET => Content::Events(EventStream::open(&head.headers)?),
        Method::HEAD => Content::Whole(Bytes::new()),
        _ => {
            let problem = format!("{} is not possible on '{ENDPOINT}'", head.method);
            let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, problem);
            let mut response = problem.response();
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            return Ok(response.map(Content::Whole));
        }
    };
    let mut response = Response::new(content);
    for (name, value) in [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        (BUFFERING, "no"),
    ] {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// The answer where there are no streams: 204, by which a server says so (HTML, section 9.2.3).
pub fn none() -> Response<Content> {
    let mut response = Response::new(Content::Whole(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// One client's stream of events.
#[derive(Debug)]
pub struct EventStream {
    /// When it began, and when its last event was sent, in milliseconds since 1970. None before the first bytes.
    times: Option<(i64, i64)>,
    /// The id of the last event.
    last: String,
    _permit: StreamPermit,
}

impl EventStream {
    /// A stream that goes on after the event that the client names, if it does.
    ///
    /// # Errors
    /// 503 if the instance has too many.
    fn open(headers: &HeaderMap) -> Result<EventStream, Problem> {
        let last = headers.get(LAST_EVENT_ID);
        let last = last.and_then(|last| last.to_str().ok()).unwrap_or_default();
        Ok(EventStream {
            times: None,
            last: last.to_owned(),
            _permit: StreamPermit::take()?,
        })
    }

    /// Waits, and returns what is to be sent then; None at the end. Without news it is empty, and tells whether the client
    /// still takes it.
    pub async fn next(&mut self, runtime: &impl Runtime) -> Option<Vec<u8>> {
        if self.times.is_some() {
            runtime.sleep(INTERVAL).await;
        }
        let now = runtime.now() / 1_000_000;
        // A database that is busy may have news the next time.
        let state = latest(runtime, now).await.ok();
        self.message(now, state.as_deref())
    }

    /// What is to be sent at a time, in milliseconds since 1970.
    fn message(&mut self, now: i64, state: Option<&State>) -> Option<Vec<u8>> {
        let mut text = String::new();
        if self.times.is_none() {
            text.push_str(RETRY);
        }
        let (began, said) = self.times.get_or_insert((now, now));
        if now - *began >= millis(LIFETIME) {
            return None;
        }
        let news = state.map(|state| (id(state), state));
        if let Some((id, state)) = news.filter(|(id, _)| *id != self.last) {
            text.push_str(&format!("id: {id}\ndata: {}\n\n", data(state)));
            self.last = id;
            *said = now;
        } else if now - *said >= millis(HEARTBEAT) {
            // A comment would be invisible to a page, which wants to know whether its connection is alive.
            text.push_str("event: heartbeat\ndata\n\n");
            *said = now;
        } else if !text.is_empty() {
            text.push('\n');
        }
        Some(text.into_bytes())
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The counters, which another stream of the instance may have read just now.
async fn latest(runtime: &impl Runtime, now: i64) -> Result<Rc<State>, DatabaseError> {
    let read = LATEST.with_borrow(Clone::clone);
    if let Some((when, state)) = read
        && (0..millis(INTERVAL) / 2).contains(&(now - when))
    {
        return Ok(state);
    }
    let database = runtime.connect().await?;
    let state = state::read(&database).await.map(Rc::new);
    runtime.release(database);
    let state = state?;
    LATEST.set(Some((now, Rc::clone(&state))));
    Ok(state)
}

/// Differs between any two states that a client could tell apart.
fn id(state: &State) -> String {
    let State {
        changed,
        last_log,
        cleared,
        turned_away,
        ..
    } = state;
    let arrived = state.received + state.duplicates + state.late;
    format!("{changed}-{arrived}-{last_log}-{cleared}-{turned_away}")
}

fn data(state: &State) -> serde_json::Value {
    json!({
        "changed": state.changed,
        "traces": state.traces,
        "spans": state.spans,
        "bytes": state.held_bytes(),
        "received": state.received,
        "turned_away": state.turned_away,
        "late": state.late,
        "duplicates": state.duplicates,
        "since": state.since.to_string(),
    })
}

/// The place of a stream in its instance.
#[derive(Debug)]
struct StreamPermit(());

impl StreamPermit {
    fn take() -> Result<StreamPermit, Problem> {
        let open = OPEN.get();
        if open >= MAX_STREAMS {
            let problem = format!("the instance has {open} streams of events already");
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, problem));
        }
        OPEN.set(open + 1);
        Ok(StreamPermit(()))
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        OPEN.set(OPEN.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use futures::executor::block_on;
    use http::Request;

    use super::*;
    use crate::settings::Bounds;
    use crate::store::group_commit::GroupCommit;
    use crate::store::tests::{batch, span};
    use crate::store::totals;
    use crate::wasi::native::NativeRuntime;

    fn opened(last: &str) -> EventStream {
        let mut headers = HeaderMap::new();
        headers.insert(LAST_EVENT_ID, last.parse().unwrap());
        EventStream::open(&headers).unwrap()
    }

    fn at(changed: i64) -> State {
        State {
            changed,
            ..State::default()
        }
    }

    fn text(message: Option<Vec<u8>>) -> String {
        String::from_utf8(message.unwrap()).unwrap()
    }

    #[test]
    fn says_what_has_changed_and_nothing_twice() {
        let mut stream = opened("");
        let first = text(stream.message(0, Some(&at(7))));
        assert!(
            first.starts_with("retry: 1000\nid: 7-0-0-0-0\ndata: {"),
            "{first}"
        );
        assert!(first.ends_with("}\n\n"), "{first}");
        let second = 15_000;
        let table = [
            (100, Some(at(7)), ""),
            (200, None, ""),
            (300, Some(at(8)), "id: 8-0-0-0-0\ndata: {"),
            (second, Some(at(8)), ""),
            (second + 299, Some(at(8)), ""),
            (second + 300, Some(at(8)), "event: heartbeat\ndata\n\n"),
            (second + 400, None, ""),
            (second + 500, Some(at(9)), "id: 9-0-0-0-0\ndata: {"),
        ];
        for (now, state, expected) in table {
            let sent = text(stream.message(now, state.as_ref()));
            let is_same = match expected {
                "" => sent.is_empty(),
                _ => sent.starts_with(expected),
            };
            assert!(is_same, "at {now}: {sent:?}");
        }
        assert_eq!(stream.message(millis(LIFETIME), Some(&at(10))), None);
    }

    #[test]
    fn goes_on_after_the_last_event_of_the_client() {
        let known = text(opened("7-0-0-0-0").message(0, Some(&at(7))));
        assert_eq!(known, "retry: 1000\n\n");
        for last in ["6-0-0-0-0", "nonsense"] {
            let news = text(opened(last).message(0, Some(&at(7))));
            assert!(news.contains("\ndata: {"), "{last}: {news}");
        }
    }

    #[test]
    fn each_change_that_the_page_shows_has_another_id() {
        let change = |change: fn(&mut State)| {
            let mut state = at(7);
            change(&mut state);
            id(&state)
        };
        for changed in [
            change(|state| state.changed += 1),
            change(|state| state.late += 1),
            change(|state| state.duplicates += 1),
            change(|state| state.turned_away += 1),
            change(|state| state.cleared += 1),
        ] {
            assert_ne!(changed, id(&at(7)));
        }
    }

    #[test]
    fn sees_what_another_connection_has_written() {
        let (runtime, group) = (NativeRuntime::new(), GroupCommit::default());
        let mut stream = opened("");
        let empty = text(block_on(stream.next(&runtime)));
        assert!(empty.contains("\"traces\":0"), "{empty}");
        let bounds = Bounds {
            traces: 10,
            bytes: 1 << 20,
        };
        let export = batch("shop", vec![span(1, 1, 0)]);
        block_on(group.store(&runtime, &bounds, export, 0)).unwrap();
        let began = Instant::now();
        let said = text(block_on(stream.next(&runtime)));
        assert!(began.elapsed() >= INTERVAL, "it does not ask all the time");
        let said = said.split("data: ").nth(1).unwrap();
        let said: serde_json::Value = serde_json::from_str(said).unwrap();
        let database = block_on(runtime.connect()).unwrap();
        let counts = block_on(totals::counts(&database)).unwrap();
        let mut counts = serde_json::to_value(counts).unwrap();
        for left_out in ["oldest", "in_memory"] {
            counts.as_object_mut().unwrap().remove(left_out);
        }
        assert_eq!(said, counts, "as `GET counts` says it");
        assert_eq!(said["traces"], 1);
    }

    #[test]
    fn an_instance_has_a_few_streams_only() {
        let ask = |method: &str| {
            let request = Request::builder().method(method).uri("/traces/api/events");
            answer(&request.body(()).unwrap().into_parts().0)
        };
        let mut streams: Vec<_> = (0..MAX_STREAMS).map(|_| ask("GET").unwrap()).collect();
        let refused = ask("GET").err().unwrap();
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ask("HEAD").unwrap().status(), StatusCode::OK);
        let posted = ask("POST").unwrap();
        assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
        streams.pop();
        assert!(ask("GET").is_ok(), "one has ended");
    }
}
