//! Protobuf's wire format, read without copying (<https://protobuf.dev/programming-guides/encoding/>).

/// The error for bytes that are not a protobuf message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// The value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire<'b> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 2.
    Bytes(&'b [u8]),
    /// Wire types 3 and 4 and everything between them. OTLP does not use groups.
    Group,
    /// Wire type 5.
    Fixed32(u32),
}

/// How deep groups may be nested.
const MAX_DEPTH: usize = 32;

/// Reads the next field of a message: its number and value. None at the end.
///
/// ```
/// use tracing_tail_viewer::otlp::wire::{self, Wire};
///
/// let mut message = &[0x08, 0x96, 0x01][..];
/// assert_eq!(wire::next(&mut message), Ok(Some((1, Wire::Varint(150)))));
/// assert_eq!(wire::next(&mut message), Ok(None));
/// ```
///
/// # Errors
/// [`Malformed`] if the bytes are not a valid message.
pub fn next<'b>(message: &mut &'b [u8]) -> Result<Option<(u32, Wire<'b>)>, Malformed> {
    if message.is_empty() {
        return Ok(None);
    }
    let (number, kind) = key(message)?;
    value(message, number, kind, 0).map(|value| Some((number, value)))
}

fn key(message: &mut &[u8]) -> Result<(u32, u32), Malformed> {
    let key = u32::try_from(varint(message)?).map_err(|_| Malformed)?;
    match key >> 3 {
        0 => Err(Malformed),
        number => Ok((number, key & 7)),
    }
}

fn value<'b>(
    message: &mut &'b [u8],
    number: u32,
    kind: u32,
    depth: usize,
) -> Result<Wire<'b>, Malformed> {
    Ok(match kind {
        0 => Wire::Varint(varint(message)?),
        1 => Wire::Fixed64(u64::from_le_bytes(array(message)?)),
        2 => {
            let length = usize::try_from(varint(message)?).map_err(|_| Malformed)?;
            Wire::Bytes(split(message, length)?)
        }
        3 if depth < MAX_DEPTH => loop {
            let (inner, kind) = key(message)?;
            if kind == 4 {
                break if inner == number {
                    Wire::Group
                } else {
                    return Err(Malformed);
                };
            }
            value(message, inner, kind, depth + 1)?;
        },
        5 => Wire::Fixed32(u32::from_le_bytes(array(message)?)),
        _ => return Err(Malformed),
    })
}

/// Splits this many bytes off the beginning.
///
/// # Errors
/// [`Malformed`] if there are fewer.
pub fn split<'b>(bytes: &mut &'b [u8], length: usize) -> Result<&'b [u8], Malformed> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(Malformed)?;
    *bytes = rest;
    Ok(taken)
}

fn array<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N], Malformed> {
    let (taken, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
    *bytes = rest;
    Ok(*taken)
}

/// Reads a varint.
///
/// # Errors
/// [`Malformed`] if it is incomplete or has more than 64 bits.
pub fn varint(bytes: &mut &[u8]) -> Result<u64, Malformed> {
    let mut number = 0;
    for position in 0..10 {
        let (byte, rest) = bytes.split_first().ok_or(Malformed)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            // The tenth byte has room for one bit.
            return if position == 9 && *byte > 1 {
                Err(Malformed)
            } else {
                Ok(number)
            };
        }
    }
    Err(Malformed)
}

/// Writes a varint.
pub fn put_varint(into: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        into.push(number as u8 | 0x80);
        number >>= 7;
    }
    into.push(number as u8);
}

/// Writes a field of wire type 2.
pub fn put_bytes(into: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(into, u64::from(number << 3 | 2));
    put_varint(into, bytes.len() as u64);
    into.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_wire_type() {
        let message = b"\x08\x96\x01\x11\x01\0\0\0\0\0\0\0\x1a\x02hi\x23\x08\x01\x24\x2d\x02\0\0\0";
        let mut rest = &message[..];
        let mut fields = Vec::new();
        while let Some(field) = next(&mut rest).unwrap() {
            fields.push(field);
        }
        assert_eq!(
            fields,
            [
                (1, Wire::Varint(150)),
                (2, Wire::Fixed64(1)),
                (3, Wire::Bytes(b"hi")),
                (4, Wire::Group),
                (5, Wire::Fixed32(2))
            ]
        );
    }

    #[test]
    fn refuses_what_is_no_message() {
        let table: [(&[u8], &str); 9] = [
            (b"\xff", "a key that breaks off"),
            (b"\x00\x01", "field 0"),
            (b"\x0a\x05a", "fewer bytes than announced"),
            (b"\x09\x01", "a short fixed64"),
            (b"\x0d\x01", "a short fixed32"),
            (b"\x0b\x08\x01", "a group without an end"),
            (b"\x0b\x14", "a group with another's end"),
            (b"\x0c", "the end of no group"),
            (b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "65 bits"),
        ];
        for (message, reason) in table {
            assert_eq!(next(&mut &message[..]), Err(Malformed), "{reason}");
        }
        let deep = [0x0b].repeat(1_000_000);
        assert_eq!(next(&mut &deep[..]), Err(Malformed));
    }

    #[test]
    fn writes_what_it_reads() {
        for number in [0, 1, 127, 128, 300, u64::MAX] {
            let mut written = Vec::new();
            put_varint(&mut written, number);
            let mut rest = &written[..];
            assert_eq!((varint(&mut rest), rest.len()), (Ok(number), 0));
        }
    }
}
