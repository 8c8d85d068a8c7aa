//! What a connection is doing, and since when.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::task::Context;
use std::time::{Duration, Instant};

use futures::task::AtomicWaker;

use super::{HEAD_TIMEOUT, KEEP_ALIVE, WRITE_TIMEOUT};

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Nothing: there is no request, and no response on its way.
    Idle,
    /// Reads the head of a request.
    Head,
    /// Waits for the response of a request, or for the rest of it.
    Busy,
    /// Sends the rest of a complete response.
    Flushing,
}

/// Why a connection is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum CloseReason {
    /// The server stops. The request in progress is finished first.
    Finish = 1,
    /// It has been idle for long, or another one needs its room.
    Idle,
    /// Its head takes too long.
    SlowHead,
    /// Its client does not read the response.
    Unread,
}

impl CloseReason {
    fn from(number: u8) -> Option<CloseReason> {
        let all = [
            CloseReason::Finish,
            CloseReason::Idle,
            CloseReason::SlowHead,
            CloseReason::Unread,
        ];
        all.into_iter().find(|reason| *reason as u8 == number)
    }
}

/// The activity of a connection.
#[derive(Debug)]
pub struct Activity {
    pub(super) accepted: Instant,
    /// The phase, and in the lower bits when it began, in milliseconds since `accepted`.
    pub(super) phase: AtomicU64,
    /// Since when the client has read nothing, in milliseconds since `accepted` and plus one; 0 if it reads.
    pub(super) blocked_since: AtomicU64,
    has_unread_body: AtomicBool,
    close_reason: AtomicU8,
    waker: AtomicWaker,
}

pub(super) const PHASE_SHIFT: u32 = 56;
const MILLIS: u64 = (1 << PHASE_SHIFT) - 1;

impl Activity {
    pub(super) fn new() -> Activity {
        Activity {
            accepted: Instant::now(),
            phase: AtomicU64::new(0),
            blocked_since: AtomicU64::new(0),
            has_unread_body: AtomicBool::new(false),
            close_reason: AtomicU8::new(0),
            waker: AtomicWaker::new(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.accepted.elapsed().as_millis()).map_or(MILLIS, |now| now.min(MILLIS))
    }

    /// The phase that it is in.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) >> PHASE_SHIFT {
            0 => Phase::Idle,
            1 => Phase::Head,
            2 => Phase::Busy,
            _ => Phase::Flushing,
        }
    }

    /// Enters another phase.
    pub fn enter(&self, phase: Phase) {
        let phase = (phase as u64) << PHASE_SHIFT;
        self.phase.store(phase | self.now(), Ordering::Relaxed);
    }

    /// The client does not read what is ready for it.
    pub fn write_blocked(&self) {
        if self.blocked_since.load(Ordering::Relaxed) == 0 {
            self.blocked_since.store(self.now() + 1, Ordering::Relaxed);
        }
    }

    /// The client has read something.
    pub fn write_progressed(&self) {
        if self.blocked_since.load(Ordering::Relaxed) != 0 {
            self.blocked_since.store(0, Ordering::Relaxed);
        }
    }

    /// Why it has to close, if it does. The caller is woken when that changes. A connection whose activity has
    /// changed meanwhile stays open.
    pub fn poll_close(&self, cx: &Context<'_>) -> Option<CloseReason> {
        self.waker.register(cx.waker());
        let reason = CloseReason::from(self.close_reason.load(Ordering::Acquire))?;
        let holds = match reason {
            CloseReason::Finish => true,
            CloseReason::Idle => self.phase() == Phase::Idle,
            CloseReason::SlowHead => self.phase() == Phase::Head,
            CloseReason::Unread => self.blocked_since.load(Ordering::Relaxed) != 0,
        };
        if !holds {
            self.close_reason.store(0, Ordering::Release);
        }
        holds.then_some(reason)
    }

    /// A response was sent before the request's body was read to its end.
    pub fn leave_unread(&self) {
        self.has_unread_body.store(true, Ordering::Relaxed);
    }

    /// Whether a request's body was not read to its end.
    pub fn has_unread_body(&self) -> bool {
        self.has_unread_body.load(Ordering::Relaxed)
    }

    pub(super) fn close(&self, reason: CloseReason) {
        self.close_reason.store(reason as u8, Ordering::Release);
        self.waker.wake();
    }

    /// Whether the server stops.
    pub fn is_finishing(&self) -> bool {
        self.close_reason.load(Ordering::Acquire) == CloseReason::Finish as u8
    }

    pub(super) fn is_closing(&self) -> bool {
        self.close_reason.load(Ordering::Relaxed) > CloseReason::Finish as u8
    }

    /// For how long it has been in its phase.
    pub(super) fn phase_duration(&self) -> Duration {
        let began = self.phase.load(Ordering::Relaxed) & MILLIS;
        Duration::from_millis(self.now().saturating_sub(began))
    }

    /// For how long its client has read nothing of what is ready for it.
    fn blocked_for(&self) -> Duration {
        match self.blocked_since.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            since => Duration::from_millis((self.now() + 1).saturating_sub(since)),
        }
    }

    /// The time limit that it exceeds, if it does.
    pub(super) fn overdue(&self) -> Option<CloseReason> {
        if self.blocked_for() >= WRITE_TIMEOUT {
            return Some(CloseReason::Unread);
        }
        match self.phase() {
            Phase::Idle if self.phase_duration() >= KEEP_ALIVE => Some(CloseReason::Idle),
            Phase::Head if self.phase_duration() >= HEAD_TIMEOUT => Some(CloseReason::SlowHead),
            Phase::Idle | Phase::Head | Phase::Busy | Phase::Flushing => None,
        }
    }
}
