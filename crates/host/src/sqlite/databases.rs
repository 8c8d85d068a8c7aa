//! The databases that a component may open, and whose connections they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::{Connection, Error};
use crate::manifest::DATABASE;

/// Whose connections a database has. The default is what this host offers; the others are those of some Spins, for
/// tests of what runs there too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Each connection is SQLite's own, to one file: Spin from 3.0 on.
    #[default]
    File,
    /// Each connection has a database of its own in memory: Spin from 3.0 on, for an app from a registry.
    Memory,
    /// All connections are one of SQLite's, to one file: Spin before 3.0.
    OneConnection,
}

/// A queue of writers, shared by all who open a database.
pub type WriterQueue = Arc<tokio::sync::Mutex<()>>;

/// The databases of an application's components.
#[derive(Debug, Clone, Default)]
pub struct Databases {
    /// The file of [`DATABASE`]; none if the component may not open it.
    file: Option<PathBuf>,
    sharing: Sharing,
    /// The queue of those who want to write to it.
    writers: WriterQueue,
    /// The only connection, if all share one.
    one: Arc<OnceCell<Connection>>,
}

impl Databases {
    /// The databases of an application, in its state folder.
    pub fn new(state_dir: &Path, sharing: Sharing) -> Databases {
        let file = match sharing {
            Sharing::Memory => PathBuf::from(":memory:"),
            Sharing::File | Sharing::OneConnection => Databases::file(state_dir),
        };
        Databases {
            file: Some(file),
            sharing,
            ..Databases::default()
        }
    }

    /// The file of [`DATABASE`] in a state folder.
    pub fn file(state_dir: &Path) -> PathBuf {
        state_dir.join("sqlite_db.db")
    }

    pub(super) async fn open(&self, database: &str) -> Result<Connection, Error> {
        let file = match &self.file {
            Some(file) if database == DATABASE => file.clone(),
            _ => return Err(Error::AccessDenied),
        };
        let open = || Connection::open(file, Arc::clone(&self.writers));
        match self.sharing {
            Sharing::File | Sharing::Memory => open().await,
            Sharing::OneConnection => self.one.get_or_try_init(open).await.cloned(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use tempfile::TempDir;

    use super::*;

    /// Writes a table in a transaction of one connection, and asks what another connection finds.
    async fn found(sharing: Sharing) -> (bool, bool) {
        let folder = TempDir::new().unwrap();
        let databases = Databases::new(folder.path(), sharing);
        let one = databases.open(DATABASE).await.unwrap();
        let other = databases.open(DATABASE).await.unwrap();
        let run = async |connection: &Connection, statement: &str| {
            let ran = connection.clone().execute(statement.to_owned(), Vec::new());
            ran.await.is_ok()
        };
        assert!(run(&one, "BEGIN").await);
        assert!(run(&one, "CREATE TABLE t (a)").await);
        let within = run(&other, "SELECT * FROM t").await;
        assert!(run(&one, "COMMIT").await);
        (within, run(&other, "SELECT * FROM t").await)
    }

    #[tokio::test]
    async fn connections_see_of_each_other_what_the_sharing_says() {
        assert_eq!(found(Sharing::File).await, (false, true));
        assert_eq!(found(Sharing::Memory).await, (false, false));
        assert_eq!(found(Sharing::OneConnection).await, (true, true));
    }

    #[tokio::test]
    async fn a_component_opens_only_what_its_manifest_lists() {
        let folder = TempDir::new().unwrap();
        let databases = Databases::new(folder.path(), Sharing::File);
        let denied = |opened: Result<Connection, Error>| matches!(opened, Err(Error::AccessDenied));
        assert!(denied(databases.open("other").await));
        assert!(denied(Databases::default().open(DATABASE).await));
    }
}
