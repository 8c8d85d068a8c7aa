//! The token: `Authorization: Bearer …`, or a cookie that a link such as `/traces/?token=…` sets.

use http::header::{AUTHORIZATION, COOKIE, HeaderValue};
use http::{HeaderMap, StatusCode, Uri};

use crate::response::Problem;

/// The setting that holds the token.
pub const SETTING: &str = "APP_VIEWER_TOKEN";
/// The name of the cookie.
const NAME: &str = "tracing_tail_viewer";
/// The query parameter of a link.
const PARAMETER: &str = "token";
/// The most characters of a token.
const MAX_CHARACTERS: usize = 512;

/// The bearer token. Its `Debug` form does not contain it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    /// Reads the setting. None if it is empty.
    ///
    /// # Errors
    /// What is accepted. The value is a secret and not quoted.
    pub fn parse(text: &str) -> Result<Option<Token>, String> {
        // The characters of a bearer token (RFC 6750, section 2.1) are also valid in a cookie and in a header.
        let fit =
            |character: char| character.is_ascii_alphanumeric() || "-._~+/=".contains(character);
        let text = text.trim();
        match text.chars().all(fit) && text.len() <= MAX_CHARACTERS {
            true => Ok(Some(Token(text.to_owned())).filter(|_| !text.is_empty())),
            false => Err(format!(
                "the token has others than letters, digits and -._~+/= (or more than {MAX_CHARACTERS} of them)"
            )),
        }
    }

    /// Checks that a request carries it.
    ///
    /// # Errors
    /// 401 if it does not.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut given = bearer(headers).chain(cookies(headers)).peekable();
        let none = given.peek().is_none();
        // Compares every candidate, so that the time reveals nothing.
        let matched = given.fold(false, |matched, given| matched | self.is(given));
        match (matched, none) {
            (true, _) => Ok(()),
            (false, true) => Err(refused("this needs the token")),
            (false, false) => Err(refused("this is not the token")),
        }
    }

    /// The cookie to set for a link with this token.
    ///
    /// # Errors
    /// 401 if it is another token.
    pub fn cookie(&self, given: &str, secure: bool) -> Result<HeaderValue, Problem> {
        if !self.is(given) {
            return Err(refused("this is not the token"));
        }
        let secure = if secure { "; Secure" } else { "" };
        let cookie = format!("{NAME}={}; HttpOnly; SameSite=Strict{secure}", self.0);
        HeaderValue::try_from(cookie).map_err(|_| {
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the token is not valid in a cookie",
            )
        })
    }

    /// Compares in a time that depends only on the length of `given`.
    fn is(&self, given: &str) -> bool {
        let (own, given) = (self.0.as_bytes(), given.as_bytes());
        let differ = given.iter().zip(own.iter().cycle());
        let differ = differ.fold(0, |differ, (one, other)| {
            std::hint::black_box(differ | (one ^ other))
        });
        differ == 0 && own.len() == given.len()
    }
}

fn refused(what: &str) -> Problem {
    let how = "`Authorization: Bearer <token>`, or once the page with ?token=<token>";
    Problem::new(
        StatusCode::UNAUTHORIZED,
        format!("{what} that {SETTING} sets: send {how}"),
    )
}

/// The `WWW-Authenticate` challenge of every 401 response.
pub fn challenge() -> HeaderValue {
    HeaderValue::from_static("Bearer realm=\"tracing-tail viewer\"")
}

fn bearer(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let given = headers.get_all(AUTHORIZATION).iter();
    given.filter_map(|given| {
        let (scheme, token) = given.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    })
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lists = headers.get_all(COOKIE).iter();
    let cookies = lists
        .filter_map(|list| list.to_str().ok())
        .flat_map(|list| list.split(';'));
    cookies.filter_map(|cookie| {
        let (name, value) = cookie.split_once('=')?;
        (name.trim() == NAME).then(|| value.trim())
    })
}

/// The token in a link's query, and the query without it.
pub fn from_link(uri: &Uri) -> Option<(String, String)> {
    let query = uri.query()?;
    let pairs = || form_urlencoded::parse(query.as_bytes());
    let (_, token) = pairs().find(|(name, _)| name == PARAMETER)?;
    let rest = pairs().filter(|(name, _)| name != PARAMETER);
    let rest = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(rest)
        .finish();
    // A token has no spaces, so a space is a plus sign that was not encoded.
    let token = token.replace(' ', "+");
    Some((token, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn is_brought_as_bearer_or_cookie() {
        let token = Token::parse(" s3cret+/== ").unwrap().unwrap();
        let table: &[(&[(&str, &str)], bool)] = &[
            (&[], false),
            (&[("authorization", "Bearer s3cret+/==")], true),
            (&[("authorization", "bearer  s3cret+/==")], true),
            (&[("authorization", "Bearer s3cret+/=")], false),
            (&[("authorization", "Bearer s3cret+/==s3cret+/==")], false),
            (&[("authorization", "Bearer s3cret+/==x")], false),
            (&[("authorization", "Bearer ")], false),
            (&[("authorization", "Basic s3cret+/==")], false),
            (&[("authorization", "s3cret+/==")], false),
            (
                &[("cookie", "a=b; tracing_tail_viewer=s3cret+/==; c=d")],
                true,
            ),
            (
                &[(
                    "cookie",
                    "tracing_tail_viewer=old; tracing_tail_viewer=s3cret+/==",
                )],
                true,
            ),
            (&[("cookie", "tracing_tail_viewer=")], false),
            (&[("cookie", "xtracing_tail_viewer=s3cret+/==")], false),
            (
                &[
                    ("authorization", "Bearer no"),
                    ("cookie", "tracing_tail_viewer=s3cret+/=="),
                ],
                true,
            ),
        ];
        for (given, expected) in table {
            let checked = token.check(&headers(given));
            assert_eq!(checked.is_ok(), *expected, "{given:?}");
            if let Err(problem) = checked {
                assert_eq!(problem.status, 401);
                assert!(!problem.detail.contains("s3cret"), "{}", problem.detail);
            }
        }
        assert!(!format!("{token:?}").contains("s3cret"));
    }

    #[test]
    fn a_token_that_fits_no_header_or_is_too_long_is_refused_without_being_shown() {
        assert_eq!(Token::parse("  "), Ok(None));
        let long = "x".repeat(MAX_CHARACTERS + 1);
        for text in ["two words", "käse", "a;b", "a\"b", "a,b", "a%20b", &long] {
            let problem = Token::parse(text).unwrap_err();
            assert!(!problem.contains(text), "{problem}");
        }
    }

    #[test]
    fn a_link_is_left_without_its_token() {
        let table = [
            ("/traces/?token=a%2Bb", Some(("a+b", ""))),
            ("/traces/?token=a+b&x=1%202", Some(("a+b", "x=1+2"))),
            ("/traces/?x=1&token=a&token=b", Some(("a", "x=1"))),
            ("/traces/?tokens=a", None),
            ("/traces/", None),
        ];
        for (uri, expected) in table {
            let found = from_link(&uri.parse().unwrap());
            let found = found
                .as_ref()
                .map(|(token, rest)| (token.as_str(), rest.as_str()));
            assert_eq!(found, expected, "{uri}");
        }
    }
}
