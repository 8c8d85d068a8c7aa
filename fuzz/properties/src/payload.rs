//! The body of a request, and of a response to a call. The input: the body.
//!
//! An accepted list survives a round trip; only JSON arrays of strings are lists.

use serde_json::Value;
use tracing_tail::payload::{MAX_ITEMS, Malformed, Payload};
use tracing_tail::response::negotiation;

use crate::Target;
use crate::memory::Bound;

/// See the module.
pub const TARGET: Target = Target {
    name: "payload",
    property,
    // `"",` is a string of 24 bytes, three times as the list grows; the reference a value of 32.
    memory: Bound {
        constant: 16 << 10,
        per_byte: 96,
    },
};

fn property(input: &[u8]) {
    let reference = strings(input);
    let accepted = Payload::accept(input);
    let read = Payload::read(input);
    assert_eq!(
        read.as_ref().ok().map(Payload::size),
        reference.as_ref().map(Vec::len)
    );
    match (&read, accepted) {
        (Ok(read), Ok(accepted)) => assert_eq!(*read, accepted),
        (Ok(read), Err(Malformed::TooManyItems(items))) => {
            assert_eq!(read.size(), items);
            assert!(items > MAX_ITEMS);
        }
        (Err(why), Err(again)) => assert_eq!(*why, again),
        (read, accepted) => panic!("{read:?}, but {accepted:?}"),
    }
    if let (Ok(list), Some(strings)) = (read, reference) {
        let written = list.to_json();
        assert_eq!(Payload::read(&written).as_ref(), Ok(&list));
        assert_eq!(
            serde_json::from_slice::<Vec<String>>(&written).ok(),
            Some(strings)
        );
    }
    if let Ok(list) = negotiation::payload_in(input) {
        assert_eq!(Payload::read(&list.to_json()), Ok(list));
    }
}

/// The strings of an array that holds nothing else.
fn strings(body: &[u8]) -> Option<Vec<String>> {
    let Value::Array(items) = serde_json::from_slice(body).ok()? else {
        return None;
    };
    let strings = items.into_iter().map(|item| match item {
        Value::String(text) => Some(text),
        _ => None,
    });
    strings.collect()
}
