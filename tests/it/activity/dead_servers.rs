//! A server that was killed says no goodbye: others say it for its streams, once.

use super::{ON, number, story, told};
use crate::{
    connections::open,
    documents,
    harness::{Database, Server, eventually},
};

/// As if so much time had passed without a word of the server that was killed.
const AGE: &str = "UPDATE rowcast.servers SET seen_at = seen_at - interval '1 minute' WHERE seen_at < clock_timestamp() - interval '7 s';
    UPDATE rowcast.attendance SET missing_since = missing_since - interval '1 minute'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_streams_are_told_to_be_gone_once() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let owner = db.connect().await;
    let mut killed = Server::start_with(&db, &[ON]).await;
    let others = [Server::start_with(&db, &[ON]).await, Server::start_with(&db, &[ON]).await];
    let _streams = [open(&killed, "ann", "").await, open(&killed, "dora", "").await, open(&others[0], "ben", "").await];
    told(&owner, 4).await;
    killed.kill().await;
    let lost = eventually("the streams of the killed server to be told of", async || {
        owner.batch_execute(AGE).await.unwrap();
        let story = story(&owner).await;
        (story.len() >= 7).then_some(story)
    })
    .await;
    let mut lost = lost[4..].to_vec();
    lost.sort();
    assert_eq!(
        lost,
        ["o1 ann disconnected server_lost", "o1 dora disconnected server_lost", "o2 dora disconnected server_lost"]
    );
    assert_eq!(number(&owner, "SELECT count(*) FROM rowcast.attendance").await, 1, "that of ben");
    for server in others {
        server.stop().await;
    }
    assert_eq!(story(&owner).await[7..], ["o1 ben disconnected unavailable"]);
}

/// The database crashes, and its memory of servers with it: for a moment all but the first that is back look dead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_there_is_not_given_up_because_the_database_has_forgotten_it() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let owner = db.connect().await;
    let server = Server::start_with(&db, &[ON]).await;
    let _stream = open(&server, "ann", "").await;
    told(&owner, 1).await;
    owner.batch_execute("TRUNCATE rowcast.servers; SELECT rowcast.tell_departures(10)").await.unwrap();
    assert_eq!(number(&owner, "SELECT count(missing_since) FROM rowcast.attendance").await, 1);
    let back = "SELECT count(*) FROM rowcast.attendance WHERE missing_since IS NULL";
    eventually("it to be seen again", async || (number(&owner, back).await == 1).then_some(())).await;
    owner.batch_execute(AGE).await.unwrap();
    assert_eq!(number(&owner, "SELECT rowcast.tell_departures(10)::bigint").await, 0);
    server.stop().await;
    assert_eq!(story(&owner).await[1..], ["o1 ann disconnected unavailable"]);
}
