//! Which requests fail, and with which code.

use crate::settings::text::parse_percent;

/// The shares of requests that fail, each with a code: disjoint parts of `0.0..1.0`.
#[derive(Debug, Clone, PartialEq)]
pub struct Errors(Vec<(Box<str>, f64)>);

/// The codes that errors may have.
#[derive(Debug)]
pub struct ErrorCodes {
    /// The code of a percentage without one.
    pub default: &'static str,
    /// What a pair is.
    pub accepted: &'static str,
    /// Whether a code is one of them.
    pub accepts: fn(&str) -> bool,
}

/// HTTP statuses from 400 to 599.
pub const HTTP_STATUSES: ErrorCodes = ErrorCodes {
    default: "500",
    accepted: "status:percent such as 503:5, with a status from 400 to 599",
    accepts: |code| {
        let digits = code.bytes().all(|byte| byte.is_ascii_digit());
        code.len() == 3 && digits && code.starts_with(['4', '5'])
    },
};

impl Errors {
    /// Reads a percentage (`20`, `12.5`) of requests that fail with 500, or a list
    /// `503:5,429:1` of statuses with their percentages.
    ///
    /// # Errors
    /// The text is malformed; one sentence with the value and what is accepted.
    pub fn parse(text: &str) -> Result<Errors, String> {
        Errors::with_codes(text, &HTTP_STATUSES)
    }

    /// The same with other codes.
    ///
    /// # Errors
    /// The text is malformed; one sentence with the value and what is accepted.
    pub fn with_codes(text: &str, codes: &ErrorCodes) -> Result<Errors, String> {
        if !text.contains(':') {
            let percent = parse_percent(text)
                .ok_or_else(|| format!("'{text}' is not a percentage from 0 to 100"))?;
            return Ok(Errors(vec![(codes.default.into(), percent)]));
        }
        let shares = text
            .split(',')
            .map(|pair| {
                let pair = pair.trim();
                parse_share(pair, codes)
                    .ok_or_else(|| format!("'{pair}' is not a pair {}", codes.accepted))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let sum: f64 = shares.iter().map(|(_, percent)| percent).sum();
        // Decimal fractions do not add up exactly.
        if sum > 100.0 + 1e-9 {
            return Err(format!("'{text}' adds up to {sum} percent, more than 100"));
        }
        Ok(Errors(shares))
    }

    /// The code for a number in `0.0..1.0`; `None` if the request does not fail.
    pub fn sample(&self, draw: f64) -> Option<&str> {
        let mut upper = 0.0;
        self.0.iter().find_map(|(code, percent)| {
            upper += percent;
            (draw * 100.0 < upper).then_some(&**code)
        })
    }
}

fn parse_share(pair: &str, codes: &ErrorCodes) -> Option<(Box<str>, f64)> {
    let (code, percent) = pair.split_once(':')?;
    let code = code.trim();
    let percent = parse_percent(percent.trim())?;
    (codes.accepts)(code).then(|| (code.into(), percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(errors: &str, draw: f64) -> Option<u16> {
        let errors = Errors::parse(errors).unwrap();
        errors.sample(draw).map(|status| status.parse().unwrap())
    }

    #[test]
    fn fails_the_configured_share_of_requests() {
        let table = [
            ("0", 0.0, None),
            ("100", 0.999_999, Some(500)),
            ("20", 0.199, Some(500)),
            ("20", 0.2, None),
            ("0.5", 0.004, Some(500)),
            ("0.5", 0.005, None),
            ("503:5,429:1", 0.049, Some(503)),
            ("503:5,429:1", 0.05, Some(429)),
            ("503:5, 429:1", 0.06, None),
            ("500:16.6,501:66.7,502:16.7", 0.999, Some(502)),
        ];
        for (errors, draw, expected) in table {
            assert_eq!(failure(errors, draw), expected, "{errors} at {draw}");
        }
    }

    #[test]
    fn refuses_malformed_errors() {
        let share = |pair: &str| {
            format!(
                "'{pair}' is not a pair status:percent such as 503:5, with a status from 400 to 599"
            )
        };
        let table = [
            ("abc", "'abc' is not a percentage from 0 to 100".to_owned()),
            ("-1", "'-1' is not a percentage from 0 to 100".to_owned()),
            (
                "100.1",
                "'100.1' is not a percentage from 0 to 100".to_owned(),
            ),
            ("NaN", "'NaN' is not a percentage from 0 to 100".to_owned()),
            ("20%", "'20%' is not a percentage from 0 to 100".to_owned()),
            ("200:5", share("200:5")),
            ("503:5,", share("")),
            ("503:5,10", share("10")),
            (
                "503:60,500:60",
                "'503:60,500:60' adds up to 120 percent, more than 100".to_owned(),
            ),
        ];
        for (text, problem) in table {
            assert_eq!(Errors::parse(text), Err(problem));
        }
    }
}
