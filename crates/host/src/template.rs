//! Templates: text with `{{ variable }}` in it. A `{{` that is never closed is refused.

use anyhow::{Result, bail};
use tracing_tail_redact::redact;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Variable(String),
}

impl Template {
    /// Parses a text.
    ///
    /// # Errors
    /// If a `{{` is never closed. Passwords in URLs are not quoted.
    ///
    /// ```
    /// use tracing_tail_host::template::Template;
    ///
    /// let template = Template::parse("{{ latency }}ms")?;
    /// assert_eq!(template.render(|_name| Ok("50"))?, "50ms");
    /// assert!(Template::parse("{{ latency").is_err());
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Template> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((literal, after)) = rest.split_once("{{") {
            let Some((variable, after)) = after.split_once("}}") else {
                bail!("'{}' opens a '{{{{' that is never closed", redact(text));
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            parts.push(Part::Variable(variable.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        Ok(Template(parts))
    }

    /// The names of its variables.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Variable(name) => Some(name.as_str()),
            Part::Literal(_) => None,
        })
    }

    /// The text, with the value that `lookup` returns for each variable.
    ///
    /// # Errors
    /// The first error that `lookup` returns.
    pub fn render<'v>(&self, lookup: impl Fn(&str) -> Result<&'v str>) -> Result<String> {
        self.0.iter().try_fold(String::new(), |mut text, part| {
            text.push_str(match part {
                Part::Literal(literal) => literal,
                Part::Variable(name) => lookup(name)?,
            });
            Ok(text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders() {
        let table = [
            ("plain", "plain"),
            ("", ""),
            ("{{ x }}", "<x>"),
            ("a{{x}}b{{ y }}{{z}}", "a<x>b<y><z>"),
            ("}} {x}", "}} {x}"),
        ];
        for (text, rendered) in table {
            let template = Template::parse(text).unwrap();
            let shown = template
                .render(|name| Ok(String::leak(format!("<{name}>"))))
                .unwrap();
            assert_eq!(shown, rendered);
        }
    }

    #[test]
    fn refuses_an_unclosed_brace() {
        assert_eq!(
            Template::parse("a {{ x }").unwrap_err().to_string(),
            "'a {{ x }' opens a '{{' that is never closed"
        );
        assert_eq!(
            Template::parse("http://u:pw@{{ x }")
                .unwrap_err()
                .to_string(),
            "'http://REDACTED:REDACTED@{{ x }' opens a '{{' that is never closed"
        );
    }
}
