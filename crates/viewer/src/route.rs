//! What is at a path.

use http::StatusCode;

use crate::receive;
use crate::response::Problem;

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Exports are taken.
    Receiver,
    /// Exports are not taken, and this says where they are.
    UnknownReceiver(Problem),
    /// The page and the API.
    Viewer,
}

impl Route {
    /// What is at a path. What begins as OTLP's paths do is of exporters, whose answers are `google.rpc.Status`.
    pub fn of(path: &str) -> Route {
        if path == receive::PATH {
            return Route::Receiver;
        }
        let mut segments = path.split('/').filter(|segment| !segment.is_empty());
        let found = [segments.next(), segments.next(), segments.next()];
        let problem = match found {
            [Some("v1"), Some("traces"), None] => {
                format!(
                    "there is nothing at '{path}': traces are taken at {}, with these slashes only",
                    receive::PATH
                )
            }
            [
                Some("v1"),
                Some(signal @ ("logs" | "metrics" | "profiles")),
                None,
            ] => {
                format!(
                    "no {signal} are taken here, only traces, at {}",
                    receive::PATH
                )
            }
            [Some("v1"), ..] => {
                format!(
                    "there is nothing at '{path}': traces are taken at {}",
                    receive::PATH
                )
            }
            _ => return Route::Viewer,
        };
        Route::UnknownReceiver(Problem::new(StatusCode::NOT_FOUND, problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_path_takes_exports_and_others_like_it_say_so() {
        assert_eq!(Route::of("/v1/traces"), Route::Receiver);
        for path in [
            "/v1/traces/",
            "//v1/traces",
            "/v1//traces",
            "/v1/logs",
            "/v1/metrics/",
            "/v1/development/profiles",
            "/v1",
            "/v1/",
        ] {
            let Route::UnknownReceiver(problem) = Route::of(path) else {
                panic!("{path}");
            };
            assert_eq!(problem.status, 404);
            assert!(
                problem.detail.contains("at /v1/traces"),
                "{}",
                problem.detail
            );
        }
        for path in [
            "/",
            "/traces/",
            "/traces/api/traces",
            "//traces/",
            "/v1traces",
        ] {
            assert_eq!(Route::of(path), Route::Viewer, "{path}");
        }
    }
}
