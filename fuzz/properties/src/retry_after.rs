//! A response's `retry-after`. The input: the status's index in a list, the number of retries, the draw, a byte of the
//! current time; then the header's value.
//!
//! No wait is shorter than half of the backoff, none without a `retry-after` longer than ten seconds, none with
//! one shorter than it asks; and nothing is retried more often than allowed.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use tracing_tail::retry::RetryPolicy;

use crate::Target;
use crate::memory::Bound;

/// See the module.
pub const TARGET: Target = Target {
    name: "retry_after",
    property,
    memory: Bound {
        constant: 16 << 10,
        per_byte: 8,
    },
};

const STATUSES: [u16; 8] = [429, 502, 503, 504, 200, 400, 500, 408];
const RETRY_POLICY: RetryPolicy = RetryPolicy {
    max_retries: 100,
    retry_timeouts: true,
};

fn property(input: &[u8]) {
    let Some(([status, retries, drawn, day], value)) = input.split_first_chunk() else {
        return;
    };
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let retries = u32::from(*retries);
    let jitter = f64::from(*drawn) / 256.0;
    // From 1970 to 2226.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(u64::from(*day) * 365 * 24 * 3600);
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = StatusCode::from_u16(status).expect("all are statuses");
    let value = HeaderValue::from_bytes(value).ok();
    if let Some(value) = &value {
        answer.headers_mut().insert("retry-after", value.clone());
    }
    let wait = RETRY_POLICY.next_delay(&Ok(answer), retries, jitter, now);
    let again = retries < RETRY_POLICY.max_retries && matches!(status, 429 | 502 | 503 | 504);
    assert_eq!(wait.is_some(), again);
    let Some(wait) = wait else { return };
    let backoff = Duration::from_millis(100).saturating_mul(2_u32.saturating_pow(retries));
    let backoff = backoff.min(Duration::from_secs(10));
    assert!(wait >= backoff / 2, "{wait:?} is short of {backoff:?}");
    match value.as_ref().and_then(|value| asked(value, now)) {
        Some(asked) => assert!(
            wait == asked || (asked < wait && wait <= backoff),
            "{wait:?}"
        ),
        None => assert!(wait <= backoff, "{wait:?}, and nobody asked for it"),
    }
}

/// RFC 9110, section 10.2.3: a number of seconds, of which any is meant, or a date.
fn asked(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if !text.is_empty() && text.chars().all(|digit| digit.is_ascii_digit()) {
        let number = text.bytes().try_fold(0_u64, |number, digit| {
            number.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
        });
        return Some(Duration::from_secs(number.unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}
