//! The outcome as JUnit's XML: a suite with a case for each promise that a pipeline makes.

use std::io;

use quick_xml::Writer;
use quick_xml::events::BytesText;

use super::outcome::{Category, Outcome, Verdict};
use super::text::describe;

/// The cases, and the categories that fail each.
const CASES: [(&str, &[Category]); 7] = [
    ("spans arrive", &[Category::Missing]),
    ("spans arrive once", &[Category::Twice]),
    ("spans arrive unaltered", &[Category::Altered]),
    (
        "spans form one tree",
        &[Category::Orphans, Category::Pieces],
    ),
    (
        "nothing unexpected arrives",
        &[Category::Unsampled, Category::Unexpected],
    ),
    ("the trace is propagated", &[Category::Propagation]),
    ("messages are processed", &[Category::Unprocessed]),
];

/// The case on the share of traces kept.
const SAMPLING: &str = "the share of traces is kept";

/// What a case comes to.
enum Result {
    Passed,
    Skipped(String),
    Error(String),
    Failed { message: String, text: String },
}

impl Outcome {
    /// A `testsuites` document. Of each category at most `show` items are listed.
    ///
    /// # Errors
    /// None: the document is written to memory.
    pub fn to_junit(&self, show: usize) -> io::Result<String> {
        let cases = self.cases(show);
        let count = |of: fn(&Result) -> bool| {
            let cases = cases.iter().filter(|(_, result)| of(result));
            cases.count().to_string()
        };
        let tests = cases.len().to_string();
        let failures = count(|result| matches!(result, Result::Failed { .. }));
        let errors = count(|result| matches!(result, Result::Error(_)));
        let skipped = count(|result| matches!(result, Result::Skipped(_)));
        let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
        let suites = writer.create_element("testsuites");
        suites.write_inner_content(|writer| {
            let suite = writer.create_element("testsuite").with_attributes([
                ("name", "tracing-tail verify"),
                ("tests", tests.as_str()),
                ("failures", failures.as_str()),
                ("errors", errors.as_str()),
                ("skipped", skipped.as_str()),
            ]);
            suite.write_inner_content(|writer| {
                cases
                    .iter()
                    .try_for_each(|(name, result)| write(writer, name, result))?;
                let line = valid(&self.line());
                let out = writer.create_element("system-out");
                out.write_text_content(BytesText::new(&line))?;
                Ok(())
            })?;
            Ok(())
        })?;
        let xml = String::from_utf8(writer.into_inner()).map_err(io::Error::other)?;
        Ok(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{xml}\n"
        ))
    }

    fn cases(&self, show: usize) -> Vec<(&'static str, Result)> {
        if let Verdict::NotJudged(reason) = &self.verdict {
            let names = CASES.iter().map(|(name, _)| *name);
            let mut cases: Vec<_> = names
                .map(|name| (name, Result::Skipped("it could not be judged".to_owned())))
                .collect();
            cases[0].1 = Result::Error(reason.clone());
            return cases;
        }
        let cases = CASES.iter().map(|(name, categories)| {
            let categories = categories.iter().copied();
            let mut failed = categories.filter(|category| category.count(&self.counts) > 0);
            (*name, self.failure(&mut failed, show))
        });
        cases.chain([(SAMPLING, self.sampling())]).collect()
    }

    fn failure(&self, failed: &mut dyn Iterator<Item = Category>, show: usize) -> Result {
        let (mut messages, mut lines) = (Vec::new(), Vec::new());
        for category in failed {
            let count = category.count(&self.counts);
            messages.push(format!("{}: {count}", category.name()));
            if category == Category::Missing {
                lines.extend(self.reasons.iter().map(|reason| reason.text.clone()));
            }
            for item in self.items(category, show) {
                lines.extend(describe(category, &item));
            }
        }
        if messages.is_empty() {
            return Result::Passed;
        }
        Result::Failed {
            message: messages.join(", "),
            text: lines.join("\n"),
        }
    }

    fn sampling(&self) -> Result {
        match &self.share {
            None => Result::Skipped("no sampler is expected".to_owned()),
            Some(share) if share.passes() => Result::Passed,
            Some(share) => Result::Failed {
                message: share.to_string(),
                text: String::new(),
            },
        }
    }
}

fn write(writer: &mut Writer<Vec<u8>>, name: &str, result: &Result) -> io::Result<()> {
    let case = writer
        .create_element("testcase")
        .with_attributes([("classname", "verify"), ("name", name)]);
    let (element, message, text) = match result {
        Result::Passed => {
            case.write_empty()?;
            return Ok(());
        }
        Result::Skipped(message) => ("skipped", message, ""),
        Result::Error(message) => ("error", message, ""),
        Result::Failed { message, text } => ("failure", message, text.as_str()),
    };
    let (message, text) = (valid(message), valid(text));
    case.write_inner_content(|writer| {
        let element = writer
            .create_element(element)
            .with_attribute(("message", message.as_str()));
        element.write_text_content(BytesText::new(&text))?;
        Ok(())
    })?;
    Ok(())
}

/// Replaces characters that XML 1.0 has no way to write (section 2.2, "Characters").
fn valid(text: &str) -> String {
    let allowed = |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    text.chars()
        .map(|c| {
            if allowed(c) {
                c
            } else {
                char::REPLACEMENT_CHARACTER
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
