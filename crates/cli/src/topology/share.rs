//! A name with a share of requests: `cart;p=60`.

use anyhow::Result;
use tracing_tail_host::document::Located;
use tracing_tail_redact::redact;

/// Splits `cart;p=60` into a name and a percentage. `problem` follows the text of one that is malformed.
pub(super) fn split_share(
    text: &Located<String>,
    problem: &str,
) -> Result<(Located<String>, Option<String>)> {
    let (name, percent) = match text.value.split_once(';') {
        None => (text.value.as_str(), None),
        Some((name, condition)) => {
            let percent = condition.trim().strip_prefix("p=");
            // What follows a comma would be another entry.
            let percent = percent.filter(|percent| !percent.contains(','));
            let percent = percent.ok_or_else(|| {
                let whole = redact(&text.value);
                text.error(format!("'{whole}' {problem}"))
            })?;
            (name, Some(percent.to_owned()))
        }
    };
    Ok((text.with(name.trim().to_owned()), percent))
}
