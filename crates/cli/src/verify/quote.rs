//! Values in messages: of a sane length, on one line, without control characters.

/// The maximum number of characters of a value.
const MAX_VALUE: usize = 200;
/// The maximum number of characters of a name or a short text.
const MAX_NAME: usize = 100;
/// How much of what two long values share is shown before their first difference.
const SHARED: usize = 20;

/// A value in quotes, with control characters escaped. A long one is cut, and its length is said.
pub fn quoted(value: &str) -> String {
    excerpt(value, 0)
}

/// Two values that differ, so that the difference is visible even if they are long.
pub fn quoted_pair(one: &str, other: &str) -> (String, String) {
    let long = [one, other]
        .iter()
        .any(|text| text.chars().nth(MAX_VALUE).is_some());
    let same = one.chars().zip(other.chars());
    let same = same.take_while(|(one, other)| one == other).count();
    let from = if long { same.saturating_sub(SHARED) } else { 0 };
    (excerpt(one, from), excerpt(other, from))
}

/// A name without quotes, with control characters escaped. A long one is cut.
pub fn plain(name: &str) -> String {
    let escaped = |text: &str| {
        let debug = format!("{text:?}");
        debug[1..debug.len() - 1].replace("\\\"", "\"")
    };
    match name.char_indices().nth(MAX_NAME) {
        Some((end, _)) => format!("{}…", escaped(&name[..end])),
        None => escaped(name),
    }
}

fn excerpt(value: &str, from: usize) -> String {
    let shown: String = value.chars().skip(from).take(MAX_VALUE).collect();
    let before = if from > 0 { "…" } else { "" };
    let rest = value.chars().skip(from + MAX_VALUE).count();
    let after = if rest > 0 { "…" } else { "" };
    let quoted = format!("{:?}", format!("{before}{shown}{after}"));
    if from > 0 || rest > 0 {
        format!("{quoted} ({} characters)", value.chars().count())
    } else {
        quoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_would_break_a_line_or_a_terminal() {
        let table = [
            ("plain", r#""plain""#, "plain"),
            ("", r#""""#, ""),
            (
                "a\nb\u{1b}[2J\0",
                r#""a\nb\u{1b}[2J\0""#,
                r"a\nb\u{1b}[2J\0",
            ),
            ("\u{202e}", r#""\u{202e}""#, r"\u{202e}"),
            ("say \"hi\"", r#""say \"hi\"""#, "say \"hi\""),
            ("größe", r#""größe""#, "größe"),
        ];
        for (value, in_quotes, name) in table {
            assert_eq!(
                (quoted(value).as_str(), plain(value).as_str()),
                (in_quotes, name)
            );
        }
    }

    #[test]
    fn a_long_value_is_cut_and_its_length_said() {
        let long = "ä".repeat(1 << 17);
        let text = quoted(&long);
        assert!(text.ends_with("…\" (131072 characters)"), "{text}");
        assert_eq!(text.chars().filter(|c| *c == 'ä').count(), MAX_VALUE);
        assert_eq!(plain(&long).chars().count(), MAX_NAME + 1);
        let whole = "x".repeat(MAX_VALUE);
        assert_eq!(quoted(&whole), format!("\"{whole}\""));
    }

    #[test]
    fn the_difference_of_two_long_values_is_shown() {
        let long = "x".repeat(100_000);
        let (one, other) = quoted_pair(&format!("{long}y"), &format!("{long}z"));
        let start = format!("\"…{}", "x".repeat(SHARED));
        assert_eq!(one, format!("{start}y\" (100001 characters)"));
        assert_eq!(other, format!("{start}z\" (100001 characters)"));
        let cut = quoted_pair(&long, &long[..128]);
        assert!(cut.1.ends_with("xx\" (128 characters)"), "{}", cut.1);
        let short = quoted_pair("same a", "same b");
        assert_eq!(short, (r#""same a""#.to_owned(), r#""same b""#.to_owned()));
    }
}
