//! The response whose body is a stream of events. The SDK's conversion would not notice that a client has gone while
//! nothing happens.

use http::response;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Response};
use spin_sdk::wasip3::{self, wit_future, wit_stream};
use spin_sdk::wit_bindgen::{StreamResult, StreamWriter};

use super::Wasip3;
use crate::events::EventStream;

/// A response that sends events until they end or the client goes.
pub(super) fn response(
    head: response::Parts,
    mut events: EventStream,
) -> Result<Response, ErrorCode> {
    let failed = |why| ErrorCode::InternalError(Some(format!("{why:?}")));
    let headers = Fields::try_from(head.headers).map_err(failed)?;
    let (mut writer, content) = wit_stream::new();
    let (end, trailers) = wit_future::new(|| Ok(None));
    let (response, _sent) = Response::new(headers, Some(content), trailers);
    wasip3::spawn(async move {
        while let Some(bytes) = events.next(&Wasip3).await {
            if !send(&mut writer, bytes).await {
                break;
            }
        }
        drop((writer, events));
        // Without a reader there is no one to notify.
        let _ = end.write(Ok(None)).await;
    });
    Ok(response)
}

/// Sends bytes, and returns whether somebody still reads. A write of no bytes asks just that.
async fn send(writer: &mut StreamWriter<u8>, bytes: Vec<u8>) -> bool {
    if bytes.is_empty() {
        let (result, _) = writer.write(bytes).await;
        return !matches!(result, StreamResult::Dropped);
    }
    writer.write_all(bytes).await.is_empty()
}
