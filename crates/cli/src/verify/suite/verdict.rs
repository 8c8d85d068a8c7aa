//! What became of something that was sent.

/// The maximum number of characters of a note in a cell.
const MAX_CELL: usize = 32;

/// What became of something that was sent. The order is that of severity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is there as it was sent.
    Kept,
    /// The answers of the backend can't show it; with the reason.
    NotAsked(String),
    /// A count, a time or a choice that is neither right nor wrong; perhaps with a note.
    Figure(String, Option<String>),
    /// It is there with a difference.
    Altered(String),
    /// It is not there; perhaps with a note.
    Lost(Option<String>),
    /// It was not accepted; with the answer.
    Refused(String),
    /// What the backend answers about it can't be read.
    Unreadable(String),
}

impl Verdict {
    /// What is lost, without a note.
    pub const LOST: Verdict = Verdict::Lost(None);

    /// An alteration.
    pub fn altered(how: impl Into<String>) -> Verdict {
        Verdict::Altered(how.into())
    }

    /// The verdict in a word, or the figure.
    pub fn word(&self) -> &str {
        match self {
            Verdict::Kept => "kept",
            Verdict::NotAsked(_) => "not asked",
            Verdict::Figure(figure, _) => figure,
            Verdict::Altered(_) => "altered",
            Verdict::Lost(_) => "lost",
            Verdict::Refused(_) => "refused",
            Verdict::Unreadable(_) => "unreadable",
        }
    }

    /// What a cell says: the word, and how or why if that is short.
    pub fn cell(&self) -> String {
        match self.note() {
            Some(note) if self.is_short() => format!("{}: {note}", self.word()),
            _ => self.word().to_owned(),
        }
    }

    /// How or why, if that is too long for a cell.
    pub fn footnote(&self) -> Option<&str> {
        self.note().filter(|_| !self.is_short())
    }

    fn is_short(&self) -> bool {
        let length = |note: &str| note.chars().count() <= MAX_CELL;
        let is_figure = matches!(self, Verdict::Figure(..));
        !is_figure && self.note().is_some_and(length)
    }

    /// How, or why.
    pub fn note(&self) -> Option<&str> {
        match self {
            Verdict::Kept => None,
            Verdict::Figure(_, note) | Verdict::Lost(note) => note.as_deref(),
            Verdict::NotAsked(note)
            | Verdict::Altered(note)
            | Verdict::Refused(note)
            | Verdict::Unreadable(note) => Some(note),
        }
    }

    /// One verdict for several parts of one thing: kept if all are; lost if all are; altered if they differ.
    pub fn merge(parts: impl IntoIterator<Item = Verdict>) -> Verdict {
        let parts: Vec<_> = parts.into_iter().collect();
        let Some(worst) = parts.iter().max() else {
            return Verdict::Kept;
        };
        let all_alike = parts.iter().all(|part| part.word() == worst.word());
        let mut notes: Vec<&str> = Vec::new();
        for note in parts.iter().filter_map(Verdict::note) {
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        let notes = notes.join("; ");
        match worst {
            Verdict::Kept => Verdict::Kept,
            Verdict::NotAsked(_) => Verdict::NotAsked(notes),
            Verdict::Figure(figure, _) => Verdict::Figure(figure.clone(), none_if_empty(notes)),
            Verdict::Altered(_) => Verdict::Altered(notes),
            Verdict::Lost(_) if all_alike => Verdict::Lost(none_if_empty(notes)),
            Verdict::Lost(_) => {
                let lost = parts.iter().filter(|part| matches!(part, Verdict::Lost(_)));
                let share = format!("{} of {} lost", lost.count(), parts.len());
                match notes.is_empty() {
                    true => Verdict::Altered(share),
                    false => Verdict::Altered(format!("{share}: {notes}")),
                }
            }
            Verdict::Refused(_) => Verdict::Refused(notes),
            Verdict::Unreadable(_) => Verdict::Unreadable(notes),
        }
    }
}

fn none_if_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_note_is_in_the_cell() {
        let long = "as text, without its last three digits";
        let figure = Verdict::Figure("3 ms".to_owned(), Some("max 9 ms".to_owned()));
        let table = [
            (Verdict::altered("as text"), "altered: as text", None),
            (Verdict::altered(long), "altered", Some(long)),
            (Verdict::LOST, "lost", None),
            (
                Verdict::NotAsked("it has no flags".to_owned()),
                "not asked: it has no flags",
                None,
            ),
            (figure, "3 ms", Some("max 9 ms")),
        ];
        for (verdict, cell, footnote) in table {
            assert_eq!(
                (verdict.cell().as_str(), verdict.footnote()),
                (cell, footnote)
            );
        }
    }

    #[test]
    fn the_worst_part_decides() {
        let altered = |how: &str| Verdict::altered(how);
        let lost = |how: &str| Verdict::Lost(Some(how.to_owned()));
        let table = [
            (vec![], Verdict::Kept, "nothing to lose"),
            (
                vec![Verdict::Kept, Verdict::Kept],
                Verdict::Kept,
                "all kept",
            ),
            (
                vec![altered("as text"), Verdict::Kept, altered("as text")],
                altered("as text"),
                "a note is said once",
            ),
            (
                vec![Verdict::LOST, Verdict::LOST],
                Verdict::LOST,
                "all lost",
            ),
            (
                vec![lost("x"), Verdict::Kept, Verdict::Kept],
                altered("1 of 3 lost: x"),
                "a part is lost",
            ),
            (
                vec![Verdict::Kept, Verdict::NotAsked("no flags".to_owned())],
                Verdict::NotAsked("no flags".to_owned()),
                "not seen",
            ),
        ];
        for (parts, expected, reason) in table {
            assert_eq!(Verdict::merge(parts), expected, "{reason}");
        }
    }
}
