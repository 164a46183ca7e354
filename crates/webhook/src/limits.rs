//! Reading a body from a peer that may be slow, endless or hostile.

use crate::gate::{Gate, Share};
use crate::metrics::Refusal;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::time::timeout;

/// The API server takes requests of up to 3 MiB and sends the old object beside the new one; controller-runtime has the same limit.
pub const BODY_MAX_BYTES: usize = 7 * 1024 * 1024;
/// All bodies at a time, beyond the first [`BODY_FREE_BYTES`] of each.
pub(crate) const BODIES_MAX_BYTES: usize = 16 * 1024 * 1024;
/// What every body may take without asking, so that large bodies never crowd out the small ones.
const BODY_FREE_BYTES: usize = 32 * 1024;
/// The API server has given up long before: its timeout is 2 s in our configuration.
const BODY_MAX_TIME: Duration = Duration::from_secs(5);
/// Of a body that is not kept this much is, to find the `uid` in it.
const BEGINNING_BYTES: usize = 4096;

/// A body that was read to its end.
#[derive(Debug)]
pub(crate) enum Read {
    /// All of it.
    Whole(Vec<u8>, Share),
    /// The beginning of one for which there was no memory left.
    Beginning(Vec<u8>),
}

/// Reads a body, within all limits.
pub(crate) async fn read(request: Request<Body>, memory: &Gate) -> Result<Read, Refusal> {
    let (parts, body) = request.into_parts();
    if is_encoded(&parts.headers) {
        return Err(Refusal::Encoded);
    }
    let announced = announced_bytes(&parts.headers);
    if announced.is_some_and(|length| length > BODY_MAX_BYTES) {
        return Err(Refusal::TooLarge);
    }
    timeout(BODY_MAX_TIME, collect(body, announced.unwrap_or_default(), memory)).await.unwrap_or(Err(Refusal::TooSlow))
}

async fn collect(mut body: Body, announced: usize, memory: &Gate) -> Result<Read, Refusal> {
    let mut share = memory.empty();
    let mut shared = BODY_FREE_BYTES;
    let mut bytes = Vec::with_capacity(announced.min(BODY_FREE_BYTES));
    let mut total = 0_usize;
    let mut keep = true;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::Broken)?.into_data() else { continue };
        total += Bytes::len(&data);
        if total > BODY_MAX_BYTES {
            return Err(Refusal::TooLarge);
        }
        if keep && total > shared {
            // As much as was announced, or else twice what is there: few steps, and never more than double.
            let wanted = announced.max(total).max(shared.saturating_mul(2).min(BODY_MAX_BYTES));
            keep = share.grow(wanted - shared);
            if keep {
                bytes.reserve_exact(wanted - bytes.len());
                shared = wanted;
            } else {
                bytes.truncate(BEGINNING_BYTES);
                bytes.shrink_to_fit();
                share = memory.empty();
            }
        }
        if keep {
            bytes.extend_from_slice(&data);
        }
    }
    Ok(if keep { Read::Whole(bytes, share) } else { Read::Beginning(bytes) })
}

/// The API server never compresses a review, and a compressed body is the cheapest way to fill a server's memory.
fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

fn announced_bytes(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl Refusal {
    /// How the refusal is answered.
    pub(crate) fn status(self) -> (StatusCode, &'static str) {
        match self {
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 7 MiB\n"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "the body did not come within 5 s\n"),
            Self::Encoded => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "a compressed body is not read: send it plain\n"),
            Self::Broken | Self::NoReview => (StatusCode::BAD_REQUEST, "the body could not be read\n"),
        }
    }
}
