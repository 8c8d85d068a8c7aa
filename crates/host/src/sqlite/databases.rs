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
