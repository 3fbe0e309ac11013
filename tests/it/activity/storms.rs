//! Everybody comes back at once: a few are told of, all are counted.

use futures_util::future::join_all;

use super::{ON, data, number, story};
use crate::{
    connections::open,
    documents,
    harness::{Database, Role, Server, eventually},
};

/// Two rows of ten a second are for those who come, and ten saved up.
const FEW: (&str, &str) = ("ROWCAST_ACTIVITY_PER_SECOND", "4");
const STREAMS: usize = 300;

/// How many are known of, told one by one and in sums, that did this in an organization.
fn known(action: &str, organization: &str) -> String {
    format!(
        "SELECT coalesce(sum(coalesce((metadata ->> 'others')::bigint, 1)), 0)::bigint
         FROM rowcast.activity WHERE action = '{action}' AND organization_id = '{organization}'"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_is_a_few_rows_and_the_sums_are_right() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let reader = db.connect_as(Role::Reader).await;
    let server = Server::start_with(&db, &[ON, FEW]).await;
    let began = tokio::time::Instant::now();
    let users = ["ann", "ben", "dora"];
    let streams = join_all((0..STREAMS).map(|n| open(&server, users[n % 3], ""))).await;
    drop(streams);
    let (of_one, of_other) = (i64::try_from(STREAMS).unwrap(), i64::try_from(STREAMS / 3).unwrap());
    for (action, organization, expected) in [
        ("connected", "o1", of_one),
        ("connected", "o2", of_other),
        ("disconnected", "o1", of_one),
        ("disconnected", "o2", of_other),
    ] {
        eventually(&format!("all that {action} in {organization} to be known"), async || {
            let known = number(&reader, &known(action, organization)).await;
            assert!(known <= expected, "{known} {action} in {organization}");
            (known == expected).then_some(())
        })
        .await;
    }
    let rows = story(&reader).await.len();
    let most = 2 * 10 + 4 + 8 * (1 + usize::try_from(began.elapsed().as_secs()).unwrap());
    assert!(rows <= most, "{rows} rows where at most {most} may be");
    assert!(rows >= 20, "those are told of for whom there is room");

    // Whose coming was told, of them the end was told, and of nobody else.
    let apart = "SELECT count(*) FROM (
        SELECT session_id, organization_id FROM rowcast.activity WHERE session_id IS NOT NULL
        GROUP BY 1, 2 HAVING array_agg(action ORDER BY created_at) <> '{connected,disconnected}') AS s";
    assert_eq!(number(&reader, apart).await, 0);
    assert_eq!(number(&reader, "SELECT count(*) FROM rowcast.attendance").await, 0);
    let sums: Vec<_> = data(&db).await.into_iter().filter(|data| data["metadata"]["sampled"] == true).collect();
    assert!(sums.iter().all(|sum| sum["userId"] == "*" && sum.get("sessionId").is_none()), "{sums:#?}");
    let untold = documents::get(&server, "/metrics", None).await.1;
    let line = untold.lines().find_map(|line| line.strip_prefix("rowcast_activity_untold_total ")).unwrap();
    let told_apart = i64::try_from(rows - sums.len()).unwrap();
    assert_eq!(line.parse::<i64>().unwrap() + told_apart, 2 * (of_one + of_other));
    server.stop().await;
}

/// Many who came one by one go together: each of them is told of, in its turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_together_is_told_of_one_after_another_if_need_be_by_others() {
    let db = Database::new().await;
    documents::prepare(&db).await;
    let reader = db.connect_as(Role::Reader).await;
    let many = [ON, ("ROWCAST_ACTIVITY_PER_SECOND", "1000")];
    let server = Server::start_with(&db, &many).await;
    let streams = join_all((0..60).map(|_| open(&server, "ann", ""))).await;
    let present = "SELECT count(*) FROM rowcast.attendance";
    eventually("all to be there", async || (number(&reader, present).await == 60).then_some(())).await;
    server.stop().await;
    drop(streams);
    // What is left is left to others, and they have a turn for each.
    let gone = "SELECT count(*) FROM rowcast.activity WHERE action = 'disconnected'";
    assert_eq!(number(&reader, gone).await, 60);

    let slow = Server::start_with(&db, &[ON, FEW]).await;
    let owner = db.connect().await;
    let leave = "INSERT INTO rowcast.attendance
        SELECT n::text, 'x', n::text, 'ann', 'o1', clock_timestamp(), 'sse', NULL, clock_timestamp(), 'unavailable' FROM generate_series(1, 32) n";
    let before = std::time::Instant::now();
    owner.batch_execute(leave).await.unwrap();
    eventually("those whom another server has left to be told of", async || {
        (number(&reader, gone).await == 92).then_some(())
    })
    .await;
    assert!(before.elapsed().as_secs() >= 10, "22 beyond what was saved up, at two a second");
    assert_eq!(number(&reader, present).await, 0);
    slow.stop().await;
}
