//! The path of a call through the mesh, as the header `tracing-tail-place`.
//!
//! Each service extends the path with the position of the call and the number of the attempt, so that seeded
//! decisions differ from call to call but repeat from run to run. A malformed header counts as none.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::mix::mix_call;

/// Deliveries come after all calls.
const DELIVERIES: usize = 1 << 20;

const HEADER: HeaderName = HeaderName::from_static("tracing-tail-place");

/// A hash of the calls and attempts that led from the entry of the mesh to a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MeshPath(u64);

impl MeshPath {
    /// Reads the path from the headers of a request; without one, the path starts here.
    pub fn extract(headers: &HeaderMap) -> MeshPath {
        let text = headers.get(HEADER).and_then(|value| value.to_str().ok());
        text.and_then(MeshPath::parse).unwrap_or_default()
    }

    /// Reads 16 hexadecimal digits.
    pub fn parse(text: &str) -> Option<MeshPath> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits)?;
        Some(MeshPath(number))
    }

    /// The path that an attempt of the n-th call leads to.
    pub fn of_call(self, call: usize, attempt: u32) -> MeshPath {
        MeshPath(mix_call(self.0, call, attempt))
    }

    /// The path that a delivery to the n-th consumer of a queue leads to.
    pub fn of_delivery(self, consumer: usize, redeliveries: u32) -> MeshPath {
        self.of_call(DELIVERIES + consumer, redeliveries)
    }

    /// Adds the path to the headers of a call.
    pub fn inject(self, headers: &mut HeaderMap) {
        let value = HeaderValue::try_from(self.digits()).expect("digits are a valid header value");
        headers.insert(HEADER, value);
    }

    /// The path as text, for [`MeshPath::parse`].
    pub fn digits(self) -> String {
        format!("{:016x}", self.0)
    }

    /// The hash.
    pub(super) fn hash(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_as_a_header() {
        let path = MeshPath::default().of_call(3, 1);
        assert_eq!(MeshPath::parse(&path.digits()), Some(path));
        for text in ["", "1", "+123456789abcdef", "0123456789abcdefg"] {
            assert_eq!(MeshPath::parse(text), None, "{text}");
        }
    }
}
