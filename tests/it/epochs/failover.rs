//! A standby takes over. Longer than other tests, for each brings up two Postgres servers.

use super::{Heard, Listener, Serving, add_members, emit, epochs, ids, pair::Pair, roll_back};
use crate::harness::{eventually, token};

/// A standby is given out ids again from at most this many after the last that it heard of, so with more rows lost some are sure to come twice.
const SKIPPED: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_seen_what_is_lost_fetches_anew_and_nobody_else() {
    let mut pair = Pair::start().await;
    add_members(&pair.on_primary).await;
    let url = format!("{}&target_session_attrs=read-write", pair.url);
    let server = Serving::start(&url).await.unwrap();
    let mut ann = Listener::connect(&server, &token("ann"), None).await;
    let mut ben = Listener::connect(&server, &token("ben"), None).await;

    // Ids that came to nothing, shortly before the end, are no reason to fetch anew.
    roll_back(&pair.on_primary).await;
    ann.hear_event(emit(&pair.on_primary, "o1").await).await;
    roll_back(&pair.on_primary).await;
    ben.hear_event(emit(&pair.on_primary, "o2").await).await;
    pair.in_step().await;
    pair.cut_off().await;
    let mut lost = Vec::new();
    for _ in 0..SKIPPED + 20 {
        lost.push(emit(&pair.on_primary, "o1").await);
    }
    ann.hear_event(*lost.last().unwrap()).await;
    let (before, behind) = (ann.cursor.clone(), ben.cursor.clone());

    pair.stop_primary().await;
    ann.hear_status("degraded").await;
    ben.hear_status("degraded").await;
    pair.promote().await;
    // The server may or may not have found out by the time of these.
    let early = [emit(&pair.on_standby, "o1").await, emit(&pair.on_standby, "o2").await];
    assert!(lost.contains(&early[0]) && lost.contains(&early[1]), "{early:?} should be ids that were given out before");
    ann.hear_status("reset cursor_ahead").await;
    let since = ann.cursor.clone();
    server.until_ready().await;
    let late = [emit(&pair.on_standby, "o1").await, emit(&pair.on_standby, "o2").await];
    assert!(lost.contains(&late[0]) && lost.contains(&late[1]), "{late:?} should be ids that were given out before");
    ann.hear_event(late[0]).await;
    ben.hear_event(late[1]).await;

    assert_eq!(ben.resets(), [""; 0]);
    assert_eq!(ben.events(), ids(&pair.on_standby, "o2").await, "everything, and once");
    let news = ben.heard.iter().position(|heard| *heard == Heard::Event(early[1])).unwrap();
    assert!(
        ben.heard[..news].contains(&Heard::Beat),
        "the new epoch comes before the first of its events: {:?}",
        ben.heard
    );
    assert_eq!(ann.resets(), ["reset cursor_ahead"]);
    assert!([&since, &ann.cursor, &ben.cursor].iter().all(|cursor| cursor.ends_with("@1")), "{since} {}", ann.cursor);

    // Wherever they go from here: with what they have now, and, had they been away meanwhile, with what they had before.
    let another = Serving::start(&url).await.unwrap();
    for server in [&server, &another] {
        let [mut now, mut away, mut ahead] = [
            Listener::connect(server, &token("ann"), Some(&ann.cursor)).await,
            Listener::connect(server, &token("ben"), Some(&behind)).await,
            Listener::connect(server, &token("ann"), Some(&before)).await,
        ];
        ahead.hear_status("reset cursor_ahead").await;
        let (one, two) = (emit(&pair.on_standby, "o1").await, emit(&pair.on_standby, "o2").await);
        now.hear_event(one).await;
        ahead.hear_event(one).await;
        away.hear_event(two).await;
        assert_eq!((now.resets(), now.events()), (vec![], vec![one]));
        assert_eq!((ahead.resets(), ahead.events()), (vec!["reset cursor_ahead"], vec![one]));
        let missed = ids(&pair.on_standby, "o2").await;
        assert_eq!((away.resets(), away.events()), (vec![], missed[1..].to_vec()), "all since it left");
        ann.hear_event(one).await;
    }
    assert_eq!(epochs(&pair.on_standby).await.len(), 2, "one server has found it, the other has read it");

    another.stop().await;
    server.stop().await;
    pair.stop().await;
}

/// The connection string leads to whichever answers, and for a while that is a standby.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_is_not_promoted_yet_is_an_outage_and_no_more() {
    let mut pair = Pair::start().await;
    add_members(&pair.on_primary).await;
    let server = Serving::start(&pair.url).await.unwrap();
    let mut ann = Listener::connect(&server, &token("ann"), None).await;
    roll_back(&pair.on_primary).await;
    ann.hear_event(emit(&pair.on_primary, "o1").await).await;
    pair.in_step().await;
    pair.stop_primary().await;
    ann.hear_status("degraded").await;
    eventually("the server to ask the standby", async || {
        let asked = "SELECT FROM pg_stat_activity WHERE application_name = 'rowcast'";
        (!pair.on_standby.query(asked, &[]).await.unwrap().is_empty()).then_some(())
    })
    .await;
    assert!(!server.is_ready().await);
    pair.promote().await;
    let cursor: String = pair.on_standby.query_one("SELECT rowcast.current_cursor()", &[]).await.unwrap().get(0);
    assert!(cursor.ends_with("@1"), "{cursor}, whether or not a server has been here yet");
    ann.hear_event(emit(&pair.on_standby, "o1").await).await;
    ann.hear_status("recovered").await;
    assert_eq!(ann.resets(), [""; 0], "nothing was lost");
    assert_eq!(ann.events(), ids(&pair.on_standby, "o1").await);
    server.stop().await;
    pair.stop().await;
}
