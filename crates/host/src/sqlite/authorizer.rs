//! Confines a component's statements to its own database: they reach nothing else of the machine or the process.

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, ffi};

/// Pragmas that name files, or that apply to every connection of the process.
const REFUSED_PRAGMAS: [&str; 6] = [
    "data_store_directory",
    "hard_heap_limit",
    "lock_proxy_file",
    "soft_heap_limit",
    "temp_store_directory",
    "writable_schema",
];

/// Confines a connection to its database. Like Spin it lets a statement attach a temporary database or one in
/// memory, by a literal name: `VACUUM` does so too.
///
/// # Errors
/// If SQLite does not know the setting.
pub(super) fn confine(connection: &Connection) -> rusqlite::Result<()> {
    // Refuses writes that could corrupt the file on purpose.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.authorizer(Some(authorize));
    Ok(())
}

fn authorize(context: AuthContext<'_>) -> Authorization {
    let refused = match context.action {
        AuthAction::Attach { filename } => !matches!(filename, "" | ":memory:"),
        // The name is a parameter or an expression, and not known yet.
        AuthAction::Unknown { code, .. } => code == ffi::SQLITE_ATTACH,
        AuthAction::Function { function_name } => {
            function_name.eq_ignore_ascii_case("load_extension")
        }
        AuthAction::Pragma { pragma_name, .. } => REFUSED_PRAGMAS
            .iter()
            .any(|refused| refused.eq_ignore_ascii_case(pragma_name)),
        _ => false,
    };
    match refused {
        true => Authorization::Deny,
        false => Authorization::Allow,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests {
    use rusqlite::types::Value;
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn denies_other_files_and_process_wide_settings() {
        let folder = TempDir::new().unwrap();
        let own = Connection::open(folder.path().join("own.db")).unwrap();
        confine(&own).unwrap();
        own.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
            .unwrap();
        let other = folder.path().join("other.db");
        let named = other.display().to_string();
        let written = format!("ATTACH '{named}' AS x");
        let table: &[(&str, &[&str])] = &[
            (&written, &[]),
            ("ATTACH ? AS x", &[&named]),
            ("ATTACH ? AS x", &[":memory:"]),
            ("ATTACH ?1 || '' AS x", &[&named]),
            ("ATTACH DATABASE (SELECT ?1) AS x", &[&named]),
            ("VACUUM INTO ?", &[&named]),
            ("VACUUM main INTO ?1 || ''", &[&named]),
            ("SELECT load_extension(?)", &[&named]),
            ("PRAGMA temp_store_directory = '/'", &[]),
            ("PRAGMA Writable_Schema = 1", &[]),
            ("PRAGMA hard_heap_limit = 1", &[]),
            ("SELECT * FROM pragma_soft_heap_limit(1)", &[]),
            ("DELETE FROM sqlite_schema", &[]),
        ];
        for (statement, values) in table {
            let values = values.iter().map(|value| Value::from((*value).to_owned()));
            let ran = own
                .prepare(statement)
                .and_then(|mut prepared| {
                    let mut rows = prepared.query(rusqlite::params_from_iter(values))?;
                    rows.next().map(|_| ())
                })
                .map_err(|refused| refused.to_string());
            assert!(ran.is_err(), "{statement}");
        }
        assert!(!other.exists());
    }

    #[test]
    fn allows_what_stays_inside_the_database() {
        let folder = TempDir::new().unwrap();
        let own = Connection::open(folder.path().join("own.db")).unwrap();
        confine(&own).unwrap();
        for statements in [
            "CREATE TABLE t (a); INSERT INTO t VALUES (1)",
            "VACUUM",
            "ATTACH ':memory:' AS x; DETACH x",
            "ATTACH '' AS x; DETACH x",
            "PRAGMA temp_store = MEMORY",
            "PRAGMA user_version = 0",
        ] {
            own.execute_batch(statements)
                .unwrap_or_else(|refused| panic!("{statements}: {refused}"));
        }
    }
}
