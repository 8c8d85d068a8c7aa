//! The results: a column for each subject, a row for each thing that is checked, and notes.

use super::verdict::Verdict;

/// The results of the suite.
#[derive(Debug, Default)]
pub struct Results {
    /// The names of the rows.
    pub rows: Vec<String>,
    /// The subjects.
    pub columns: Vec<Column>,
    /// Whether every subject that was to be checked was.
    pub is_complete: bool,
}

/// What was found out about a subject.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The verdict of each row, or why there is none.
    pub verdicts: Result<Vec<Verdict>, String>,
    /// What its reader can't see.
    pub blind_spots: Vec<String>,
}

/// A note about cells of one row.
#[derive(Debug, PartialEq, Eq)]
pub struct Note {
    /// Its row.
    pub row: usize,
    /// The columns that it is about.
    pub columns: Vec<usize>,
    /// What it says.
    pub text: String,
}

impl Results {
    /// The notes in the order of the rows. The same note about several columns is one.
    pub fn notes(&self) -> Vec<Note> {
        let mut notes: Vec<Note> = Vec::new();
        for row in 0..self.rows.len() {
            let first = notes.len();
            for (column, text) in self.columns.iter().enumerate().filter_map(|(at, column)| {
                let verdict = column.verdict(row)?;
                Some((at, verdict.footnote()?.to_owned()))
            }) {
                match notes[first..].iter_mut().find(|note| note.text == text) {
                    Some(note) => note.columns.push(column),
                    None => notes.push(Note {
                        row,
                        columns: vec![column],
                        text,
                    }),
                }
            }
        }
        notes
    }

    /// The table: the names of the columns, then each row. A cell with a note has its number.
    pub fn cells(&self) -> Vec<Vec<String>> {
        let notes = self.notes();
        let names = self.columns.iter().map(|column| column.name.clone());
        let mut lines = vec![[String::new()].into_iter().chain(names).collect::<Vec<_>>()];
        for (row, name) in self.rows.iter().enumerate() {
            let cells = self.columns.iter().enumerate().map(|(at, column)| {
                let Some(verdict) = column.verdict(row) else {
                    return "not run".to_owned();
                };
                let note = notes
                    .iter()
                    .position(|note| note.row == row && note.columns.contains(&at));
                match note {
                    Some(number) => format!("{} ({})", verdict.cell(), number + 1),
                    None => verdict.cell(),
                }
            });
            lines.push([name.clone()].into_iter().chain(cells).collect());
        }
        lines
    }

    /// Each note with its row and its columns.
    pub fn note_lines(&self) -> Vec<String> {
        let line = |note: Note| {
            let names = note
                .columns
                .iter()
                .map(|at| self.columns[*at].name.as_str());
            let names = names.collect::<Vec<_>>().join("; ");
            format!("{} ({names}): {}", self.rows[note.row], note.text)
        };
        self.notes().into_iter().map(line).collect()
    }
}

impl Column {
    /// The verdict of a row; `None` if the subject was not checked, or the row left out.
    pub fn verdict(&self, row: usize) -> Option<&Verdict> {
        self.verdicts.as_ref().ok()?.get(row)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn results() -> Results {
        let column = |name: &str, verdicts| Column {
            name: name.to_owned(),
            verdicts,
            blind_spots: vec![format!("{name} hides something.")],
        };
        let altered = || Verdict::altered("as text, which | is cut after 10 bytes");
        Results {
            is_complete: false,
            rows: vec!["links".to_owned(), "bytes".to_owned()],
            columns: vec![
                column("Jaeger 2", Ok(vec![Verdict::Kept, altered()])),
                column("Tempo", Ok(vec![Verdict::LOST, altered()])),
                column("Zipkin", Err("no answer".to_owned())),
            ],
        }
    }

    #[test]
    fn a_note_of_several_columns_has_one_number() {
        let results = results();
        let expected = [
            ["", "Jaeger 2", "Tempo", "Zipkin"],
            ["links", "kept", "lost", "not run"],
            ["bytes", "altered (1)", "altered (1)", "not run"],
        ];
        assert_eq!(results.cells(), expected);
        assert_eq!(
            results.note_lines(),
            ["bytes (Jaeger 2; Tempo): as text, which | is cut after 10 bytes"]
        );
    }
}
