//! The time of one request: one reading of the wall clock, plus what the monotonic clock has measured since.
//!
//! Spans, events and reports of a request take their times from here, so that none of them ends before it
//! starts if the wall clock is set meanwhile.

use std::time::{Duration, Instant, SystemTime};

/// The longest accepted time between the readings of the two clocks.
const MAX_GAP: Duration = Duration::from_micros(100);
/// How often the clocks are read, at most.
const MAX_TRIES: usize = 5;

/// A clock that starts with a request.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: SystemTime,
    running: Instant,
}

impl Clock {
    /// Starts now. The time between the readings of the two clocks makes this one differ from the clocks of
    /// other services in the trace, so an interrupted reading is repeated.
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

    /// Starts now, with `wall` as the time of the wall clock.
    pub fn set(wall: SystemTime) -> Clock {
        let running = Instant::now();
        Clock { wall, running }
    }

    /// The time at which it started.
    pub fn start_time(self) -> SystemTime {
        self.wall
    }

    /// The current time.
    pub fn now(self) -> SystemTime {
        self.at(self.elapsed())
    }

    /// The time `elapsed` after the start.
    pub fn at(self, elapsed: Duration) -> SystemTime {
        self.wall + elapsed
    }

    /// The time since the start.
    pub fn elapsed(self) -> Duration {
        self.running.elapsed()
    }
}
