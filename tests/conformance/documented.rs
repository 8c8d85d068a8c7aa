//! What `docs/telemetry.md` says of the names that are ours, and of those of the conventions that are not stable.

use std::collections::BTreeMap;
use std::fs;

use crate::support::repository;

/// The rows of the page's tables by the heading that they stand below, and by the name in their first cell.
#[derive(Debug)]
pub struct Documented(BTreeMap<String, BTreeMap<String, String>>);

impl Documented {
    /// Reads the page.
    pub fn load() -> Documented {
        let page = fs::read_to_string(repository().join("docs/telemetry.md")).unwrap();
        let mut sections = BTreeMap::<_, BTreeMap<_, _>>::new();
        let mut heading = String::new();
        for line in page.lines() {
            if let Some(text) = line.strip_prefix("## ") {
                heading = text.to_owned();
                sections.entry(heading.clone()).or_default();
            } else if let Some(row) = line.strip_prefix("| ") {
                let (names, about) = row.split_once(" | ").unwrap();
                let rows = sections.get_mut(&heading).unwrap();
                rows.extend(code(names).map(|name| (name.to_owned(), about.to_owned())));
            }
        }
        Documented(sections)
    }

    /// What stands behind a name below a heading that begins so.
    pub fn row(&self, heading: &str, name: &str) -> Option<&str> {
        let mut sections = self.0.iter();
        let (_, rows) = sections.find(|(text, _)| text.starts_with(heading))?;
        rows.get(name).map(String::as_str)
    }

    /// The names in first cells below a heading.
    pub fn names(&self, heading: &str) -> Vec<&str> {
        self.0[heading].keys().map(String::as_str).collect()
    }

    /// Whether there is a section about such a span.
    pub fn has_section(&self, heading: &str) -> bool {
        self.0.contains_key(heading)
    }

    /// The attributes that an event of ours has, and whether it always has them: what is said with a `where` it
    /// only has there.
    pub fn event(&self, heading: &str, name: &str) -> Option<BTreeMap<&str, bool>> {
        let about = self.row(heading, name)?;
        let pieces = about.split(';').flat_map(|piece| {
            let always = !piece.contains("where");
            let names = code(piece).filter(|name| name.contains('.'));
            names.map(move |name| (name, always))
        });
        Some(pieces.collect())
    }
}

/// What stands between backquotes.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
