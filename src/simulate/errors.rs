//! Which requests fail, and with which status.

use http::StatusCode;

use crate::settings::text::parse_percent;

/// The shares of requests that fail, each with a status: disjoint parts of `0.0..1.0`.
#[derive(Debug, Clone, PartialEq)]
pub struct Errors(Vec<(StatusCode, f64)>);

impl Errors {
    /// Reads a percentage (`20`, `12.5`) of requests that fail with 500, or a list
    /// `503:5,429:1` of statuses with their percentages.
    ///
    /// # Errors
    /// The text is malformed; one sentence with the value and what is accepted.
    pub fn parse(text: &str) -> Result<Errors, String> {
        if !text.contains(':') {
            let percent = parse_percent(text)
                .ok_or_else(|| format!("'{text}' is not a percentage from 0 to 100"))?;
            return Ok(Errors(vec![(StatusCode::INTERNAL_SERVER_ERROR, percent)]));
        }
        let shares = text
            .split(',')
            .map(|pair| {
                parse_share(pair.trim()).ok_or_else(|| {
                    format!(
                        "'{}' is not a pair status:percent such as 503:5, with a status from 400 to 599",
                        pair.trim()
                    )
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let sum: f64 = shares.iter().map(|(_, percent)| percent).sum();
        // Decimal fractions do not add up exactly.
        if sum > 100.0 + 1e-9 {
            return Err(format!("'{text}' adds up to {sum} percent, more than 100"));
        }
        Ok(Errors(shares))
    }

    /// The status for a number in `0.0..1.0`; `None` if the request does not fail.
    pub fn sample(&self, draw: f64) -> Option<StatusCode> {
        let mut upper = 0.0;
        self.0.iter().find_map(|(status, percent)| {
            upper += percent;
            (draw * 100.0 < upper).then_some(*status)
        })
    }
}

fn parse_share(pair: &str) -> Option<(StatusCode, f64)> {
    let (status, percent) = pair.split_once(':')?;
    let status = StatusCode::from_bytes(status.trim().as_bytes()).ok()?;
    let failure = status.is_client_error() || status.is_server_error();
    failure.then_some((status, parse_percent(percent.trim())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(errors: &str, draw: f64) -> Option<u16> {
        Errors::parse(errors)
            .unwrap()
            .sample(draw)
            .map(|status| status.as_u16())
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
