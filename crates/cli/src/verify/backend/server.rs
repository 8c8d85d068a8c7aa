//! Asks a server, and classifies what it answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tracing_tail_redact::redact;

use super::super::super::traffic::client::{Client, ClientLimits, Failure};
use super::access::HEADERS_VARIABLE;
use super::fields::cut;
use super::problem::{Problem, Retry};

/// The limits of a question. An answer may be 10,000 spans with large values.
pub(super) const LIMITS: ClientLimits = ClientLimits {
    connections: 8,
    head_timeout: Duration::from_secs(10),
    answer_timeout: Duration::from_secs(60),
    max_answer: 256 << 20,
};

/// The content type of JSON.
pub(super) const JSON: &str = "application/json";
/// The content type of protobuf.
pub(super) const PROTOBUF: &str = "application/protobuf";

/// A server with an API.
#[derive(Debug, Clone)]
pub(super) struct Server {
    client: Client,
    limits: ClientLimits,
    /// Questions wait here, so that waiting for a connection is not taken for a slow server.
    permits: Arc<Semaphore>,
    base: String,
    headers: HeaderMap,
}

/// What a server answers.
#[derive(Debug, PartialEq)]
pub(super) enum Reply {
    /// 200 with this body.
    Found(Body),
    /// 404 with this text.
    NotFound(Bytes),
}

/// The body of an answer.
#[derive(Debug, PartialEq)]
pub(super) struct Body {
    /// What was received.
    pub(super) bytes: Bytes,
    /// Whether its content type or its first byte says that it is JSON.
    pub(super) is_json: bool,
}

impl Server {
    /// A server at a URL without a slash at its end, and the headers of each request.
    pub(super) fn new(base: String, headers: HeaderMap, limits: ClientLimits) -> Server {
        Server {
            client: Client::new(limits),
            limits,
            permits: Arc::new(Semaphore::new(limits.connections)),
            base,
            headers,
        }
    }

    /// Its URL, without credentials.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The same server, with another path after the host.
    pub(super) fn below(&self, path: &str) -> Server {
        Server {
            base: format!("{}{path}", self.base),
            ..self.clone()
        }
    }

    /// Asks for a path.
    ///
    /// # Errors
    /// There was no answer, or neither 200 nor 404.
    pub(super) async fn get(&self, path: &str, accept: &'static str) -> Result<Reply, Problem> {
        self.classify(self.send(path, accept).await?)
    }

    /// Sends a question, and waits for the whole answer.
    ///
    /// # Errors
    /// There was no answer.
    pub(super) async fn send(
        &self,
        path: &str,
        accept: &'static str,
    ) -> Result<Response<Bytes>, Problem> {
        let request = Request::get(format!("{}{path}", self.base)).body(Bytes::new());
        self.exchange(request, accept).await
    }

    /// Sends a question in JSON by POST, and waits for the whole answer, which is JSON too.
    ///
    /// # Errors
    /// There was no answer.
    pub(super) async fn send_json(
        &self,
        path: &str,
        question: Bytes,
    ) -> Result<Response<Bytes>, Problem> {
        let request = Request::post(format!("{}{path}", self.base))
            .header(CONTENT_TYPE, HeaderValue::from_static(JSON))
            .body(question);
        self.exchange(request, JSON).await
    }

    async fn exchange(
        &self,
        request: http::Result<Request<Bytes>>,
        accept: &'static str,
    ) -> Result<Response<Bytes>, Problem> {
        let refused = |error| self.name(Problem::lasting(format!("can't be asked: {error}")));
        let mut request = request.map_err(refused)?;
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        let _permit = self.permits.acquire().await;
        let answer = self.client.send(request).await;
        answer.map_err(|failure| self.name(no_answer(failure, self.limits)))
    }

    /// What an answer says.
    ///
    /// # Errors
    /// It is neither 200 nor 404.
    pub(super) fn classify(&self, response: Response<Bytes>) -> Result<Reply, Problem> {
        classify(response).map_err(|problem| self.name(problem))
    }

    /// Puts the server's URL before a message.
    pub(super) fn name(&self, problem: Problem) -> Problem {
        let Problem { message, retry } = problem;
        let message = format!("{} {message}", self.base);
        Problem { message, retry }
    }

    /// Reads a body on a thread where that may take long.
    ///
    /// # Errors
    /// What `read` says, with the server's URL.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        body: Body,
        read: fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, Problem> {
        let reading = spawn_blocking(move || read(&body.bytes));
        // A task that panicked has no result; the readers don't panic.
        let read = reading.await.unwrap_or_else(|error| Err(error.to_string()));
        read.map_err(|error| {
            let message = format!("answered with something that can't be read: {error}");
            self.name(Problem::lasting(message))
        })
    }
}

/// Classifies an answer.
fn classify(response: Response<Bytes>) -> Result<Reply, Problem> {
    let (head, bytes) = response.into_parts();
    let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
    let content_type = header(CONTENT_TYPE)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let status = head.status;
    match status {
        StatusCode::OK | StatusCode::NOT_FOUND
            if header(CONTENT_ENCODING).is_some_and(is_encoded) =>
        {
            let message = "answered with a compressed body, which was not asked for";
            Err(Problem::lasting(message))
        }
        StatusCode::NOT_FOUND => Ok(Reply::NotFound(bytes)),
        StatusCode::OK => {
            let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
            if content_type.contains("html") || first == Some(&b'<') {
                return Err(Problem::lasting(
                    "answered with an HTML page, perhaps of a login: give the address of the API, and authorization \
                     by --header",
                ));
            }
            // The first byte of protobuf is 0x0a, 0x12 or 0x1a here: never one of these.
            let is_json =
                content_type.contains("json") || matches!(bytes.first(), Some(b'{' | b'['));
            Ok(Reply::Found(Body { bytes, is_json }))
        }
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(Problem::lasting(format!(
            "answered {status}: authorization is missing or wrong; give it by --header 'authorization: Bearer …', \
                 as user:password@ in the URL, or in {HEADERS_VARIABLE}{}",
            excerpt(&bytes)
        ))),
        _ if status.is_redirection() => {
            let location = header(LOCATION).map_or("elsewhere".to_owned(), |to| cut(&redact(to)));
            Err(Problem::lasting(format!(
                "answered {status}: it redirects to {location}, which is not followed; give the final address"
            )))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Err(later(&head.headers, status, &bytes))
        }
        _ if status.is_server_error() => Err(later(&head.headers, status, &bytes)),
        _ => Err(Problem::lasting(format!(
            "answered {status}{}",
            excerpt(&bytes)
        ))),
    }
}

fn is_encoded(encoding: &str) -> bool {
    !encoding.trim().eq_ignore_ascii_case("identity")
}

/// A problem that may be over soon; the server may say when.
fn later(headers: &HeaderMap, status: StatusCode, body: &[u8]) -> Problem {
    let seconds = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok());
    let seconds = seconds.and_then(|seconds| seconds.trim().parse().ok());
    Problem {
        message: format!("answered {status}{}", excerpt(body)),
        retry: Retry::Later(seconds.map(Duration::from_secs)),
    }
}

/// The beginning of an explanation, if it is text.
fn excerpt(body: &[u8]) -> String {
    let start = &body[..body.len().min(400)];
    match cut(&String::from_utf8_lossy(start)) {
        text if text.is_empty() || text.starts_with('<') => String::new(),
        text => format!(": {text}"),
    }
}

fn no_answer(failure: Failure, limits: ClientLimits) -> Problem {
    match failure {
        Failure::Dns => Problem::transient("can't be reached: its host name can't be resolved"),
        Failure::ConnectionRefused => {
            Problem::transient("refuses connections: nothing listens there")
        }
        Failure::ConnectionTerminated => {
            Problem::transient("closed the connection without an answer")
        }
        Failure::Unroutable => Problem::transient("can't be reached: there is no route to it"),
        Failure::Unavailable => Problem::transient("can't be reached"),
        Failure::Timeout => Problem::transient(format!(
            "did not begin to answer within {:?}, or to answer completely within {:?}",
            limits.head_timeout, limits.answer_timeout
        )),
        Failure::TlsCertificate => Problem::lasting("has an invalid certificate"),
        Failure::TlsProtocol => {
            Problem::lasting("does not speak TLS: try http:// instead of https://")
        }
        Failure::Protocol => Problem::lasting("does not speak HTTP"),
        Failure::AnswerTooLarge => {
            let mebibytes = limits.max_answer >> 20;
            Problem::lasting(format!("answered with more than {mebibytes} MiB"))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "test code")]
mod tests;
