//! Answers, read as strictly as RFC 9112 has them.

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// What an answer in HTTP/2 begins with. Such a connection is ended by frames, not by an answer.
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

/// The complete answers that a connection gave. One that is not complete is none, where more may come.
///
/// # Errors
/// Where something is no HTTP, or the connection ended within an answer.
pub(crate) fn all(received: &[u8], ended: bool) -> Result<Vec<Answer>, String> {
    let mut answers = Vec::new();
    let mut rest = received;
    while !rest.is_empty() && !rest.starts_with(SETTINGS) {
        match next(&mut rest, ended)? {
            // A word on the way.
            Some(Answer {
                status: 100..200, ..
            }) => {}
            Some(answer) => answers.push(answer),
            None if ended => return Err(format!("breaks off: {}", received.escape_ascii())),
            None => break,
        }
    }
    Ok(answers)
}

fn next(rest: &mut &[u8], ended: bool) -> Result<Option<Answer>, String> {
    let Some(end) = find(rest, b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&rest[..end]).map_err(|_| malformed(rest))?;
    let mut lines = head.split("\r\n");
    let status = status(lines.next().unwrap_or_default()).ok_or_else(|| malformed(rest))?;
    let mut length = None;
    let mut chunked = false;
    for line in lines {
        let (name, value) = field(line).ok_or_else(|| malformed(rest))?;
        match name.as_str() {
            "content-length" if length.is_some() => return Err(malformed(rest)),
            "content-length" => length = Some(value.parse().map_err(|_| malformed(rest))?),
            "transfer-encoding" => chunked = value.eq_ignore_ascii_case("chunked"),
            _ => {}
        }
    }
    if chunked && length.is_some() {
        return Err(malformed(rest));
    }
    let after = &rest[end + 4..];
    let empty = matches!(status, 100..200 | 204 | 304);
    let body = match (empty, chunked, length) {
        (true, ..) => Some((Vec::new(), after)),
        (_, true, _) => chunks(after)?,
        (_, _, Some(length)) => {
            let split = after.split_at_checked(length);
            split.map(|(body, after)| (body.to_vec(), after))
        }
        (_, _, None) => ended.then(|| (after.to_vec(), &b""[..])),
    };
    Ok(body.map(|(body, after)| {
        *rest = after;
        Answer { status, body }
    }))
}

fn status(line: &str) -> Option<u16> {
    let rest = line
        .strip_prefix("HTTP/1.1 ")
        .or(line.strip_prefix("HTTP/1.0 "))?;
    let (status, _) = rest.split_once(' ')?;
    let status = status.parse().ok().filter(|_| status.len() == 3)?;
    (100..600).contains(&status).then_some(status)
}

fn field(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.split_once(':')?;
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let named = !name.is_empty() && name.bytes().all(token);
    let plain = value
        .bytes()
        .all(|b| b == b'\t' || (b >= 0x20 && b != 0x7f));
    (named && plain).then(|| (name.to_ascii_lowercase(), value.trim_matches([' ', '\t'])))
}

type Chunks<'r> = Option<(Vec<u8>, &'r [u8])>;

fn chunks(mut rest: &[u8]) -> Result<Chunks<'_>, String> {
    let mut body = Vec::new();
    loop {
        let Some(end) = find(rest, b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&rest[..end]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size, 16).ok());
        let size = size.ok_or_else(|| malformed(rest))?;
        let Some((chunk, after)) = rest[end + 2..].split_at_checked(size) else {
            return Ok(None);
        };
        let Some((line_end, after)) = after.split_at_checked(2) else {
            return Ok(None);
        };
        if line_end != b"\r\n" {
            return Err(malformed(rest));
        }
        if size == 0 {
            return Ok(Some((body, after)));
        }
        body.extend_from_slice(chunk);
        rest = after;
    }
}

fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    bytes.windows(part.len()).position(|window| window == part)
}

fn malformed(answer: &[u8]) -> String {
    format!(
        "is no HTTP: {}",
        answer[..answer.len().min(1000)].escape_ascii()
    )
}
