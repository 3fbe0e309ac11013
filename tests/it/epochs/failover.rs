//! A standby takes over. Longer than other tests, for each brings up two Postgres servers.

use std::{collections::BTreeSet, sync::Arc};

use rowcast::{
    access::Access,
    postgres::{Database, Error, outbox},
    tailer::Tailer,
};

use serde_json::{Value, json};

use super::{Heard, Listener, Serving, add_members, emit, epochs, ids, pair::Pair, poll, roll_back};
use crate::harness::{eventually, token};

/// What a standby gives out begins at most this far after the last id that it heard of, so with more rows lost some ids are sure to come twice.
const SKIPPED: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_has_seen_what_is_lost_fetches_anew_and_nobody_else() {
    let mut pair = Pair::start().await;
    add_members(&pair.on_primary).await;
    // The floor is stored every second; here it never is, as if all of this happened within one.
    let keep_floor = "CREATE RULE keep AS ON UPDATE TO rowcast.settled DO INSTEAD NOTHING";
    pair.on_primary.batch_execute(keep_floor).await.unwrap();
    let url = format!("{} target_session_attrs=read-write", pair.url);
    // Both will find the new life, and one of them tells the other.
    let (server, another) = (Serving::start(&url).await.unwrap(), Serving::start(&url).await.unwrap());
    let mut ann = Listener::connect(&server, &token("ann"), None).await;
    let mut ben = Listener::connect(&server, &token("ben"), None).await;

    ann.hear_event(emit(&pair.on_primary, "o1").await).await;
    roll_back(&pair.on_primary).await;
    // Until the servers know that nothing will come of that id, so that ben's cursor claims it.
    let left = eventually("the rolled back id to leave the cursor", async || {
        ben.hear_event(emit(&pair.on_primary, "o2").await).await;
        (!ben.cursor.contains('~')).then(|| ben.cursor.clone())
    })
    .await;
    pair.allow_connections(&pair.on_primary, false).await;
    pair.in_step().await;
    pair.cut_off().await;
    let mut lost = BTreeSet::new();
    for _ in 0..SKIPPED + 20 {
        lost.insert(emit(&pair.on_primary, "o1").await);
    }
    ann.hear_event(*lost.last().unwrap()).await;
    let before = ann.cursor.clone();
    let polls = [("ann", &before), ("ben", &left)]
        .map(|(user, after)| tokio::spawn(poll(server.url.clone(), user, after.clone())));

    pair.stop_primary().await;
    ann.hear_status("degraded").await;
    ben.hear_status("degraded").await;
    pair.promote().await;
    // No server can be here yet, but writers are: up to ids beyond all that were lost.
    let mut early = Vec::new();
    while early.last().is_none_or(|id| id <= lost.last().unwrap()) {
        early.push(emit(&pair.on_standby, "o2").await);
    }
    assert!(
        early[..2].iter().all(|id| lost.contains(id)),
        "{early:?} should begin with ids that were given out before"
    );
    pair.allow_connections(&pair.on_standby, true).await;
    ann.hear_status("reset cursor_ahead").await;
    let since = ann.cursor.clone();
    ben.hear_event(*early.last().unwrap()).await;
    server.until_ready().await;
    let late = [emit(&pair.on_standby, "o1").await, emit(&pair.on_standby, "o2").await];
    ann.hear_event(late[0]).await;
    ben.hear_event(late[1]).await;

    assert_eq!(epochs(&pair.on_standby).await, [(0, "0".into()), (1, left.clone())]);
    assert_eq!(ben.resets(), [""; 0]);
    assert_eq!(ben.events(), ids(&pair.on_standby, "o2").await, "everything, and once");
    let news = ben.heard.iter().position(|heard| *heard == Heard::Event(early[0])).unwrap();
    assert!(ben.heard[..news].contains(&Heard::Beat), "the epoch comes before its first event: {:?}", ben.heard);
    assert_eq!(ann.resets(), ["reset cursor_ahead"]);
    assert!([&since, &ann.cursor, &ben.cursor].iter().all(|cursor| cursor.ends_with("@1")), "{since} {}", ann.cursor);

    let [of_ann, of_ben] = polls;
    assert_eq!(of_ann.await.unwrap()["reset"], "cursor_ahead");
    let of_ben = of_ben.await.unwrap();
    assert_eq!((&of_ben["reset"], &of_ben["events"][0]["id"]), (&Value::Null, &json!(early[0].to_string())));
    assert!(of_ben["cursor"].as_str().unwrap().ends_with("@1"), "{of_ben}");

    // Wherever they go from here: with what they have now, and, had they been away meanwhile, with what they had before.
    another.until_ready().await;
    let fresh = Serving::start(&url).await.unwrap();
    for server in [&server, &another, &fresh] {
        let mut now = Listener::connect(server, &token("ann"), Some(&ann.cursor)).await;
        // Who is sent to the head goes on from where this server is, so it has to have read what there is.
        let head = emit(&pair.on_standby, "o1").await;
        now.hear_event(head).await;
        let [mut away, mut ahead] = [
            Listener::connect(server, &token("ben"), Some(&left)).await,
            Listener::connect(server, &token("ann"), Some(&before)).await,
        ];
        ahead.hear_status("reset cursor_ahead").await;
        let (one, two) = (emit(&pair.on_standby, "o1").await, emit(&pair.on_standby, "o2").await);
        now.hear_event(one).await;
        ahead.hear_event(one).await;
        away.hear_event(two).await;
        assert_eq!((now.resets(), now.events()), (vec![], vec![head, one]));
        assert_eq!((ahead.resets(), ahead.events()), (vec!["reset cursor_ahead"], vec![one]));
        let since = ids(&pair.on_standby, "o2").await.into_iter().filter(|id| *id >= early[0]);
        assert_eq!((away.resets(), away.events()), (vec![], since.collect()), "all since it left");
        ann.hear_event(one).await;
    }
    assert_eq!(epochs(&pair.on_standby).await.len(), 2, "one server has found it, the others have read it");

    for server in [server, another, fresh] {
        server.stop().await;
    }
    pair.stop().await;
}

/// As behind a pooler, which goes on with another server and says nothing.
async fn replace_server(tailer: &mut Tailer, pair: &Pair) {
    let promoted = Database::new(&pair.standby_url(), 1).unwrap().connection().await.unwrap();
    assert!(matches!(tailer.step(&promoted).await, Err(Error::Replaced)));
    let settled =
        async || -> i64 { pair.on_standby.query_one("SELECT id FROM rowcast.settled", &[]).await.unwrap().get(0) };
    let floor = settled().await;
    outbox::store_settled(&promoted, &[(floor + 1000, i64::MAX)], 1).await.unwrap();
    assert_eq!(settled().await, floor, "what was decided in another life says nothing");
    outbox::store_settled(&promoted, &[(floor + 2, i64::MAX)], 2).await.unwrap();
    assert_eq!(settled().await, floor + 1);
}

/// The connection string leads to whichever answers, and for a while that is a standby.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_that_is_not_promoted_yet_is_an_outage_and_no_more() {
    let mut pair = Pair::start().await;
    add_members(&pair.on_primary).await;
    let server = Serving::start(&pair.url).await.unwrap();
    let database = Database::new(&pair.url, 2).unwrap();
    let access = Arc::new(Access::load(database.clone(), Arc::default()).await.unwrap());
    let others = (Arc::default(), Arc::default(), Arc::default());
    let mut tailer = Tailer::new(database, access, others.0, others.1, others.2, 1 << 20, None).await.unwrap();
    let mut ann = Listener::connect(&server, &token("ann"), None).await;
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
    server.until_ready().await;
    ann.hear_status("recovered").await;
    ann.hear_event(emit(&pair.on_standby, "o1").await).await;
    assert_eq!(ann.resets(), [""; 0], "nothing was lost");
    assert_eq!(ann.events(), ids(&pair.on_standby, "o1").await);
    replace_server(&mut tailer, &pair).await;
    server.stop().await;
    pair.stop().await;
}
