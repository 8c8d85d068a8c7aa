//! An entry of `allowed_outbound_hosts`. The input: the entry.
//!
//! An entry without a wildcard allows what it names, and no other host, scheme or port.

use http::Uri;
use tracing_tail_host::allowed_hosts::{AllowedHosts, Entry};

use crate::Target;
use crate::memory::Bound;
use crate::secret::{SECRET, assert_hidden};

/// See the module.
pub const TARGET: Target = Target {
    name: "allowed_hosts",
    property,
    memory: Bound {
        constant: 64 << 10,
        per_byte: 256,
    },
};

/// A host that no entry without a wildcard names by accident.
const OTHER: &str = "another-host.example";

fn property(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    hides_passwords(text);
    let rendered = Entry::parse_rendered(text);
    let Ok(entry) = Entry::parse(text) else {
        assert!(!matches!(rendered, Ok(Some(_))), "{text}");
        return;
    };
    assert_eq!(rendered.ok().flatten().as_ref(), Some(&entry));
    assert_eq!(Entry::parse(text.trim()).ok().as_ref(), Some(&entry));
    let allowed = AllowedHosts::new(vec![entry]);
    let text = text.trim();
    let Some((scheme, rest)) = text.split_once("://") else {
        panic!("{text} has no scheme");
    };
    let http = ["http", "https"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    let exact = !rest.contains(['*', '/']) && !rest.contains("..") && http;
    if !exact || ["self", "self.alt"].contains(&rest.split(':').next().unwrap_or_default()) {
        return;
    }
    let allows = |url: String| url.parse::<Uri>().ok().map(|url| allowed.allow(&url));
    assert_ne!(
        allows(format!("{text}/process")),
        Some(false),
        "{text} is not allowed by itself"
    );
    if !rest.contains(OTHER) {
        assert_ne!(allows(format!("{scheme}://{OTHER}/process")), Some(true));
        assert_ne!(
            allows(format!("{scheme}://{OTHER}.{rest}/process")),
            Some(true)
        );
    }
    assert_ne!(
        allows(format!("other{text}/process")),
        Some(true),
        "another scheme"
    );
    assert!(!allowed.allow_self());
}

fn hides_passwords(text: &str) {
    let Some((scheme, rest)) = text.split_once("://") else {
        return;
    };
    let entry = format!("{scheme}://user:{SECRET}@{rest}");
    match Entry::parse(&entry) {
        Ok(entry) => assert_hidden(&format!("{entry:?}"), text),
        Err(problem) => assert_hidden(&format!("{problem:#}"), &entry),
    }
}
