//! What is read of a body. warp's own filter waits for ever for one that trickles, and nobody has said by then who asks.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt};
use tokio::time::timeout;
use warp::{Filter, Rejection, reject};

/// How long a client may take to send one; as long as for the headers before it.
const PATIENCE: Duration = Duration::from_secs(15);

/// It did not come in time.
#[derive(Debug)]
pub(super) struct TooSlow;

impl reject::Reject for TooSlow {}

/// It broke off.
#[derive(Debug)]
pub(super) struct Broken;

impl reject::Reject for Broken {}

/// The whole body, if it says how long it is, and is not too long.
pub(super) fn body(
    most_bytes: u32,
) -> impl Filter<Extract = (Bytes,), Error = Rejection> + Clone + Send + Sync + 'static {
    warp::body::content_length_limit(most_bytes.into()).and(warp::body::stream()).and_then(
        async |chunks| match timeout(PATIENCE, collect(chunks)).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(_)) => Err(reject::custom(Broken)),
            Err(_) => Err(reject::custom(TooSlow)),
        },
    )
}

async fn collect<E>(chunks: impl Stream<Item = Result<impl Buf, E>>) -> Result<Bytes, E> {
    let body = chunks.try_fold(BytesMut::new(), async |mut body, chunk| {
        bytes::BufMut::put(&mut body, chunk);
        Ok(body)
    });
    Ok(body.await?.freeze())
}
