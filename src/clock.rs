//! The time of one request: one reading of the wall clock, and what has passed since by the monotonic one.
//!
//! Spans, events and reports of a request take their times from here, so a wall clock that is set meanwhile
//! makes none of them end before it began.

use std::time::{Duration, Instant, SystemTime};

/// Runs from the start of a request.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: SystemTime,
    running: Instant,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Clock {
        Clock::set(SystemTime::now())
    }

    /// Starts now, with this time of the wall clock.
    pub fn set(wall: SystemTime) -> Clock {
        let running = Instant::now();
        Clock { wall, running }
    }

    /// What time it is.
    pub fn now(self) -> SystemTime {
        self.at(self.elapsed())
    }

    /// What time it was, or will be, so long after the start.
    pub fn at(self, elapsed: Duration) -> SystemTime {
        self.wall + elapsed
    }

    /// How long it has been running.
    pub fn elapsed(self) -> Duration {
        self.running.elapsed()
    }
}
