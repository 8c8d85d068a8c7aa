//! What `docs/telemetry.md` lists: the project's own names, and unstable ones of the conventions.

use std::collections::BTreeMap;
use std::fs;

use crate::support::repository;

/// The rows of the page's tables, by heading and by the name in their first cell.
#[derive(Debug)]
pub struct Documented(BTreeMap<String, BTreeMap<String, String>>);

impl Documented {
    /// Reads the page.
    pub fn load() -> Documented {
        Documented::parse(&fs::read_to_string(repository().join("docs/telemetry.md")).unwrap())
    }

    /// Reads the text of a page.
    pub fn parse(page: &str) -> Documented {
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

    /// The second cell of the row of `name`, under the heading that starts with `heading`.
    pub fn row(&self, heading: &str, name: &str) -> Option<&str> {
        let mut sections = self.0.iter();
        let (_, rows) = sections.find(|(text, _)| text.starts_with(heading))?;
        rows.get(name).map(String::as_str)
    }

    /// The names in the first cells under a heading.
    pub fn names(&self, heading: &str) -> Vec<&str> {
        self.0[heading].keys().map(String::as_str).collect()
    }

    /// Whether the page has a section for this kind of span.
    pub fn has_section(&self, heading: &str) -> bool {
        self.0.contains_key(heading)
    }

    /// The attributes of one of the project's own events, and whether the event always has them: an attribute whose
    /// description has a `where` is conditional.
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

/// The text between backquotes.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
