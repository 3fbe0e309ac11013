//! Those who change who may see what, all the time.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};
use tokio_postgres::Client;

use crate::{
    choices::{Choices, milliseconds},
    moments::{Clock, Span, Timeline},
    rules::{Fact, Value},
    world::{USERS, draw_change, pick, put_into_force},
};

/// Changes what is in its own hands until it is told to stop; returns how it all went.
pub(crate) async fn change(
    client: Client,
    mut choices: Choices,
    facts: Vec<(Fact, Value)>,
    clock: Arc<Clock>,
    stop: watch::Receiver<bool>,
) -> HashMap<Fact, Timeline<Value>> {
    let mut current = facts.clone();
    let mut timelines: HashMap<_, _> = facts.into_iter().map(|(fact, value)| (fact, Timeline::new(value))).collect();
    while !*stop.borrow() {
        let mut draw = choices.step();
        sleep(milliseconds(&mut draw, 0..400)).await;
        if draw.u8(..25) == 0 {
            client.execute("SELECT rowcast.disconnect($1)", &[&pick(&mut draw, &USERS)]).await.unwrap();
            continue;
        }
        let first = draw.usize(..current.len());
        let many = if draw.u8(..4) == 0 { draw.usize(2..5).min(current.len() - first) } else { 1 };
        let before = current[first..first + many].to_vec();
        client.batch_execute("BEGIN").await.unwrap();
        for (fact, value) in &mut current[first..first + many] {
            *value = draw_change(*fact, *value, &mut draw);
            put_into_force(&client, *fact, *value).await;
        }
        if draw.u8(..4) == 0 {
            sleep(milliseconds(&mut draw, 0..150)).await;
        }
        if draw.u8(..6) == 0 {
            client.batch_execute("ROLLBACK").await.unwrap();
            current[first..first + many].copy_from_slice(&before);
            continue;
        }
        let from = clock.now();
        client.batch_execute("COMMIT").await.unwrap();
        let commit = Span { from, to: clock.now() };
        for (fact, value) in &current[first..first + many] {
            timelines.get_mut(fact).unwrap().change(commit, *value);
        }
    }
    timelines
}

/// Writes to a table behind the grants all the time, in a column that does not matter to them. Returns how often.
pub(crate) async fn be_seen(client: Client, stop: watch::Receiver<bool>) -> u64 {
    let mut updates = 0;
    while !*stop.borrow() {
        updates += client.execute("UPDATE public.people SET seen = now() WHERE id = $1", &[&USERS[0]]).await.unwrap();
        sleep(Duration::from_millis(20)).await;
    }
    updates
}
