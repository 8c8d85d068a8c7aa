//! The open connections of a server: how many there may be, what each is doing, and which of them are closed.
//!
//! A connection records its activity in a few atomics, so that a request costs no lock and no timer. The server
//! reads them every second, and when a new connection needs room.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

mod activity;

pub use activity::{Activity, CloseReason, Phase};

/// How many connections there may be. Beyond, the one that has been idle longest is closed.
pub const MAX_CONNECTIONS: usize = 10_000;
/// Files that are left for everything else, such as outbound requests and databases; half of all files if there are few.
pub const RESERVED_FILES: usize = 256;
/// How far the limit may be exceeded for a moment: by one connection in `SLACK`.
const SLACK: usize = 8;
/// How long the head of a request may take from its first byte. Beyond, the answer is 408.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be idle before its first request, and between two. Beyond, it is closed.
pub const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long a client may read nothing of a response that is ready. Beyond, the connection is closed.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// How many connections there may be if the process may open `files` files.
pub fn limit(files: u64) -> usize {
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    let reserved = RESERVED_FILES.min(files / 2);
    MAX_CONNECTIONS.min(files - reserved).max(1)
}

/// The connections of a server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connections(Arc<Registry>);

#[derive(Debug)]
struct Registry {
    limit: usize,
    next: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Activity>>>,
    changed: Notify,
}

impl Connections {
    /// At most `limit` connections at a time.
    pub fn new(limit: usize) -> Connections {
        Connections(Arc::new(Registry {
            limit,
            next: AtomicU64::new(0),
            open: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.0.open().len()
    }

    /// Adds a connection.
    pub fn add(&self) -> ConnectionGuard {
        let activity = Arc::new(Activity::new());
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.open().insert(id, Arc::clone(&activity));
        ConnectionGuard {
            id,
            activity,
            registry: Arc::clone(&self.0),
        }
    }

    /// Whether another one may be accepted. Above the limit the idlest connection is closed; a few more are accepted
    /// until that has happened.
    pub fn make_room(&self) -> bool {
        let open = self.0.open();
        let closing = open.values().filter(|activity| activity.is_closing());
        let closing = closing.count();
        if open.len() - closing > self.0.limit {
            close_idlest(&open);
        }
        open.len() <= self.0.limit + self.0.limit / SLACK
    }

    /// Closes the idlest connection: files have run out.
    pub fn close_idlest(&self) {
        close_idlest(&self.0.open());
    }

    /// Closes those that exceed a time limit.
    pub fn sweep(&self) {
        for activity in self.0.open().values() {
            if let Some(reason) = activity.overdue() {
                activity.close(reason);
            }
        }
    }

    /// Closes each after the request in progress.
    pub fn finish(&self) {
        let open = self.0.open();
        for activity in open.values().filter(|activity| !activity.is_closing()) {
            activity.close(CloseReason::Finish);
        }
    }

    /// Waits until one is closed.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Waits until all are closed.
    pub async fn closed(&self) {
        loop {
            let changed = self.0.changed.notified();
            if self.count() == 0 {
                return;
            }
            changed.await;
        }
    }
}

/// Closes the connection that has been idle longest; if none is idle, the one whose head takes longest.
fn close_idlest(open: &HashMap<u64, Arc<Activity>>) {
    let candidates = open.values().filter(|activity| !activity.is_closing());
    let ranked = candidates.filter_map(|activity| match activity.phase() {
        Phase::Idle => Some((CloseReason::Idle, activity)),
        Phase::Head => Some((CloseReason::SlowHead, activity)),
        Phase::Busy | Phase::Flushing => None,
    });
    let idlest = ranked
        .max_by_key(|(reason, activity)| (*reason == CloseReason::Idle, activity.phase_duration()));
    if let Some((reason, activity)) = idlest {
        activity.close(reason);
    }
}

impl Registry {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Activity>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open connection; it is removed when this is dropped.
#[derive(Debug)]
pub struct ConnectionGuard {
    id: u64,
    activity: Arc<Activity>,
    registry: Arc<Registry>,
}

impl ConnectionGuard {
    /// Where it records what it does.
    pub fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.registry.open().remove(&self.id);
        self.registry.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::activity::PHASE_SHIFT;
    use super::*;

    /// A connection that entered its phase so long ago.
    fn since(connections: &Connections, phase: Phase, ago: Duration) -> ConnectionGuard {
        let mut open = connections.add();
        let mut activity = Activity::new();
        activity.accepted -= ago;
        activity.phase = AtomicU64::new((phase as u64) << PHASE_SHIFT);
        let activity = Arc::new(activity);
        connections.0.open().insert(open.id, Arc::clone(&activity));
        open.activity = activity;
        open
    }

    fn close_reason(open: &ConnectionGuard) -> Option<CloseReason> {
        open.activity()
            .poll_close(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn leaves_files_for_other_things() {
        let table = [
            (u64::MAX, MAX_CONNECTIONS),
            (1_048_576, MAX_CONNECTIONS),
            (1024, 768),
            (256, 128),
            (1, 1),
        ];
        for (files, connections) in table {
            assert_eq!(limit(files), connections, "{files}");
        }
    }

    #[test]
    fn closes_those_that_exceed_a_time_limit() {
        let second = Duration::from_secs(1);
        let table = [
            (Phase::Idle, KEEP_ALIVE, Some(CloseReason::Idle)),
            (Phase::Idle, KEEP_ALIVE - second, None),
            (Phase::Head, HEAD_TIMEOUT, Some(CloseReason::SlowHead)),
            (Phase::Head, HEAD_TIMEOUT - second, None),
            (Phase::Busy, 2 * KEEP_ALIVE, None),
            (Phase::Flushing, 2 * KEEP_ALIVE, None),
        ];
        for (phase, ago, ending) in table {
            let connections = Connections::new(10);
            let open = since(&connections, phase, ago);
            connections.sweep();
            assert_eq!(close_reason(&open), ending, "{phase:?} for {ago:?}");
        }
    }

    #[test]
    fn drops_a_client_that_reads_nothing_of_its_response() {
        let connections = Connections::new(10);
        let open = since(&connections, Phase::Busy, WRITE_TIMEOUT);
        open.activity.blocked_since.store(1, Ordering::Relaxed);
        connections.sweep();
        assert_eq!(close_reason(&open), Some(CloseReason::Unread));
        open.activity.write_progressed();
        assert_eq!(close_reason(&open), None, "it read something after all");
    }

    #[test]
    fn the_idlest_makes_room() {
        let connections = Connections::new(SLACK);
        let seconds = Duration::from_secs;
        let busy = since(&connections, Phase::Busy, seconds(50));
        let head = since(&connections, Phase::Head, seconds(9));
        let idle = since(&connections, Phase::Idle, seconds(2));
        let idlest = since(&connections, Phase::Idle, seconds(3));
        let mut others: Vec<ConnectionGuard> = (4..SLACK)
            .map(|_| since(&connections, Phase::Busy, seconds(0)))
            .collect();
        assert!(connections.make_room());
        assert_eq!(close_reason(&idlest), None, "there is room");
        for (open, ending) in [
            (&idlest, CloseReason::Idle),
            (&idle, CloseReason::Idle),
            (&head, CloseReason::SlowHead),
        ] {
            others.push(since(&connections, Phase::Busy, seconds(0)));
            connections.make_room();
            connections.make_room();
            assert_eq!(close_reason(open), Some(ending));
        }
        assert_eq!(close_reason(&busy), None);
        assert!(!connections.make_room(), "they are not closed yet");
        drop((idlest, idle));
        assert!(connections.make_room());
    }

    #[test]
    fn a_connection_with_a_new_request_stays() {
        let connections = Connections::new(1);
        let open = connections.add();
        connections.close_idlest();
        open.activity().enter(Phase::Busy);
        assert_eq!(close_reason(&open), None);
        open.activity().enter(Phase::Idle);
        connections.close_idlest();
        assert_eq!(close_reason(&open), Some(CloseReason::Idle), "another time");
    }

    #[tokio::test]
    async fn finishes_requests_in_progress_before_closing() {
        let connections = Connections::new(2);
        let (one, other) = (connections.add(), connections.add());
        connections.finish();
        assert_eq!(close_reason(&one), Some(CloseReason::Finish));
        let gone = connections.closed();
        drop((one, other));
        gone.await;
    }
}
