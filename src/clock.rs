//! The time of one request: one reading of the wall clock, and what has passed since by the monotonic one.
//!
//! Spans, events and reports of a request take their times from here, so a wall clock that is set meanwhile
//! makes none of them end before it began.

use std::time::{Duration, Instant, SystemTime};

/// How long the readings of both clocks may take together.
const MAX_GAP: Duration = Duration::from_micros(100);
/// How often they are made at the most.
const MAX_TRIES: usize = 5;

/// Runs from the start of a request.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: SystemTime,
    running: Instant,
}

impl Clock {
    /// Starts now. What passes between the readings of both clocks makes this one differ from those of other
    /// services in the trace, so readings that were interrupted are made again.
    pub fn start() -> Clock {
        let mut tries = 0;
        loop {
            let running = Instant::now();
            let wall = SystemTime::now();
            tries += 1;
            if running.elapsed() < MAX_GAP || tries == MAX_TRIES {
                return Clock { wall, running };
            }
        }
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
