//! The open connections of a server: how many there may be, what each is doing, and which of them have to go.
//!
//! A connection says what it does in a few atomic words, so that a request costs no lock and no timer; whoever looks
//! after them reads these every second, and when another connection needs the place.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

mod activity;

pub use activity::{Activity, Ending, Phase};

/// How many connections there may be. Beyond, the one that has been idle longest is closed.
pub const MAX_CONNECTIONS: usize = 10_000;
/// Files that are left for everything else, such as requests out and databases; half of them where there are few.
pub const RESERVED_FILES: usize = 256;
/// How many more than the limit there may be for a moment: one part of so many.
const SLACK: usize = 8;
/// How long the head of a request may take from its first byte. Beyond, the answer is 408.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may be idle before its first request, and between two. Beyond, it is closed.
pub const KEEP_ALIVE: Duration = Duration::from_secs(60);
/// How long a client may take none of an answer that is ready for it. Beyond, the connection is closed.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// How many connections there may be where so many files may be open.
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
    /// As many as `limit` at a time.
    pub fn new(limit: usize) -> Connections {
        Connections(Arc::new(Registry {
            limit,
            next: AtomicU64::new(0),
            open: Mutex::default(),
            changed: Notify::new(),
        }))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.open().len()
    }

    /// Takes another one in.
    pub fn add(&self) -> Open {
        let activity = Arc::new(Activity::new());
        let id = self.0.next.fetch_add(1, Ordering::Relaxed);
        self.0.open().insert(id, Arc::clone(&activity));
        Open {
            id,
            activity,
            registry: Arc::clone(&self.0),
        }
    }

    /// Whether another one may be accepted. Where there is one too many, the one that can be missed most is told to
    /// go; a few more may come in until it has gone.
    pub fn make_place(&self) -> bool {
        let open = self.0.open();
        let going = open.values().filter(|activity| activity.ends()).count();
        if open.len() - going > self.0.limit {
            close_idlest(&open);
        }
        open.len() <= self.0.limit + self.0.limit / SLACK
    }

    /// Tells the one to go that can be missed most: files have run out.
    pub fn close_idlest(&self) {
        close_idlest(&self.0.open());
    }

    /// Tells those to go that take longer than they may.
    pub fn sweep(&self) {
        for activity in self.0.open().values() {
            if let Some(ending) = activity.overdue() {
                activity.end(ending);
            }
        }
    }

    /// Lets each finish the request that it is at.
    pub fn finish(&self) {
        for activity in self.0.open().values().filter(|activity| !activity.ends()) {
            activity.end(Ending::Finish);
        }
    }

    /// Waits until one is gone.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Waits until all are gone.
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

/// Tells the one to go that has been idle longest; if none is idle, the one whose head takes longest.
fn close_idlest(open: &HashMap<u64, Arc<Activity>>) {
    let candidates = open.values().filter(|activity| !activity.ends());
    let ranked = candidates.filter_map(|activity| match activity.phase() {
        Phase::Idle => Some((Ending::Idle, activity)),
        Phase::Head => Some((Ending::SlowHead, activity)),
        Phase::Busy | Phase::Flushing => None,
    });
    let first = ranked.max_by_key(|(ending, activity)| (*ending == Ending::Idle, activity.lasts()));
    if let Some((ending, activity)) = first {
        activity.end(ending);
    }
}

impl Registry {
    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Activity>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that is open for as long as this lives.
#[derive(Debug)]
pub struct Open {
    id: u64,
    activity: Arc<Activity>,
    registry: Arc<Registry>,
}

impl Open {
    /// Where it says what it does.
    pub fn activity(&self) -> &Arc<Activity> {
        &self.activity
    }
}

impl Drop for Open {
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

    /// A connection that began its phase so long ago.
    fn since(connections: &Connections, phase: Phase, ago: Duration) -> Open {
        let mut open = connections.add();
        let mut activity = Activity::new();
        activity.accepted -= ago;
        activity.phase = AtomicU64::new((phase as u64) << PHASE_SHIFT);
        let activity = Arc::new(activity);
        connections.0.open().insert(open.id, Arc::clone(&activity));
        open.activity = activity;
        open
    }

    fn told(open: &Open) -> Option<Ending> {
        open.activity()
            .poll_ending(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn there_are_files_for_other_things() {
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
    fn those_go_that_take_longer_than_they_may() {
        let second = Duration::from_secs(1);
        let table = [
            (Phase::Idle, KEEP_ALIVE, Some(Ending::Idle)),
            (Phase::Idle, KEEP_ALIVE - second, None),
            (Phase::Head, HEAD_TIMEOUT, Some(Ending::SlowHead)),
            (Phase::Head, HEAD_TIMEOUT - second, None),
            (Phase::Busy, 2 * KEEP_ALIVE, None),
            (Phase::Flushing, 2 * KEEP_ALIVE, None),
        ];
        for (phase, ago, ending) in table {
            let connections = Connections::new(10);
            let open = since(&connections, phase, ago);
            connections.sweep();
            assert_eq!(told(&open), ending, "{phase:?} for {ago:?}");
        }
    }

    #[test]
    fn a_client_that_takes_nothing_of_its_answer_is_left() {
        let connections = Connections::new(10);
        let open = since(&connections, Phase::Busy, WRITE_TIMEOUT);
        open.activity.unread.store(1, Ordering::Relaxed);
        connections.sweep();
        assert_eq!(told(&open), Some(Ending::Unread));
        open.activity.taken();
        assert_eq!(told(&open), None, "it took something after all");
    }

    #[test]
    fn the_idlest_makes_place() {
        let connections = Connections::new(SLACK);
        let seconds = Duration::from_secs;
        let busy = since(&connections, Phase::Busy, seconds(50));
        let head = since(&connections, Phase::Head, seconds(9));
        let idle = since(&connections, Phase::Idle, seconds(2));
        let idlest = since(&connections, Phase::Idle, seconds(3));
        let mut others: Vec<Open> = (4..SLACK)
            .map(|_| since(&connections, Phase::Busy, seconds(0)))
            .collect();
        assert!(connections.make_place());
        assert_eq!(told(&idlest), None, "there is a place");
        for (open, ending) in [
            (&idlest, Ending::Idle),
            (&idle, Ending::Idle),
            (&head, Ending::SlowHead),
        ] {
            others.push(since(&connections, Phase::Busy, seconds(0)));
            connections.make_place();
            connections.make_place();
            assert_eq!(told(open), Some(ending));
        }
        assert_eq!(told(&busy), None);
        assert!(!connections.make_place(), "those told so have not gone");
        drop((idlest, idle));
        assert!(connections.make_place());
    }

    #[test]
    fn who_gets_a_request_meanwhile_stays() {
        let connections = Connections::new(1);
        let open = connections.add();
        connections.close_idlest();
        open.activity().enter(Phase::Busy);
        assert_eq!(told(&open), None);
        open.activity().enter(Phase::Idle);
        connections.close_idlest();
        assert_eq!(told(&open), Some(Ending::Idle), "another time");
    }

    #[tokio::test]
    async fn at_the_end_each_finishes_what_it_is_at() {
        let connections = Connections::new(2);
        let (one, other) = (connections.add(), connections.add());
        connections.finish();
        assert_eq!(told(&one), Some(Ending::Finish));
        let gone = connections.closed();
        drop((one, other));
        gone.await;
    }
}
