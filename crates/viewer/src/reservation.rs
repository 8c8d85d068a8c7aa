//! The memory that an instance has for what comes and what it answers, so that no more is held at a time than
//! there is.

use std::cell::Cell;
use std::thread::LocalKey;

use http::StatusCode;

use crate::response::Problem;

/// How many bytes of exports an instance holds at a time, but for the first.
pub const MAX_EXPORT_BYTES: usize = 24 * 1024 * 1024;
/// How many bytes of answers an instance holds at a time, but for the first: what they are made of, then the answers until
/// they are sent.
pub const MAX_ANSWER_BYTES: usize = 48 * 1024 * 1024;

thread_local! {
    static EXPORTS: Cell<usize> = const { Cell::new(0) };
    static ANSWERS: Cell<usize> = const { Cell::new(0) };
}

/// What an export or an answer takes of that. It is given back when this is dropped.
#[derive(Debug)]
pub struct MemoryReservation {
    held: &'static LocalKey<Cell<usize>>,
    max: usize,
    status: StatusCode,
    what: &'static str,
    bytes: usize,
}

impl MemoryReservation {
    /// No room yet for an export.
    pub fn for_export() -> MemoryReservation {
        MemoryReservation {
            held: &EXPORTS,
            max: MAX_EXPORT_BYTES,
            status: StatusCode::TOO_MANY_REQUESTS,
            what: "exports",
            bytes: 0,
        }
    }

    /// No room yet for an answer.
    pub fn for_answer() -> MemoryReservation {
        MemoryReservation {
            held: &ANSWERS,
            max: MAX_ANSWER_BYTES,
            status: StatusCode::SERVICE_UNAVAILABLE,
            what: "answers",
            bytes: 0,
        }
    }

    /// Takes so many bytes, in the place of those before.
    ///
    /// # Errors
    /// 429 or 503 where others take too many; then it has what it had.
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
    fn room_is_for_what_is_there() {
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
