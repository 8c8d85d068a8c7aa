//! A connection that a guest has opened: which thread its statements run on, and when it may write.
//!
//! Statements run on threads where they may block. Those of a transaction that holds the write lock wait for nothing,
//! and run on the component's own thread. Writers that begin with `BEGIN IMMEDIATE` wait in a queue, for up to
//! five seconds or the connection's busy timeout: SQLite itself only looks now and then whether the lock is free.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::session::Session;
use super::statement::StatementKind;
use super::{Error, QueryResult, Value, WriterQueue};

/// An open connection.
#[derive(Debug, Clone)]
pub struct Connection(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    session: Mutex<Session>,
    writers: WriterQueue,
}

impl Connection {
    pub(super) async fn open(file: PathBuf, writers: WriterQueue) -> Result<Connection, Error> {
        let session = blocking(move || Session::open(&file)).await?;
        Ok(Connection(Arc::new(Shared {
            session: Mutex::new(session),
            writers,
        })))
    }

    pub(super) async fn execute(
        self,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        let kind = StatementKind::of(&statement);
        if kind == StatementKind::Begin {
            self.wait_for_turn().await;
        }
        // A thread for each statement would cost more than most of them do.
        if let Ok(mut session) = self.0.session.try_lock()
            && session.is_quick(kind)
        {
            if kind != StatementKind::Begin {
                return session.run(kind, &statement, parameters);
            }
            if let Ok(begun) = session.try_begin(&statement, &parameters) {
                return Ok(begun);
            }
        }
        blocking(move || self.with(|session| session.run(kind, &statement, parameters))).await
    }

    /// Waits for the writers before it, for as long as SQLite would. After that, SQLite decides.
    async fn wait_for_turn(&self) {
        let busy_timeout = match self.0.session.try_lock() {
            // A connection that already has its turn is in a transaction, and SQLite will refuse another.
            Ok(session) if session.turn.is_none() => session.busy_timeout,
            _ => return,
        };
        let turn = Arc::clone(&self.0.writers).lock_owned();
        if let Ok(turn) = timeout(busy_timeout, turn).await
            && let Ok(mut session) = self.0.session.try_lock()
        {
            session.turn = Some(turn);
        }
    }

    /// A property of the connection of SQLite's.
    pub(super) fn property<T>(&self, read: impl FnOnce(&rusqlite::Connection) -> T) -> T {
        self.with(|session| read(&session.sqlite))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Session) -> T) -> T {
        let session = self.0.session.lock();
        work(&mut session.unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Connection {
    /// Closing the last connection to a database copies its log into it and waits for the disk: that does not happen
    /// on the thread that serves requests.
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let last = Arc::clone(&self.0);
            runtime.spawn_blocking(move || drop(last));
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = spawn_blocking(work).await;
    done.unwrap_or_else(|panicked| Err(Error::Io(panicked.to_string())))
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::super::Databases;
    use super::*;

    async fn opened(folder: &TempDir, writers: &WriterQueue) -> Connection {
        let file = Databases::file(folder.path());
        let opened = Connection::open(file, Arc::clone(writers)).await.unwrap();
        for statement in [
            "PRAGMA journal_mode = WAL",
            "CREATE TABLE IF NOT EXISTS t (a)",
        ] {
            run(&opened, statement).await.unwrap();
        }
        opened
    }

    async fn run(connection: &Connection, statement: &str) -> Result<QueryResult, Error> {
        let connection = connection.clone();
        connection.execute(statement.to_owned(), Vec::new()).await
    }

    #[tokio::test]
    async fn writers_wait_for_their_turn_within_their_busy_timeout() {
        let (folder, writers) = (TempDir::new().unwrap(), WriterQueue::default());
        let one = opened(&folder, &writers).await;
        let other = opened(&folder, &writers).await;
        run(&other, "PRAGMA busy_timeout = 1").await.unwrap();
        run(&one, "BEGIN IMMEDIATE").await.unwrap();
        let refused = run(&other, "BEGIN IMMEDIATE").await;
        assert!(matches!(refused, Err(Error::Io(why)) if why.contains("locked")));
        run(&other, "PRAGMA busy_timeout = 60000").await.unwrap();
        let (begun, ended) = tokio::join!(run(&other, "BEGIN IMMEDIATE"), async {
            run(&one, "INSERT INTO t VALUES (1)").await.unwrap();
            run(&one, "COMMIT").await
        });
        assert!(begun.is_ok() && ended.is_ok());
        run(&other, "ROLLBACK").await.unwrap();
        // No turn is left taken.
        assert!(writers.try_lock().is_ok());
    }

    #[tokio::test]
    async fn a_turn_ends_with_its_connection_and_survives_a_second_begin() {
        let (folder, writers) = (TempDir::new().unwrap(), WriterQueue::default());
        let one = opened(&folder, &writers).await;
        run(&one, "BEGIN IMMEDIATE").await.unwrap();
        assert!(run(&one, "BEGIN IMMEDIATE").await.is_err(), "begun already");
        assert!(run(&one, "INSERT INTO missing VALUES (1)").await.is_err());
        run(&one, "COMMIT").await.unwrap();
        run(&one, "BEGIN IMMEDIATE").await.unwrap();
        drop(one);
        let other = opened(&folder, &writers).await;
        run(&other, "BEGIN IMMEDIATE").await.unwrap();
    }

    #[tokio::test]
    async fn waiting_for_a_lock_of_another_program_does_not_block_the_thread() {
        let (folder, writers) = (TempDir::new().unwrap(), WriterQueue::default());
        let one = opened(&folder, &writers).await;
        // It is not in the queue.
        let stranger = rusqlite::Connection::open(Databases::file(folder.path())).unwrap();
        stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
        let (begun, ()) = tokio::join!(run(&one, "BEGIN IMMEDIATE"), async {
            // This thread is not blocked meanwhile.
            stranger.execute_batch("COMMIT").unwrap();
        });
        begun.unwrap();
        run(&one, "PRAGMA busy_timeout = 0").await.unwrap();
        run(&one, "COMMIT").await.unwrap();
        stranger.execute_batch("BEGIN IMMEDIATE").unwrap();
        assert!(run(&one, "BEGIN IMMEDIATE").await.is_err());
        assert!(writers.try_lock().is_ok());
    }

    #[tokio::test]
    async fn a_commit_is_quick_if_it_does_not_wait_for_the_disk() {
        let (folder, writers) = (TempDir::new().unwrap(), WriterQueue::default());
        let one = opened(&folder, &writers).await;
        let quick = |kind: StatementKind| one.with(|session| session.is_quick(kind));
        run(&one, "BEGIN IMMEDIATE").await.unwrap();
        assert!(
            quick(StatementKind::Short)
                && !quick(StatementKind::Commit)
                && !quick(StatementKind::Other)
        );
        run(&one, "COMMIT").await.unwrap();
        assert!(!quick(StatementKind::Short), "it may wait for a lock");
        for setting in [
            "PRAGMA synchronous = NORMAL",
            "PRAGMA wal_autocheckpoint = 0",
        ] {
            run(&one, setting).await.unwrap();
        }
        run(&one, "BEGIN IMMEDIATE").await.unwrap();
        assert!(quick(StatementKind::Commit));
    }
}
