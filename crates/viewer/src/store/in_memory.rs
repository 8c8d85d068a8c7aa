//! Hosts that keep the database in memory, one for each connection: what one connection stores is gone for the next, so
//! nothing that arrives is ever shown. Spin does so for an app from a registry, unless it is given a folder.

use std::cell::Cell;

use crate::wasi::{Database, DatabaseError, Runtime, Value};

/// What is wrong, and the way out.
const WARNING: &str = "warning: this host keeps the viewer's database in memory, one for each connection, so traces are \
    lost as soon as they are stored: start the app with --state-dir and a folder";

thread_local! {
    /// Whether the instance has said so.
    static SAID: Cell<bool> = const { Cell::new(false) };
}

/// Whether what a connection writes is gone for the next one. Connections in memory each have a database of their own as
/// a rule, but a host may let them share one. So a second one is asked for what the first wrote when it was prepared: when
/// it began to count.
///
/// # Errors
/// Any error of the database.
pub async fn is_lost<R: Runtime>(
    runtime: &R,
    database: &R::Database,
) -> Result<bool, DatabaseError> {
    let mode = database.execute("PRAGMA journal_mode", Vec::new()).await?;
    if mode.first().is_none_or(|row| row[0].text() != "memory") {
        return Ok(false);
    }
    let other = runtime.connect().await?;
    let is_lost = since(database).await? != since(&other).await?;
    runtime.release(other);
    Ok(is_lost)
}

async fn since(database: &impl Database) -> Result<i64, DatabaseError> {
    let select = "SELECT since FROM tracing_tail_state";
    let rows = database.execute(select, Vec::new()).await?;
    Ok(rows.first().map_or(0, |row| Value::integer(&row[0])))
}

/// The same for the page, which asks once. If so, it is also said on stderr, once in the life of the instance: not for
/// each export, since under WASI 0.2 that is an instance. Errors of the database are left to the requests that need it.
pub async fn warn(runtime: &impl Runtime) -> bool {
    let Ok(database) = runtime.connect().await else {
        return false;
    };
    let is_lost = is_lost(runtime, &database).await == Ok(true);
    runtime.release(database);
    if is_lost && !SAID.replace(true) {
        eprintln!("{WARNING}");
    }
    is_lost
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::executor::block_on;

    use super::*;
    use crate::wasi::Notifier;
    use crate::wasi::native::{NativeDatabase, NativeRuntime};

    /// Connections in memory, to the database of this address.
    struct InMemory {
        address: &'static str,
        clock: NativeRuntime,
    }

    impl Runtime for InMemory {
        type Database = NativeDatabase;

        async fn connect(&self) -> Result<NativeDatabase, DatabaseError> {
            let database = NativeDatabase(rusqlite::Connection::open(self.address).unwrap());
            crate::store::schema::prepare(&database, self.now()).await?;
            Ok(database)
        }

        fn release(&self, _: NativeDatabase) {}

        fn notifier(&self) -> (Notifier, impl Future<Output = ()>) {
            self.clock.notifier()
        }

        async fn sleep(&self, duration: Duration) {
            self.clock.sleep(duration).await;
        }

        fn now(&self) -> i64 {
            self.clock.now()
        }
    }

    fn in_memory(address: &'static str) -> InMemory {
        let clock = NativeRuntime::new();
        InMemory { address, clock }
    }

    fn found<R: Runtime>(runtime: &R) -> bool {
        let database = block_on(runtime.connect());
        let database = database.unwrap_or_else(|error| panic!("{error:?}"));
        block_on(is_lost(runtime, &database)).unwrap()
    }

    #[test]
    fn only_connections_that_do_not_see_each_other_lose_what_is_stored() {
        assert!(found(&in_memory(":memory:")));
        assert!(!found(&in_memory("file:shared?mode=memory&cache=shared")));
        assert!(!found(&NativeRuntime::new()), "a file");
    }
}
