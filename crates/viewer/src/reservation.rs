//! Memory reservations: how many bytes of exports and of responses an instance holds at a time.

use std::cell::Cell;
use std::thread::LocalKey;

use http::StatusCode;

use crate::response::Problem;

/// The most bytes of exports that an instance holds at a time. A single export may exceed it.
pub const MAX_EXPORT_BYTES: usize = 24 * 1024 * 1024;
/// The most bytes of responses that an instance holds at a time: the rows that they are made of, then the bodies until
/// they are sent. A single response may exceed it.
pub const MAX_ANSWER_BYTES: usize = 48 * 1024 * 1024;

thread_local! {
    static EXPORTS: Cell<usize> = const { Cell::new(0) };
    static ANSWERS: Cell<usize> = const { Cell::new(0) };
}

/// The memory of one export or response, released on drop.
#[derive(Debug)]
pub struct MemoryReservation {
    held: &'static LocalKey<Cell<usize>>,
    max: usize,
    status: StatusCode,
    what: &'static str,
    bytes: usize,
}

impl MemoryReservation {
    /// An empty reservation for an export.
    pub fn for_export() -> MemoryReservation {
        MemoryReservation {
            held: &EXPORTS,
            max: MAX_EXPORT_BYTES,
            status: StatusCode::TOO_MANY_REQUESTS,
            what: "exports",
            bytes: 0,
        }
    }

    /// An empty reservation for a response.
    pub fn for_answer() -> MemoryReservation {
        MemoryReservation {
            held: &ANSWERS,
            max: MAX_ANSWER_BYTES,
            status: StatusCode::SERVICE_UNAVAILABLE,
            what: "answers",
            bytes: 0,
        }
    }

    /// Changes the reservation to this many bytes.
    ///
    /// # Errors
    /// 429 or 503 if others hold too much. The reservation is unchanged then.
    pub fn resize(&mut self, bytes: usize) -> Result<(), Problem> {
        let others = self.held.get() - self.bytes;
        if bytes > self.bytes && others > 0 && others + bytes > self.max {
            let problem = format!("other {} take {others} bytes already", self.what);
            return Err(Problem::new(self.status, problem));
        }
        self.held.set(others + bytes);
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for MemoryReservation {
    fn drop(&mut self) {
        self.held.set(self.held.get() - self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserves_only_what_others_leave() {
        const PART: usize = 8 * 1024 * 1024;
        let (mut one, mut two) = (
            MemoryReservation::for_export(),
            MemoryReservation::for_export(),
        );
        one.resize(MAX_EXPORT_BYTES + 1).unwrap();
        assert_eq!(two.resize(1).unwrap_err().status.as_u16(), 429);
        let mut answer = MemoryReservation::for_answer();
        answer.resize(MAX_ANSWER_BYTES + 1).unwrap();
        let refused = MemoryReservation::for_answer().resize(1).unwrap_err();
        assert_eq!(refused.status.as_u16(), 503);
        drop(one);
        two.resize(PART).unwrap();
        let mut three = MemoryReservation::for_export();
        three.resize(MAX_EXPORT_BYTES - PART).unwrap();
        assert!(three.resize(MAX_EXPORT_BYTES - PART + 1).is_err());
        two.resize(0).unwrap();
        three.resize(MAX_EXPORT_BYTES).unwrap();
    }
}
