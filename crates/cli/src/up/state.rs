//! The folder of the databases, which a second `up` may be using too.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::PROGRAM;

/// The file that an `up` locks while it runs.
const LOCK: &str = "up.lock";

/// Locks the folder until the file is dropped. If another `up` has it, says so: both have the same traces then. `None` if
/// the folder can't be locked.
pub(super) fn hold(folder: &Path) -> Option<File> {
    fs::create_dir_all(folder).ok()?;
    let mut options = File::options();
    let file = options.create(true).truncate(false).write(true);
    let file = file.open(folder.join(LOCK)).ok()?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock) => {
            eprintln!(
                "{PROGRAM}: the state in {} is in use by another `up`; both show the same traces, unless one has another \
                 --state-dir",
                folder.display()
            );
            None
        }
        // Not every file system has locks.
        Err(TryLockError::Error(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_holds_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let first = hold(&state);
        assert!(first.is_some());
        assert!(hold(&state).is_none());
        drop(first);
        assert!(hold(&state).is_some());
    }
}
