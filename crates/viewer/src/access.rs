//! Who has access: to the page and the API, and to the receiver of exports.
//!
//! - [`client`]: the client's address, as the host reports it
//! - [`hosts`]: the host names that the viewer answers to when the client is on the same machine
//! - [`origins`]: pages of other sites, and which of them may send exports
//! - [`token`]: the bearer token, if one is set
//!
//! Everything here is a function of a request's head and the settings. A refusal has the status and the sentence of the
//! response.

pub mod client;
pub mod hosts;
pub mod origins;
pub mod token;

use http::header::{HeaderValue, ORIGIN};
use http::request::Parts;
use http::{Method, StatusCode};

use self::hosts::AllowedHosts;
use self::origins::AllowedOrigins;
use self::token::Token;
use crate::response::Problem;

/// The access rules of a viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// Host names that the viewer answers to, besides those of loopback.
    pub hosts: AllowedHosts,
    /// The token that every request must carry, if one is set.
    pub token: Option<Token>,
    /// The origins whose pages may send exports.
    pub origins: AllowedOrigins,
}

impl Access {
    /// Checks whether a request may see the page and the API. Its token is checked by [`Access::check_token`].
    ///
    /// A page that uses DNS rebinding to reach this machine sends its own name in `Host`. Behind Docker or a remote proxy
    /// the client's address is not loopback, and any name is accepted.
    ///
    /// # Errors
    /// 421 for a host name that the viewer does not answer to, 403 for a change requested by another site.
    pub fn check_page(&self, head: &Parts) -> Result<(), Problem> {
        let authority = client::authority(head);
        if client::is_loopback(&head.headers)
            && let Some(named) = authority
            && !hosts::is_loopback(named.host())
            && !self.hosts.contains(named)
        {
            let problem = format!(
                "the viewer does not answer for the host '{named}': use localhost, or name it in {}",
                hosts::SETTING
            );
            return Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, problem));
        }
        if matches!(head.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return Ok(());
        }
        self.check_own_site(head)
    }

    /// Checks that a request does not come from a page of another site.
    ///
    /// # Errors
    /// 403 if it does.
    pub fn check_own_site(&self, head: &Parts) -> Result<(), Problem> {
        let authority = client::authority(head);
        let own = |origin: &str| {
            origins::is_same_host(origin, authority) || self.hosts.contains_origin(origin)
        };
        origins::check(&head.headers, own, hosts::SETTING)?;
        origins::check_site(&head.headers)
    }

    /// Checks whether a page may send an export, and returns its origin, which may read the response. Any host name is
    /// accepted, because containers send to `host.docker.internal`.
    ///
    /// # Errors
    /// 403 for a page of a site that is not allowed.
    pub fn check_receiver(&self, head: &Parts) -> Result<Option<HeaderValue>, Problem> {
        let authority = client::authority(head);
        let may = |origin: &str| {
            origins::is_same_host(origin, authority) || self.origins.contains(origin)
        };
        match head.headers.get(ORIGIN) {
            // An allowed page still says `Sec-Fetch-Site: cross-site`, so that header is not checked.
            Some(origin) => {
                origins::check(&head.headers, may, origins::SETTING).map(|()| Some(origin.clone()))
            }
            None => origins::check_site(&head.headers).map(|()| None),
        }
    }

    /// Checks that a request carries the token, if one is set.
    ///
    /// # Errors
    /// 401 if it does not.
    pub fn check_token(&self, head: &Parts) -> Result<(), Problem> {
        match &self.token {
            Some(token) => token.check(&head.headers),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
