//! Somebody who gives users access and takes it away again, all the time.

use std::sync::Arc;

use tokio::{sync::watch, time::sleep};
use tokio_postgres::Client;

use crate::{
    choices::{Choices, milliseconds},
    faults::Urls,
    harness::Role,
    world::{Ledger, Membership, VIEWERS, grant, last_id},
};

/// Until it is told to stop. A change of which the answer did not come is made again: until then nothing follows from it.
pub(crate) async fn change(urls: Urls, seed: u64, ledger: Arc<Ledger>, stop: watch::Receiver<bool>) -> u64 {
    let mut choices = Choices::of(seed, "access", 0);
    let mut all: Vec<(&'static str, Membership, bool)> = VIEWERS
        .iter()
        .flat_map(|viewer| viewer.changing.iter().map(|&membership| (viewer.user, membership, true)))
        .collect();
    let mut changes = 0;
    let mut client = None;
    while !*stop.borrow() {
        let mut draw = choices.step();
        sleep(milliseconds(&mut draw, 100..1_500)).await;
        let chosen = draw.usize(..all.len());
        let (user, membership, held) = &mut all[chosen];
        if client.as_ref().is_none_or(Client::is_closed) {
            client = urls.try_connect(Role::Owner).await.ok();
        }
        let Some(client) = &client else { continue };
        let done = if *held {
            revoke(client, user, *membership).await.map(|floor| ledger.revoked(user, *membership, floor))
        } else {
            ledger.granting(user, *membership);
            grant(client, user, *membership).await
        };
        if done.is_ok() {
            *held = !*held;
            changes += 1;
        }
    }
    changes
}

/// Returns the last id that was drawn when the COMMIT had returned.
async fn revoke(client: &Client, user: &str, (organization, role): Membership) -> Result<i64, tokio_postgres::Error> {
    let delete = "DELETE FROM rowcast.memberships WHERE user_id = $1 AND organization_id = $2 AND role = $3";
    client.execute(delete, &[&user, &organization, &role]).await?;
    last_id(client).await
}
