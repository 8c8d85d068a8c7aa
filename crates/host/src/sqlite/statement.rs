//! What a statement does, as far as its first words tell.

/// The kind of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatementKind {
    /// Begins a transaction that takes the write lock at once.
    Begin,
    /// Ends a transaction.
    Commit,
    /// May change the settings of the connection.
    Pragma,
    /// Takes little time, as a rule.
    Short,
    /// Deletes, changes tables, or is none of the above.
    Other,
}

impl StatementKind {
    pub(super) fn of(statement: &str) -> StatementKind {
        let words = statement.split(|one: char| one.is_whitespace() || one == ';');
        let words = words.filter(|word| !word.is_empty());
        let mut words = words.map(str::to_ascii_uppercase);
        let mut next = || words.next().unwrap_or_default();
        match next().as_str() {
            "BEGIN" if matches!(next().as_str(), "IMMEDIATE" | "EXCLUSIVE") => StatementKind::Begin,
            "COMMIT" | "END" => StatementKind::Commit,
            "PRAGMA" => StatementKind::Pragma,
            "INSERT" | "SELECT" | "UPDATE" => StatementKind::Short,
            _ => StatementKind::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_tell_the_kind() {
        let table = [
            ("begin  immediate", StatementKind::Begin),
            ("BEGIN EXCLUSIVE TRANSACTION;", StatementKind::Begin),
            ("BEGIN", StatementKind::Other),
            ("BEGIN DEFERRED", StatementKind::Other),
            ("COMMIT;", StatementKind::Commit),
            ("end transaction", StatementKind::Commit),
            ("  insert into t", StatementKind::Short),
            ("DELETE FROM t", StatementKind::Other),
            ("-- a comment", StatementKind::Other),
            ("", StatementKind::Other),
        ];
        for (statement, kind) in table {
            assert_eq!(StatementKind::of(statement), kind, "{statement}");
        }
    }
}
