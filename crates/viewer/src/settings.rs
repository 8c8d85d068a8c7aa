//! The component's variables: how much is kept, and who has access.

use crate::access::Access;
use crate::access::hosts::{self, AllowedHosts};
use crate::access::origins::{self, AllowedOrigins};
use crate::access::token::{self, Token};

/// A setting: its environment name and its default.
pub type Setting = (&'static str, &'static str);

/// The setting of [`Bounds::traces`].
pub const TRACES: Setting = ("APP_VIEWER_TRACES", "5000");
/// The setting of [`Bounds::bytes`].
pub const BYTES: Setting = ("APP_VIEWER_BYTES", "67108864");
/// The setting of [`Access::hosts`].
pub const HOSTS: Setting = (hosts::SETTING, "");
/// The setting of [`Access::token`]. Secret.
pub const TOKEN: Setting = (token::SETTING, "");
/// The setting of [`Access::origins`].
pub const CORS: Setting = (origins::SETTING, "loopback");
/// The setting of [`Settings::process`].
pub const PROCESS: Setting = ("APP_VIEWER_PROCESS", "/process");

/// All settings, in the order of the table in `docs/settings.md`.
pub const SETTINGS: [Setting; 6] = [TRACES, BYTES, HOSTS, TOKEN, CORS, PROCESS];

/// The viewer's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How much is kept.
    pub bounds: Bounds,
    /// Who has access.
    pub access: Access,
    /// The path that the page's form sends its requests to.
    pub process: String,
}

impl Settings {
    /// Reads the values of [`SETTINGS`], in the same order. An empty value means the default.
    ///
    /// # Errors
    /// A sentence that names the setting, what is wrong with it, and what is accepted.
    pub fn read(
        [traces, bytes, hosts, token, cors, process]: [&str; 6],
    ) -> Result<Settings, String> {
        let with_name = |(name, _): Setting| move |problem: String| format!("{name}: {problem}");
        Ok(Settings {
            bounds: Bounds::read(traces, bytes)?,
            access: Access {
                hosts: AllowedHosts::parse(hosts).map_err(with_name(HOSTS))?,
                token: Token::parse(token).map_err(with_name(TOKEN))?,
                origins: AllowedOrigins::parse(or_default(CORS, cors)).map_err(with_name(CORS))?,
            },
            process: path(or_default(PROCESS, process)).map_err(with_name(PROCESS))?,
        })
    }
}

/// A path from the root of the app.
fn path(text: &str) -> Result<String, String> {
    let is_path = text.starts_with('/')
        && !text.starts_with("//")
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    match is_path {
        true => Ok(text.to_owned()),
        false => Err(format!("'{text}' is not a path such as /process")),
    }
}

/// How much is kept. When a bound is exceeded, the oldest traces are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The number of traces.
    pub traces: i64,
    /// The bytes of all traces together: spans, summaries, resources and scopes.
    pub bytes: i64,
}

impl Bounds {
    /// Reads both settings. An empty value means the default.
    ///
    /// # Errors
    /// A sentence that names the setting, the value, and what is accepted.
    pub fn read(traces: &str, bytes: &str) -> Result<Bounds, String> {
        Ok(Bounds {
            traces: number(TRACES, traces, 1_000_000)?,
            bytes: number(BYTES, bytes, 1 << 40)?,
        })
    }
}

fn number(setting: Setting, text: &str, max: i64) -> Result<i64, String> {
    let text = or_default(setting, text);
    match text.parse() {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        _ => Err(format!(
            "{}: '{text}' is not a number from 1 to {max}",
            setting.0
        )),
    }
}

/// The value, or the default if it is empty.
fn or_default<'t>((_, default): (&str, &'t str), text: &'t str) -> &'t str {
    match text.trim() {
        "" => default,
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_and_names_a_value_that_is_not_one() {
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
    fn accepts_the_defaults_and_names_the_setting_of_a_wrong_value() {
        assert!(Settings::read(SETTINGS.map(|(_, default)| default)).is_ok());
        assert_eq!(
            Settings::read([""; 6]),
            Settings::read(["", "", "", "", "loopback", "/process"])
        );
        let table = [
            (
                ["", "", "http://a", "", "", ""],
                "APP_VIEWER_HOSTS: 'http://a' is not a ",
            ),
            (
                ["", "", "", "two words", "", ""],
                "APP_VIEWER_TOKEN: the token ",
            ),
            (
                ["", "", "", "", "evil.example", ""],
                "APP_VIEWER_CORS: 'evil.example' is not an origin ",
            ),
            (
                ["", "", "", "", "", "//evil.example/process"],
                "APP_VIEWER_PROCESS: '//evil.example/process' is not a path such as /process",
            ),
        ];
        for (values, expected) in table {
            let problem = Settings::read(values).unwrap_err();
            assert!(problem.starts_with(expected), "{problem}");
            assert!(!problem.contains("two words"), "a secret: {problem}");
        }
    }
}
