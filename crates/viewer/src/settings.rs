//! The component's variables: how much may be kept, and who may ask.

use crate::access::Access;
use crate::access::names::{self, Names};
use crate::access::origins::{self, Origins};
use crate::access::token::{self, Token};

/// A setting: its environment name and its default.
pub type Setting = (&'static str, &'static str);

/// The setting of [`Bounds::traces`].
pub const TRACES: Setting = ("APP_VIEWER_TRACES", "5000");
/// The setting of [`Bounds::bytes`].
pub const BYTES: Setting = ("APP_VIEWER_BYTES", "67108864");
/// The setting of [`Access::names`].
pub const HOSTS: Setting = (names::SETTING, "");
/// The setting of [`Access::token`]. Secret.
pub const TOKEN: Setting = (token::SETTING, "");
/// The setting of [`Access::origins`].
pub const CORS: Setting = (origins::SETTING, "loopback");

/// All settings, in the order of the README's table.
pub const SETTINGS: [Setting; 5] = [TRACES, BYTES, HOSTS, TOKEN, CORS];

/// What the viewer is told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How much is kept.
    pub bounds: Bounds,
    /// Who may ask.
    pub access: Access,
}

impl Settings {
    /// Reads the values of [`SETTINGS`], in their order; an empty one has its default.
    ///
    /// # Errors
    /// A sentence with the setting, what is wrong with it, and what is accepted.
    pub fn read([traces, bytes, hosts, token, cors]: [&str; 5]) -> Result<Settings, String> {
        let of = |(name, _): Setting| move |problem: String| format!("{name}: {problem}");
        Ok(Settings {
            bounds: Bounds::read(traces, bytes)?,
            access: Access {
                names: Names::parse(hosts).map_err(of(HOSTS))?,
                token: Token::parse(token).map_err(of(TOKEN))?,
                origins: Origins::parse(given(CORS, cors)).map_err(of(CORS))?,
            },
        })
    }
}

/// How much is kept; beyond it the oldest traces go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Traces.
    pub traces: i64,
    /// Bytes of spans and their indexed attributes, all traces together.
    pub bytes: i64,
}

impl Bounds {
    /// Reads both settings; an empty one has its default.
    ///
    /// # Errors
    /// A sentence with the setting, the value, and what is accepted.
    pub fn read(traces: &str, bytes: &str) -> Result<Bounds, String> {
        Ok(Bounds {
            traces: number(TRACES, traces, 1_000_000)?,
            bytes: number(BYTES, bytes, 1 << 40)?,
        })
    }
}

fn number(setting: Setting, text: &str, most: i64) -> Result<i64, String> {
    let text = given(setting, text);
    match text.parse() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!(
            "{}: '{text}' is not a number from 1 to {most}",
            setting.0
        )),
    }
}

/// The value, or the default where it is empty.
fn given<'t>((_, default): (&str, &'t str), text: &'t str) -> &'t str {
    match text.trim() {
        "" => default,
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_names_what_is_none() {
        let bounds = |traces, bytes| Bounds { traces, bytes };
        assert_eq!(Bounds::read("", " "), Ok(bounds(5_000, 64 << 20)));
        assert_eq!(Bounds::read("7", "1000"), Ok(bounds(7, 1_000)));
        assert_eq!(
            Bounds::read("0", ""),
            Err("APP_VIEWER_TRACES: '0' is not a number from 1 to 1000000".to_owned())
        );
        assert!(Bounds::read("", "64MiB").unwrap_err().contains("'64MiB'"));
    }

    #[test]
    fn defaults_are_accepted_and_a_wrong_value_is_named_by_its_setting() {
        assert!(Settings::read(SETTINGS.map(|(_, default)| default)).is_ok());
        assert_eq!(
            Settings::read([""; 5]),
            Settings::read(["", "", "", "", "loopback"])
        );
        let table = [
            (
                ["", "", "http://a", "", ""],
                "APP_VIEWER_HOSTS: 'http://a' is no ",
            ),
            (
                ["", "", "", "two words", ""],
                "APP_VIEWER_TOKEN: the token ",
            ),
            (
                ["", "", "", "", "evil.example"],
                "APP_VIEWER_CORS: 'evil.example' is no ",
            ),
        ];
        for (values, expected) in table {
            let problem = Settings::read(values).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
            assert!(!problem.contains("two words"), "a secret: {problem}");
        }
    }
}
