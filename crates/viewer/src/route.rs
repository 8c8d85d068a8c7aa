//! Which part of the viewer answers a path.

use http::StatusCode;

use crate::receive;
use crate::response::Problem;

/// The part of the viewer that answers a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// The receiver of exports.
    Receiver,
    /// A path that looks like an OTLP receiver's but is not one. The problem names the right path.
    UnknownReceiver(Problem),
    /// The page or the API.
    Viewer,
}

impl Route {
    /// Routes a path. Exporters expect a `google.rpc.Status` on every path below `/v1`.
    ///
    /// ```
    /// use tracing_tail_viewer::route::Route;
    ///
    /// assert_eq!(Route::of("/v1/traces"), Route::Receiver);
    /// assert!(matches!(Route::of("/v1/logs"), Route::UnknownReceiver(_)));
    /// assert_eq!(Route::of("/traces/"), Route::Viewer);
    /// ```
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
