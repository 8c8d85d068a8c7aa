//! Why the collector did not accept a batch, and how many spans are lost with it.

use std::fmt;

use http::StatusCode;

use super::partial_success::Rejection;
use crate::target::Target;
use crate::wasi::SendError;

/// An export that failed, in whole or in part.
#[derive(Debug)]
pub struct ExportError {
    endpoint: Target,
    failure: ExportFailure,
    lost: usize,
}

#[derive(Debug)]
pub(super) enum ExportFailure {
    NoAnswer(SendError),
    Status(StatusCode),
    Rejected(Rejection),
}

impl ExportError {
    /// The failure of a batch of `size` spans.
    pub(super) fn new(endpoint: Target, failure: ExportFailure, size: usize) -> ExportError {
        let lost = match &failure {
            // A collector may claim to have rejected more than it was sent.
            ExportFailure::Rejected(rejection) => rejection.spans.min(size),
            _ => size,
        };
        ExportError {
            endpoint,
            failure,
            lost,
        }
    }

    /// How many spans are lost.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// A short name with few possible values: the kind of failure, or the collector's status.
    pub fn reason(&self) -> &str {
        match &self.failure {
            ExportFailure::NoAnswer(error) => error.kind(),
            ExportFailure::Status(status) => status.as_str(),
            ExportFailure::Rejected(_) => "rejected",
        }
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OTLP export to {} failed: ", self.endpoint.redacted())?;
        match &self.failure {
            ExportFailure::NoAnswer(SendError::Denied) => {
                write!(f, "it is {}", self.endpoint.not_allowed())
            }
            ExportFailure::NoAnswer(error) => error.fmt(f),
            ExportFailure::Status(status) => {
                write!(f, "the collector answered {status}")?;
                match *status {
                    StatusCode::PAYLOAD_TOO_LARGE => f.write_str(
                        "; a smaller OTEL_BSP_MAX_EXPORT_BATCH_SIZE makes smaller exports",
                    ),
                    _ => Ok(()),
                }
            }
            ExportFailure::Rejected(Rejection { why, .. }) => {
                let colon = if why.is_empty() { "" } else { ": " };
                write!(f, "the collector rejected spans{colon}{why}")
            }
        }
    }
}

impl std::error::Error for ExportError {}
