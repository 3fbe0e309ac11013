//! `GET /api/v1/realtime/events`: the same events as on the stream, by long-poll.

use std::{net::IpAddr, ops::RangeInclusive, sync::Arc, time::Duration};

use serde::Deserialize;
use warp::{
    http::{HeaderMap, HeaderValue, header},
    reply::{Reply, Response},
};

use super::{
    Http,
    admission::{self, Admitted, Request},
    answers::PollPosition,
    error::Error,
};
use crate::session::{self, Answer, Ask};

/// How many seconds a client may want to wait, and how many it waits when it does not say. Less than what most proxies give up after.
const WAIT: (RangeInclusive<u64>, u64) = (0..=60, 25);

/// How many events a client may want, and how many it gets at most when it does not say.
const LIMIT: (RangeInclusive<usize>, usize) = (1..=1_000, 100);

/// The parameters of a poll.
#[derive(Deserialize)]
pub(super) struct Query {
    #[serde(flatten)]
    request: Request,
    after: Option<String>,
    wait: Option<String>,
    limit: Option<String>,
}

/// Answers with what there is after the client's cursor, as soon as there is something.
pub(super) async fn poll(query: Query, headers: HeaderMap, address: IpAddr, http: Arc<Http>) -> Response {
    try_poll(query, &headers, address, &http).await.unwrap_or_else(|error| http.refuse(error))
}

async fn try_poll(query: Query, headers: &HeaderMap, address: IpAddr, http: &Http) -> Result<Response, Error> {
    let Admitted { viewer, terms } = admission::admit(http, headers, query.request).await?;
    let _place = http.gate.enter(address, Some(&viewer.user_id))?;
    let wait = Duration::from_secs(number(query.wait.as_deref(), &WAIT).ok_or(Error::Wait)?);
    let ask = Ask { wait, limit: number(query.limit.as_deref(), &LIMIT).ok_or(Error::Limit)? };
    let server = &http.sessions;
    let resume = session::resume(server, query.after.unwrap_or_default().as_bytes()).await?;
    let answer = session::poll(Arc::clone(server), viewer, terms, &resume, ask).await?;
    server.metrics.events_sent.inc_by(answer.events.len() as u64);
    answer.reset.inspect(|reason| server.metrics.reset(reason.as_str()));
    Ok(json(&answer))
}

/// The number in `text`, the default without any; none if it is not a number in the range.
fn number<N: Copy + PartialOrd + std::str::FromStr>(
    text: Option<&str>,
    (range, default): &(RangeInclusive<N>, N),
) -> Option<N> {
    text.map_or(Some(*default), |text| text.parse().ok().filter(|number| range.contains(number)))
}

/// Put together by hand: the events are JSON already, and their payloads are to stay as Postgres wrote them.
fn json(answer: &Answer) -> Response {
    let bytes: usize = answer.events.iter().map(|event| event.len() + 1).sum();
    let mut json = Vec::with_capacity(bytes + 128);
    json.extend_from_slice(b"{\"events\":[");
    for (n, event) in answer.events.iter().enumerate() {
        if n > 0 {
            json.push(b',');
        }
        json.extend_from_slice(event);
    }
    json.extend_from_slice(b"],");
    let position = PollPosition { cursor: answer.cursor.to_string(), reset: answer.reset };
    // Its fields go on behind the events. Nothing in it can fail to be written as JSON.
    json.extend_from_slice(&serde_json::to_vec(&position).unwrap_or_default()[1..]);
    let mut response = json.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
