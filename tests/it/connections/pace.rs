//! A stream that has very much to say says it in larger pieces, and drops nothing.

use super::{hear, open};
use crate::{
    documents,
    harness::{Database, Role, Server},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_so_many_writes_a_second_events_come_together_and_none_is_missing() {
    const EVENTS: usize = 300;
    let db = Database::new().await;
    documents::prepare(&db).await;
    let server = Server::start_with(&db, &[("ROWCAST_WRITES_PER_SECOND", "5")]).await;
    let (mut client, _) = open(&server, "ann", "").await;
    let writer = db.connect_as(Role::Writer).await;
    let emit = writer
        .prepare("SELECT rowcast.emit('document_processing', 'o1', jsonb_build_object('text', $1::text))")
        .await
        .unwrap();
    let writing = async {
        for n in 0..EVENTS {
            writer.execute(&emit, &[&n.to_string()]).await.unwrap();
        }
    };
    let reading = async {
        for n in 0..EVENTS {
            assert_eq!(hear(&mut client).await, n.to_string());
        }
    };
    let begun = std::time::Instant::now();
    tokio::join!(writing, reading);
    let (_, text) = documents::get(&server, "/metrics", None).await;
    let figure = |name: &str| -> u64 {
        text.lines().find_map(|line| line.strip_prefix(&format!("{name}_total "))).unwrap().parse().unwrap()
    };
    assert_eq!(figure("rowcast_events_sent"), EVENTS as u64);
    // Five a second, and a second's worth ahead.
    let most = 5 * (begun.elapsed().as_secs() + 1) + 6;
    assert!(figure("rowcast_writes") <= most, "{} writes, at most {most}", figure("rowcast_writes"));
    assert!(figure("rowcast_paced_writes") > 0);
    server.stop().await;
}
