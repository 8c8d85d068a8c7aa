//! What a connection does, and since when.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::Context;
use std::time::{Duration, Instant};

use futures::task::AtomicWaker;

use super::{HEAD_TIMEOUT, KEEP_ALIVE, WRITE_TIMEOUT};

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Nothing: there is no request, and no answer on its way.
    Idle,
    /// The head of a request comes in.
    Head,
    /// A request has no answer yet, or has an answer that is not complete.
    Busy,
    /// An answer is complete, and leaves.
    Flushing,
}

/// Why a connection has to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Ending {
    /// After the request that it is at, where there is one: the server goes down.
    Finish = 1,
    /// It is idle, and has been for long, or another one needs its place.
    Idle,
    /// Its head takes too long.
    SlowHead,
    /// Its client takes no answer.
    Unread,
}

impl Ending {
    fn from(number: u8) -> Option<Ending> {
        let all = [
            Ending::Finish,
            Ending::Idle,
            Ending::SlowHead,
            Ending::Unread,
        ];
        all.into_iter().find(|ending| *ending as u8 == number)
    }
}

/// What a connection says of itself.
#[derive(Debug)]
pub struct Activity {
    pub(super) accepted: Instant,
    /// The phase, and below it the milliseconds since `accepted` at which it began.
    pub(super) phase: AtomicU64,
    /// Those at which the client took no more, and one; 0 where it takes all.
    pub(super) unread: AtomicU64,
    input_left: AtomicBool,
    ending: AtomicU8,
    waker: AtomicWaker,
}

pub(super) const PHASE_SHIFT: u32 = 56;
const MILLIS: u64 = (1 << PHASE_SHIFT) - 1;

impl Activity {
    pub(super) fn new() -> Activity {
        Activity {
            accepted: Instant::now(),
            phase: AtomicU64::new(0),
            unread: AtomicU64::new(0),
            input_left: AtomicBool::new(false),
            ending: AtomicU8::new(0),
            waker: AtomicWaker::new(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.accepted.elapsed().as_millis()).map_or(MILLIS, |now| now.min(MILLIS))
    }

    /// What it does.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) >> PHASE_SHIFT {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Busy,
            _ => Phase::Flushing,
        }
    }

    /// Says that it does something else now.
    pub fn enter(&self, phase: Phase) {
        let phase = (phase as u64) << PHASE_SHIFT;
        self.phase.store(phase | self.now(), Ordering::Relaxed);
    }

    /// Says that the client does not take what is ready for it.
    pub fn not_taken(&self) {
        if self.unread.load(Ordering::Relaxed) == 0 {
            self.unread.store(self.now() + 1, Ordering::Relaxed);
        }
    }

    /// Says that the client took something.
    pub fn taken(&self) {
        if self.unread.load(Ordering::Relaxed) != 0 {
            self.unread.store(0, Ordering::Relaxed);
        }
    }

    /// Whether it has to go, and why; who polls this is woken when that changes. One that was told so and has
    /// gone on meanwhile may stay.
    pub fn poll_ending(&self, cx: &Context<'_>) -> Option<Ending> {
        self.waker.register(cx.waker());
        let ending = Ending::from(self.ending.load(Ordering::Acquire))?;
        let holds = match ending {
            Ending::Finish => true,
            Ending::Idle => self.phase() == Phase::Idle,
            Ending::SlowHead => self.phase() == Phase::Head,
            Ending::Unread => self.unread.load(Ordering::Relaxed) != 0,
        };
        if !holds {
            self.ending.store(0, Ordering::Release);
        }
        holds.then_some(ending)
    }

    /// Says that an answer was given before the request's body was complete.
    pub fn leave_unread(&self) {
        self.input_left.store(true, Ordering::Relaxed);
    }

    /// Whether it was.
    pub fn has_left_input(&self) -> bool {
        self.input_left.load(Ordering::Relaxed)
    }

    pub(super) fn end(&self, ending: Ending) {
        self.ending.store(ending as u8, Ordering::Release);
        self.waker.wake();
    }

    pub(super) fn ends(&self) -> bool {
        self.ending.load(Ordering::Relaxed) > Ending::Finish as u8
    }

    /// For how long it has been in its phase.
    pub(super) fn lasts(&self) -> Duration {
        let began = self.phase.load(Ordering::Relaxed) & MILLIS;
        Duration::from_millis(self.now().saturating_sub(began))
    }

    /// For how long its client has taken nothing of what is ready for it.
    fn unread_for(&self) -> Duration {
        match self.unread.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_millis((self.now() + 1).saturating_sub(since)),
        }
    }

    /// Whether it takes longer than it may.
    pub(super) fn overdue(&self) -> Option<Ending> {
        if self.unread_for() >= WRITE_TIMEOUT {
            return Some(Ending::Unread);
        }
        match self.phase() {
            Phase::Idle if self.lasts() >= KEEP_ALIVE => Some(Ending::Idle),
            Phase::Head if self.lasts() >= HEAD_TIMEOUT => Some(Ending::SlowHead),
            Phase::Idle | Phase::Head | Phase::Busy | Phase::Flushing => None,
        }
    }
}
