//! What clients ask of streams that are open: mostly of their own, at either server.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    clients::Client,
    harness::{sse, token},
    history::{Ask, Change, Item},
    world::{EVENT_TYPES, pick},
};

impl Client {
    /// Changes its own stream, or tries to change somebody else's. Returns whether its own is still there.
    pub(super) async fn change(&mut self, draw: &mut fastrand::Rng) -> bool {
        if draw.u8(..6) == 0 {
            self.meddle(draw).await;
            return true;
        }
        let Some(name) = self.name.clone() else { return true };
        let Some(ask) = self.without_settled(self.draw_ask(draw)) else { return true };
        let asked = self.clock.now();
        // What renews a stream says itself who asks.
        let shows_token = !matches!(ask, Ask::Renew) || draw.bool();
        let (status, body) = self.post(draw, &name, &ask, shows_token).await;
        let answer = match status {
            200 => {
                Some(body["eventTypes"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().into()).collect())
            }
            403 => None,
            // It has ended, or does just then.
            404 | 503 => return false,
            _ => {
                self.note(Item::Unexpected(format!("{ask:?} is answered {status} {body}")));
                return true;
            }
        };
        if let (Ask::Subscribe { types, since: Some(_) }, Some(_)) = (&ask, &answer) {
            self.settled.extend(types);
        }
        self.note(Item::Changed(Change { asked, ask, answer }));
        true
    }

    /// On one stream a type is left alone once it was asked for since a cursor: what comes of that and what comes of the next could not be told apart while they are under way. The
    /// rest is tried in `src/connections/wanted.rs`.
    fn without_settled(&self, ask: Ask) -> Option<Ask> {
        let left = |types: BTreeSet<&'static str>| -> Option<BTreeSet<&'static str>> {
            let left: BTreeSet<_> = types.difference(&self.settled).copied().collect();
            (!left.is_empty()).then_some(left)
        };
        Some(match ask {
            Ask::Subscribe { types, since } => Ask::Subscribe { types: left(types)?, since },
            Ask::Unsubscribe { types } => Ask::Unsubscribe { types: left(types)? },
            Ask::Renew => Ask::Renew,
        })
    }

    async fn meddle(&mut self, draw: &mut fastrand::Rng) {
        let others: Vec<String> = {
            let names = self.names.lock().unwrap();
            names.iter().filter(|(user, _)| *user != self.wanted.user).map(|(_, name)| name.clone()).collect()
        };
        if others.is_empty() {
            return;
        }
        let ask = self.draw_ask(draw);
        let other = &others[draw.usize(..others.len())];
        let (status, _) = self.post(draw, other, &ask, true).await;
        self.note(Item::Meddled(status));
    }

    fn draw_ask(&self, draw: &mut fastrand::Rng) -> Ask {
        let many = draw.usize(1..3);
        let types: BTreeSet<&'static str> = draw.choose_multiple(EVENT_TYPES, many).into_iter().collect();
        match draw.u8(..9) {
            0 => Ask::Renew,
            1..4 => Ask::Unsubscribe { types },
            4..6 => Ask::Subscribe { types, since: None },
            _ => {
                let known: Vec<_> = self.old.iter().chain(&self.cursor).collect();
                Ask::Subscribe { types, since: (!known.is_empty()).then(|| pick(draw, &known).clone()) }
            }
        }
    }

    async fn post(&self, draw: &mut fastrand::Rng, name: &str, ask: &Ask, shows_token: bool) -> (u16, Value) {
        let token = token(self.wanted.user);
        let mut body = match ask {
            Ask::Subscribe { types, since: None } => json!({"action": "subscribe", "eventTypes": types}),
            Ask::Subscribe { types, since: Some(since) } => {
                json!({"action": "subscribe", "eventTypes": types, "since": since.to_string()})
            }
            Ask::Unsubscribe { types } => json!({"action": "unsubscribe", "eventTypes": types}),
            Ask::Renew => json!({"action": "renew", "token": token}),
        };
        body["connectionId"] = name.into();
        let proof = if shows_token { format!("Authorization: Bearer {token}\r\n") } else { String::new() };
        let headers = format!("Content-Type: application/json\r\nConnection: close\r\n{proof}");
        let url = &self.urls[draw.usize(..self.urls.len())];
        let mut answer = sse::Client::request(url, "POST", "/api/v1/realtime/sse", &headers, &body.to_string()).await;
        let status = answer.status;
        (status, serde_json::from_str(&answer.rest().await).unwrap())
    }
}
