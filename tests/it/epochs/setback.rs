//! The database forgets its last transactions and calls itself the same, as after a crash that undid what was committed asynchronously. Here a copy of its files is
//! put back: the same cluster, the same timeline, and it gives ids out again.

use std::process::Command;

use super::{Listener, Serving, add_members, connect, emit, epochs, pair::run};
use crate::harness::{OwnPostgres, Place, Role, Shutdown, token};

fn copy(postgres: &OwnPostgres, from: &str, to: &str) {
    let [from, to] = [from, to].map(|name| postgres.directory().join("postgres").join(name));
    if to.exists() {
        std::fs::remove_dir_all(&to).unwrap();
    }
    run(Command::new("cp").arg("-a").arg(from).arg(to));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_seen_what_was_forgotten_fetches_anew_and_no_new_event_is_taken_for_an_old_one() {
    let mut postgres = OwnPostgres::start(&[]).await;
    let url = postgres.url_as(Role::Superuser);
    let before = connect(&url).await;
    add_members(&before).await;
    let server = Serving::start(&postgres.url_as(Role::Server)).await.unwrap();
    let mut ann = Listener::connect(&server, &token("ann"), None).await;
    let mut ben = Listener::connect(&server, &token("ben"), None).await;
    let kept = emit(&before, "o1").await;
    ann.hear_event(kept).await;
    postgres.stop(Shutdown::Fast).await;
    copy(&postgres, "data", "kept");
    postgres.start_again().await;
    ann.hear_status("recovered").await;

    let lost = connect(&url).await;
    let emit_many = "SELECT max(rowcast.emit('document_processing', 'o1', '{}')) FROM generate_series(1, 100)";
    let highest: i64 = lost.query_one(emit_many, &[]).await.unwrap().get(0);
    ann.hear_event(highest).await;
    postgres.stop(Shutdown::Immediate).await;
    copy(&postgres, "kept", "data");
    postgres.start_again().await;
    ann.hear_status("reset cursor_ahead").await;
    ann.hear_status("recovered").await;

    let after = connect(&url).await;
    let again = emit(&after, "o1").await;
    assert!(again <= highest, "{again} has not been given out before");
    ann.hear_event(again).await;
    let bens = emit(&after, "o2").await;
    ben.hear_event(bens).await;
    assert_eq!(ben.resets(), [""; 0], "has seen nothing that was forgotten");
    assert_eq!(epochs(&after).await.len(), 2);
    server.stop().await;
}
