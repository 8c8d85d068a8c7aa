//! The memory that instances may take, all together, and which of them go first where it runs out.
//!
//! An instance that serves a request keeps its room. One that only goes on after its answers, such as with an
//! export, has room for as long as nobody else needs it, and all of these together have a share only: then the one
//! that has waited longest has its outbound requests failed, upon which it can only end.
//!
//! No single instance takes more than [`MAX_INSTANCE_BYTES`], and a large one grows no further once the room is used
//! up. Its guest is told that there is no memory, as on any machine.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use wasmtime::ResourceLimiter;

/// What an instance is taken to need beside its linear memory, in bytes: its store, tables, stacks, connections.
const INSTANCE_BYTES: usize = 64 * 1024;
/// Of the memory that an instance starts with, one byte in so many is taken to be touched. An instance of the
/// service that waits with a full batch was measured at 420 KiB in all, of 1,280 KiB that it starts with.
const INITIAL_SHARE: usize = 3;
/// The memory that one instance may take, in bytes: four times what the largest export takes the viewer.
pub const MAX_INSTANCE_BYTES: usize = 256 << 20;
/// What an instance may take even where the room is used up, in bytes: it could do no work at all with less.
const MODEST_BYTES: usize = 32 << 20;
/// The elements that one table of an instance may have: several times those of the service and the viewer.
const MAX_TABLE_ELEMENTS: usize = 100_000;
/// The share of the room that instances may take which only go on after their answers.
const LINGERING: (usize, usize) = (3, 8);
/// How often it is said that room has run out.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The room of an application, shared by all of its instances. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Room(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limit: usize,
    used: AtomicUsize,
    /// Parent of every instance's token.
    stopping: CancellationToken,
    instances: Mutex<Instances>,
}

#[derive(Debug, Default)]
struct Instances {
    next: u64,
    /// Instances that only go on after their answers, those that have waited longest first.
    lingering: BTreeMap<u64, LingeringInstance>,
    /// What they take.
    lingering_bytes: usize,
    /// Those of them that were told to go, and have not gone yet.
    leaving: BTreeMap<u64, LingeringInstance>,
    report: Report,
    reported: Option<Instant>,
}

/// What has come of a lack of room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Instances that only went on after their answers, and had to go.
    pub told_to_go: usize,
    /// Instances that could not start.
    pub refused: usize,
    /// Times that an instance was refused more memory.
    pub too_large: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            told_to_go,
            refused,
            too_large,
        } = *self;
        let mut clauses = Vec::new();
        if told_to_go + refused > 0 {
            clauses.push(format!(
                "there was no room (--max-memory, or open files): {told_to_go} instances that only went on after \
                 their answers were told to go, {refused} could not start"
            ));
        }
        if too_large > 0 {
            let mebibytes = MAX_INSTANCE_BYTES >> 20;
            clauses.push(format!(
                "instances were refused more memory {too_large} times: one may take {mebibytes} MiB, as long as \
                 --max-memory has room for that"
            ));
        }
        f.write_str(&clauses.join("; "))
    }
}

#[derive(Debug)]
struct LingeringInstance {
    outbound: CancellationToken,
    bytes: Arc<AtomicUsize>,
    /// What it took when it began to linger.
    counted: usize,
}

/// No instance can start: those that serve requests take all the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Full {
    limit: usize,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = self.limit >> 20;
        write!(
            f,
            "instances that serve requests take all of the {mebibytes} MiB that --max-memory allows"
        )
    }
}

impl std::error::Error for Full {}

impl Room {
    /// Room for so many bytes.
    pub fn new(limit: usize) -> Room {
        Room(Arc::new(Shared {
            limit,
            used: AtomicUsize::new(0),
            stopping: CancellationToken::new(),
            instances: Mutex::default(),
        }))
    }

    /// How many bytes it has in all.
    pub fn limit(&self) -> usize {
        self.0.limit
    }

    /// Room for another instance. Where there is none, the one that has waited longest is told to go.
    ///
    /// # Errors
    /// [`Full`] where those that serve requests take all the room.
    pub fn enter(&self) -> Result<Reservation, Full> {
        let shared = &self.0;
        if shared.used.load(Ordering::Relaxed) >= shared.limit {
            let mut instances = shared.instances();
            instances.tell_oldest_to_go();
            let going = instances
                .leaving
                .values()
                .chain(instances.lingering.values());
            let going: usize = going.map(|one| one.bytes.load(Ordering::Relaxed)).sum();
            let used = shared.used.load(Ordering::Relaxed);
            if used.saturating_sub(going) >= shared.limit {
                instances.report.refused += 1;
                return Err(Full {
                    limit: shared.limit,
                });
            }
        }
        let reservation = Reservation {
            room: self.clone(),
            outbound: shared.stopping.child_token(),
            bytes: Arc::default(),
        };
        reservation.charge(INSTANCE_BYTES);
        Ok(reservation)
    }

    /// Tells an instance that only goes on after its answers to go, where there is one: something else than
    /// memory has run out.
    pub fn make(&self) {
        self.0.instances().tell_oldest_to_go();
    }

    /// What has come of a lack of room since this was asked last, at most once in ten seconds.
    pub fn report(&self) -> Option<Report> {
        let mut instances = self.0.instances();
        let due = instances
            .reported
            .is_none_or(|last| last.elapsed() >= REPORT_INTERVAL);
        if instances.report == Report::default() || !due {
            return None;
        }
        instances.reported = Some(Instant::now());
        Some(std::mem::take(&mut instances.report))
    }

    /// Fails every outbound request, now and from now on: the process is about to end.
    pub fn close(&self) {
        self.0.stopping.cancel();
    }

    /// Whether [`Room::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.0.stopping.is_cancelled()
    }
}

impl Shared {
    fn instances(&self) -> MutexGuard<'_, Instances> {
        self.instances
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Instances {
    fn tell_oldest_to_go(&mut self) {
        if let Some((id, oldest)) = self.lingering.pop_first() {
            self.lingering_bytes -= oldest.counted;
            oldest.outbound.cancel();
            self.leaving.insert(id, oldest);
            self.report.told_to_go += 1;
        }
    }
}

/// An instance's part of the room, for as long as this lives.
#[derive(Debug)]
pub struct Reservation {
    room: Room,
    outbound: CancellationToken,
    bytes: Arc<AtomicUsize>,
}

impl Reservation {
    /// Cancelled where the instance's outbound requests have to fail.
    pub fn outbound(&self) -> &CancellationToken {
        &self.outbound
    }

    /// What is needed to say that the instance only goes on after its answers.
    pub fn linger(&self) -> Linger {
        Linger {
            room: self.room.clone(),
            outbound: self.outbound.clone(),
            bytes: Arc::clone(&self.bytes),
            ticket: None,
        }
    }

    /// Whether it may take so many bytes more.
    fn may_take(&self, bytes: usize) -> bool {
        let taken = self.bytes.load(Ordering::Relaxed).saturating_add(bytes);
        let shared = &self.room.0;
        let used = shared.used.load(Ordering::Relaxed).saturating_add(bytes);
        taken <= MAX_INSTANCE_BYTES && (taken <= MODEST_BYTES || used <= shared.limit)
    }

    fn charge(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.room.0.used.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        self.room.0.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Charges what linear memories take: a share of what they start with, and all that they grow by.
impl ResourceLimiter for Reservation {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let bytes = match current {
            0 => desired / INITIAL_SHARE,
            _ => desired.saturating_sub(current),
        };
        let granted = self.may_take(bytes);
        match granted {
            true => self.charge(bytes),
            false => self.room.0.instances().report.too_large += 1,
        }
        Ok(granted)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= MAX_TABLE_ELEMENTS)
    }
}

/// Where an instance says that it begins and ends to wait with nothing but work after its answers.
#[derive(Debug)]
pub struct Linger {
    room: Room,
    outbound: CancellationToken,
    bytes: Arc<AtomicUsize>,
    ticket: Option<u64>,
}

impl Linger {
    /// Cancelled where the instance is told to go.
    pub fn outbound(&self) -> &CancellationToken {
        &self.outbound
    }

    /// The instance only goes on after its answers, from now on; nothing where it has said so.
    pub fn begin(&mut self) {
        if self.ticket.is_some() {
            return;
        }
        let mut instances = self.room.0.instances();
        let id = instances.next;
        instances.next += 1;
        let counted = self.bytes.load(Ordering::Relaxed);
        let instance = LingeringInstance {
            outbound: self.outbound.clone(),
            bytes: Arc::clone(&self.bytes),
            counted,
        };
        instances.lingering.insert(id, instance);
        instances.lingering_bytes += counted;
        self.ticket = Some(id);
        let (share, of) = LINGERING;
        while instances.lingering_bytes > self.room.0.limit / of * share
            && instances.lingering.len() > 1
        {
            instances.tell_oldest_to_go();
        }
    }

    /// The instance is to serve a request. False where it has been told to go, and so may not.
    pub fn end(&mut self) -> bool {
        if let Some(id) = self.ticket.take() {
            let mut instances = self.room.0.instances();
            if let Some(instance) = instances.lingering.remove(&id) {
                instances.lingering_bytes -= instance.counted;
            }
            instances.leaving.remove(&id);
        }
        !self.outbound.is_cancelled() || self.room.is_closed()
    }
}

impl Drop for Linger {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use super::*;

    /// Room for three instances that take a MiB each.
    fn three() -> (Room, Vec<Reservation>) {
        let room = Room::new(3 << 20);
        let reservations = (0..3).map(|_| reservation(&room).unwrap()).collect();
        (room, reservations)
    }

    fn reservation(room: &Room) -> Result<Reservation, Full> {
        let mut reservation = room.enter()?;
        let initial = reservation.memory_growing(0, INSTANCE_BYTES * INITIAL_SHARE, None);
        assert!(initial.unwrap());
        let grown = (1 << 20) - INSTANCE_BYTES;
        let grown = reservation.memory_growing(INSTANCE_BYTES, grown, None);
        assert!(grown.unwrap());
        Ok(reservation)
    }

    #[test]
    fn who_serves_requests_keeps_the_room() {
        let (room, mut reservations) = three();
        let full = reservation(&room).unwrap_err().to_string();
        assert!(full.contains("all of the 3 MiB"), "{full}");
        reservations.pop();
        assert!(reservation(&room).is_ok(), "one has gone");
    }

    #[test]
    fn the_one_that_has_waited_longest_goes_first() {
        let room = Room::new(9 << 20);
        let reservations: Vec<_> = (0..9).map(|_| reservation(&room).unwrap()).collect();
        let mut lingers: Vec<_> = reservations[..3].iter().map(Reservation::linger).collect();
        lingers[1].begin();
        lingers[2].begin();
        lingers[0].begin();
        let told = || -> Vec<_> {
            let outbound = reservations[..3].iter().map(Reservation::outbound);
            outbound.map(CancellationToken::is_cancelled).collect()
        };
        let tenth = reservation(&room).unwrap();
        assert_eq!(told(), [false, true, false]);
        assert!(lingers[2].end(), "it was not told");
        let _eleventh = reservation(&room).unwrap();
        assert_eq!(told(), [true, true, false]);
        let report = room.report().unwrap();
        assert_eq!((report.told_to_go, report.refused), (2, 0));
        assert!(!lingers[0].end(), "it may not serve any more");
        drop(tenth);
    }

    #[test]
    fn those_that_linger_have_a_share_only() {
        let room = Room::new(8 << 20);
        let reservations: Vec<_> = (0..5).map(|_| reservation(&room).unwrap()).collect();
        let mut lingers: Vec<_> = reservations.iter().map(Reservation::linger).collect();
        lingers.iter_mut().take(3).for_each(Linger::begin);
        assert!(lingers[1].end(), "three eighths are theirs");
        lingers[3].begin();
        assert!(!reservations[0].outbound().is_cancelled());
        lingers[4].begin();
        let told = reservations.iter().map(Reservation::outbound);
        let told: Vec<_> = told.map(CancellationToken::is_cancelled).collect();
        assert_eq!(told, [true, false, false, false, false]);
    }

    #[test]
    fn no_instance_grows_without_bound() {
        let table = [
            (2, 256, MAX_INSTANCE_BYTES, true, "as much as one may take"),
            (2, 256, MAX_INSTANCE_BYTES + 1, false, "more than that"),
            (1, 64, MODEST_BYTES, true, "what every instance may take"),
            (1, 16, MODEST_BYTES, true, "even where there is no room"),
            (1, 16, MODEST_BYTES + 1, false, "but no more than that"),
            (1, 64, MODEST_BYTES + 1, true, "unless there is room"),
        ];
        for (times, room, bytes, granted, why) in table {
            let room = Room::new((times * room) << 20);
            let mut instance = room.enter().unwrap();
            let held = INSTANCE_BYTES;
            let asked = instance.memory_growing(held, bytes, None).unwrap();
            assert_eq!(asked, granted, "{why}");
            let too_large = room.report().map_or(0, |report| report.too_large);
            assert_eq!(too_large, usize::from(!granted), "{why}");
        }
    }

    #[test]
    fn who_works_again_is_not_told() {
        let (room, reservations) = three();
        let mut linger = reservations[0].linger();
        linger.begin();
        assert!(linger.end());
        assert!(reservation(&room).is_err());
        assert!(!reservations[0].outbound().is_cancelled());
    }

    #[test]
    fn nobody_is_told_while_there_is_room() {
        let room = Room::new(3 << 20);
        let first = reservation(&room).unwrap();
        let mut linger = first.linger();
        linger.begin();
        let _second = reservation(&room).unwrap();
        assert!(!first.outbound().is_cancelled());
        room.close();
        assert!(first.outbound().is_cancelled(), "but at the end");
    }
}
