//! Whether an outbound request is retried, and when. Pure.
//!
//! Exports and downstream calls use the same rules for which responses are retryable. Source: the OTLP
//! specification, "OTLP/HTTP Response": "Retryable Response Codes", "Throttling", "All Other
//! Responses" and "OTLP/HTTP Connection".

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Response, StatusCode};

use crate::wasi::SendError;

/// The wait before the first retry; it doubles with each.
const INITIAL_BACKOFF: Duration = Duration::from_millis(100);
/// The longest backoff; a `retry-after` may be longer.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// How often, and after which failures, a request is retried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The maximum number of retries.
    pub max_retries: u32,
    /// Whether to retry after a timeout, which is useful only if each attempt has a time limit of its own.
    pub retry_timeouts: bool,
}

impl RetryPolicy {
    /// How long to wait before the next attempt. `None` if there is none, because the request was accepted,
    /// was refused for good, or was retried often enough. `retries` counts the retries so far, `jitter` is
    /// uniform in `0.0..1.0`.
    pub fn next_delay(
        self,
        sent: &Result<Response<Bytes>, SendError>,
        retries: u32,
        jitter: f64,
        now: SystemTime,
    ) -> Option<Duration> {
        if retries >= self.max_retries {
            return None;
        }
        let retry_after = match sent {
            Ok(answer) if is_retryable(answer.status()) => retry_after(answer, now),
            Err(error) if error.is_timeout() && !self.retry_timeouts => return None,
            Err(error) if error.is_transient() => None,
            Ok(_) | Err(_) => return None,
        };
        let backoff = backoff(retries, jitter);
        Some(retry_after.unwrap_or(backoff).max(backoff))
    }
}

/// The wait before a retry, after so many others. Half of it is random, so that instances do not retry all at once.
pub fn backoff(retries: u32, jitter: f64) -> Duration {
    let doubled = INITIAL_BACKOFF.saturating_mul(2_u32.saturating_pow(retries));
    doubled.min(MAX_BACKOFF).mul_f64(0.5 + jitter / 2.0)
}

fn is_retryable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}

/// The answer's `retry-after`, in seconds or as a date (RFC 9110, section 10.2.3).
fn retry_after(answer: &Response<Bytes>, now: SystemTime) -> Option<Duration> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        // A number that overflows means forever.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY_POLICY: RetryPolicy = RetryPolicy {
        max_retries: 5,
        retry_timeouts: false,
    };

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    fn answer(status: u16, retry_after: Option<&str>) -> Result<Response<Bytes>, SendError> {
        let mut answer = Response::builder().status(status);
        if let Some(text) = retry_after {
            answer = answer.header(RETRY_AFTER, text);
        }
        Ok(answer.body(Bytes::new()).unwrap())
    }

    fn failed(kind: &'static str) -> Result<Response<Bytes>, SendError> {
        Err(SendError::Failed {
            kind,
            detail: String::new(),
        })
    }

    #[test]
    fn classifies_responses() {
        // 1994-11-06 08:49:37 UTC, a date that RFC 9110 gives
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let table = [
            (answer(200, None), None, "accepted"),
            (answer(202, None), None, "any 2xx is accepted"),
            (answer(429, None), Some(ms(50)), "too many requests"),
            (answer(502, None), Some(ms(50)), "bad gateway"),
            (answer(503, None), Some(ms(50)), "unavailable"),
            (answer(504, None), Some(ms(50)), "gateway timeout"),
            (answer(400, None), None, "the data is malformed"),
            (answer(401, None), None, "no other status is retryable"),
            (answer(408, Some("1")), None, "not even with retry-after"),
            (answer(500, None), None, "an error of the collector"),
            (answer(501, None), None, "not implemented"),
            (answer(301, None), None, "a redirect"),
            (answer(503, Some("2")), Some(ms(2000)), "seconds"),
            (
                answer(503, Some("99999999999999999999")),
                Some(Duration::from_secs(u64::MAX)),
                "forever",
            ),
            (answer(503, Some("0")), Some(ms(50)), "at least the backoff"),
            (
                answer(429, Some("Sun, 06 Nov 1994 08:49:40 GMT")),
                Some(ms(3000)),
                "a date",
            ),
            (
                answer(429, Some("Sun, 06 Nov 1994 08:49:30 GMT")),
                Some(ms(50)),
                "a date in the past",
            ),
            (
                answer(503, Some("soon")),
                Some(ms(50)),
                "a malformed value is ignored",
            ),
            (
                failed("connection_refused"),
                Some(ms(50)),
                "the collector may restart",
            ),
            (Err(SendError::Denied), None, "never allowed"),
            (failed("answer_too_large"), None, "it stays too large"),
            (
                Err(SendError::Timeout),
                None,
                "the whole timeout is used up",
            ),
            (
                Err(SendError::Timeout.with_status(Some(StatusCode::OK))),
                None,
                "even after the head of a response",
            ),
        ];
        for (sent, expected, reason) in table {
            assert_eq!(
                RETRY_POLICY.next_delay(&sent, 0, 0.0, now),
                expected,
                "{reason}"
            );
        }
        let with_timeouts = RetryPolicy {
            retry_timeouts: true,
            ..RETRY_POLICY
        };
        let late = Err(SendError::Timeout);
        assert_eq!(with_timeouts.next_delay(&late, 0, 0.0, now), Some(ms(50)));
    }

    #[test]
    fn backs_off_exponentially_with_jitter_and_gives_up() {
        let waits = |jitter| {
            let wait = |retries| {
                RETRY_POLICY.next_delay(&answer(503, None), retries, jitter, SystemTime::UNIX_EPOCH)
            };
            (0..=RETRY_POLICY.max_retries).map(wait).collect::<Vec<_>>()
        };
        let expected = [50, 100, 200, 400, 800].map(|least| Some(ms(least)));
        assert_eq!(waits(0.0)[..5], expected);
        let longest: Duration = waits(1.0).into_iter().flatten().sum();
        assert_eq!(longest, ms(3100));
        assert_eq!(waits(1.0)[5], None);
        let endless = RetryPolicy {
            max_retries: u32::MAX,
            ..RETRY_POLICY
        };
        let late = endless.next_delay(&answer(503, None), 1_000_000, 1.0, SystemTime::UNIX_EPOCH);
        assert_eq!(late, Some(MAX_BACKOFF));
    }
}
