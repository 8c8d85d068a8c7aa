//! The name of the service that a span belongs to.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hasher as _};

use super::text::{MAX_CHARACTERS, truncate};

/// The name of a service, from the text of its resource's `service.name`, if there is one.
///
/// A name that is too long is truncated and ends in a hash of the whole name, so that no two services share a name. The
/// function leaves such a name unchanged.
///
/// ```
/// use tracing_tail_viewer::otlp::service::service_name;
///
/// assert_eq!(service_name(Some("shop")), "shop");
/// assert_eq!(service_name(Some("")), "unknown_service");
/// ```
pub fn service_name(given: Option<&str>) -> Cow<'_, str> {
    let given = given.filter(|name| !name.is_empty());
    let name = given.unwrap_or("unknown_service");
    let kept = truncate(name);
    if kept.len() == name.len() {
        return Cow::Borrowed(name);
    }
    let number = format!("…{:016x}", service_hash(name));
    let characters = MAX_CHARACTERS - number.chars().count();
    let end = kept.char_indices().nth(characters);
    Cow::Owned(kept[..end.map_or(0, |(at, _)| at)].to_owned() + number.as_str())
}

/// The hash of a service's name.
pub fn service_hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(name.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_services_become_one() {
        let long = "s".repeat(300);
        let names = [
            service_name(Some("shop")),
            service_name(Some(" ")),
            service_name(Some("  ")),
            service_name(None),
            service_name(Some(&long)),
            service_name(Some(&long[1..])),
        ];
        let distinct: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        assert_eq!(service_name(Some("")), names[3]);
        for name in &names {
            assert!(name.chars().count() <= MAX_CHARACTERS);
            assert_eq!(
                service_name(Some(name)),
                *name,
                "as it is shown, it is found"
            );
        }
        let wide = "é".repeat(300);
        assert_eq!(service_name(Some(&wide)).chars().count(), MAX_CHARACTERS);
    }
}
