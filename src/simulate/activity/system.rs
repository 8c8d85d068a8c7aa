//! What leaves are: seven systems, with the port, the operation and the error codes of each.

use super::super::errors::{ErrorCodes, HTTP_STATUSES};

/// A kind of leaf.
#[derive(Debug)]
pub struct System {
    /// Which one it is.
    pub kind: SystemKind,
    /// Its name in settings, which is `db.system.name` of a store.
    pub name: &'static str,
    /// The port that it listens on by default.
    pub port: u16,
    /// The operation of a leaf that names none.
    pub operation: &'static str,
    /// The codes of its errors.
    pub codes: ErrorCodes,
}

impl PartialEq for System {
    fn eq(&self, other: &System) -> bool {
        self.kind == other.kind
    }
}

impl Eq for System {}

/// A system whose spans are like no other's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemKind {
    /// PostgreSQL: numbered parameters.
    Postgresql,
    /// MySQL: anonymous parameters.
    Mysql,
    /// MongoDB: commands as documents.
    Mongodb,
    /// Redis: commands.
    Redis,
    /// Elasticsearch: requests over HTTP.
    Elasticsearch,
    /// A method over gRPC.
    Grpc,
    /// An outside API over HTTP.
    Http,
}

const GRPC_CODES: [&str; 16] = [
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

fn is_number(text: &str) -> bool {
    (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// All systems.
pub static SYSTEMS: [System; 7] = [
    System {
        kind: SystemKind::Postgresql,
        name: "postgresql",
        port: 5432,
        operation: "SELECT",
        codes: ErrorCodes {
            default: "40001",
            accepted: "SQLSTATE:percent such as 40001:1, with five digits and capitals, of class 02 or higher",
            accepts: |code| {
                let known = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
                let is_success = code.starts_with("00") || code.starts_with("01");
                code.len() == 5 && code.bytes().all(known) && !is_success
            },
        },
    },
    System {
        kind: SystemKind::Mysql,
        name: "mysql",
        port: 3306,
        operation: "SELECT",
        codes: ErrorCodes {
            default: "1213",
            accepted: "error:percent such as 1213:1 or MY-010016:1",
            accepts: |code| is_number(code.strip_prefix("MY-").unwrap_or(code)),
        },
    },
    System {
        kind: SystemKind::Mongodb,
        name: "mongodb",
        port: 27017,
        operation: "find",
        codes: ErrorCodes {
            default: "112",
            accepted: "code:percent such as 112:1, with a number",
            accepts: is_number,
        },
    },
    System {
        kind: SystemKind::Redis,
        name: "redis",
        port: 6379,
        operation: "GET",
        codes: ErrorCodes {
            default: "ERR",
            accepted: "prefix:percent such as WRONGTYPE:1, with capitals",
            accepts: |code| {
                let capitals = code.bytes().all(|byte| byte.is_ascii_uppercase());
                (1..=32).contains(&code.len()) && capitals
            },
        },
    },
    System {
        kind: SystemKind::Elasticsearch,
        name: "elasticsearch",
        port: 9200,
        operation: "search",
        codes: HTTP_STATUSES,
    },
    System {
        kind: SystemKind::Grpc,
        name: "grpc",
        port: 443,
        operation: "Get",
        codes: ErrorCodes {
            default: "UNAVAILABLE",
            accepted: "code:percent such as UNAVAILABLE:1, with the name of a gRPC status other than OK",
            accepts: |code| GRPC_CODES.contains(&code),
        },
    },
    System {
        kind: SystemKind::Http,
        name: "http",
        port: 443,
        operation: "GET",
        codes: HTTP_STATUSES,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_accepts_its_own_codes() {
        let table = [
            ("postgresql", "40001", true),
            ("postgresql", "40P01", true),
            ("postgresql", "01000", false),
            ("postgresql", "00000", false),
            ("postgresql", "4000", false),
            ("postgresql", "40p01", false),
            ("mysql", "1213", true),
            ("mysql", "MY-010016", true),
            ("mysql", "MY-", false),
            ("mysql", "HY000", false),
            ("mongodb", "11602", true),
            ("mongodb", "WriteConflict", false),
            ("redis", "CLUSTERDOWN", true),
            ("redis", "err", false),
            ("redis", "", false),
            ("elasticsearch", "429", true),
            ("elasticsearch", "200", false),
            ("grpc", "DEADLINE_EXCEEDED", true),
            ("grpc", "OK", false),
            ("grpc", "14", false),
            ("http", "503", true),
            ("http", "302", false),
        ];
        for (name, code, accepted) in table {
            let system = SYSTEMS.iter().find(|system| system.name == name).unwrap();
            assert_eq!((system.codes.accepts)(code), accepted, "{name} {code}");
        }
    }

    #[test]
    fn each_default_is_accepted() {
        for System { name, codes, .. } in &SYSTEMS {
            assert!((codes.accepts)(codes.default), "{name}");
        }
    }
}
