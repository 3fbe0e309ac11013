//! The listener knows whether it hears: a connection over which nothing comes any more is found out in seconds, however alive it looks.

use std::{sync::Arc, time::Duration};

use rowcast::postgres::{
    self,
    listener::{Deafness, Doorbell, Hearing, Hold, listen},
};
use tokio::{task::JoinHandle, time::timeout};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

use crate::harness::{Database, OwnPostgres, PATIENCE, Place, Role, Through, eventually, signal};

/// Far more often than in life, so that the tests need not wait for it.
const PULSE: Duration = Duration::from_millis(200);

/// A listener at work. It ends with it.
struct Listening {
    doorbell: Arc<Doorbell>,
    task: JoinHandle<()>,
}

impl Listening {
    /// Listens at one place for what is notified at another.
    fn start(at: &impl Place, database: &impl Place) -> Self {
        let target = postgres::Target::parse(&at.url_as(Role::Server)).unwrap();
        let database = postgres::Database::new(&database.url_as(Role::Server), 2).unwrap();
        let doorbell = Arc::new(Doorbell::default());
        doorbell.want_lock(true);
        let task = tokio::spawn(listen(target, database, PULSE, Arc::clone(&doorbell), CancellationToken::new()));
        Self { doorbell, task }
    }

    /// Completes when the lock is held, and not for the same time as before.
    async fn holds(&self, before: Option<Hold>) -> Option<Hold> {
        let held = async || self.doorbell.holds_lock().filter(|hold| Some(*hold) != before);
        Some(eventually("the listener to hold the lock", held).await)
    }

    async fn is(&self, hearing: Hearing) {
        eventually("the listener to know", async || (self.doorbell.hearing() == hearing).then_some(())).await;
    }

    /// Completes when what somebody notifies is heard. What rang before does not count.
    async fn hears(&self, somebody: &Client) {
        while timeout(PULSE, self.doorbell.rung()).await.is_ok() {}
        somebody.batch_execute("NOTIFY rowcast").await.unwrap();
        timeout(PATIENCE, self.doorbell.rung()).await.expect("the bell is not heard");
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn a_half_open_socket_is_found_out_and_replaced() {
    let postgres = OwnPostgres::start(&[]).await;
    let proxy = postgres.proxy().await;
    let listening = Listening::start(&Through { place: &postgres, address: proxy.address() }, &postgres);
    let somebody = postgres.connect_as(Role::App).await;
    let before = listening.holds(None).await;
    listening.hears(&somebody).await;
    proxy.blackhole();
    // For those who come from now on it is whole again.
    proxy.heal();
    listening.holds(before).await;
    listening.hears(&somebody).await;
}

#[tokio::test]
async fn a_backend_that_hangs_is_found_out_and_left() {
    let postgres = OwnPostgres::start(&[]).await;
    let listening = Listening::start(&postgres, &postgres);
    let somebody = postgres.connect_as(Role::Superuser).await;
    let before = listening.holds(None).await;
    let holder = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1919907683 AND objid = 2";
    let pid: i32 = somebody.query_one(holder, &[]).await.unwrap().get(0);
    signal(pid.cast_unsigned(), "STOP");
    listening.holds(before).await;
    listening.hears(&somebody).await;
    signal(pid.cast_unsigned(), "CONT");
}

#[tokio::test]
async fn a_pulse_is_heard_by_all_and_wakes_nobody() {
    let db = Database::new().await;
    let listeners = [Listening::start(&db, &db), Listening::start(&db, &db)];
    for listener in &listeners {
        listener.holds(None).await;
        // It may have missed some before it was there, and says so once.
        while timeout(PULSE, listener.doorbell.rung()).await.is_ok() {}
    }
    for listener in &listeners {
        assert!(timeout(PULSE * 5, listener.doorbell.rung()).await.is_err(), "a pulse woke the tailer");
        assert!(listener.doorbell.last_heard().unwrap() < PULSE * 5, "nothing was heard meanwhile");
    }
}

#[tokio::test]
async fn who_listens_to_another_database_is_told_and_takes_no_lock() {
    let (here, elsewhere) = (Database::new().await, Database::new().await);
    let listening = Listening::start(&elsewhere, &here);
    listening.is(Hearing::Deaf(Deafness::Elsewhere)).await;
    assert_eq!(listening.doorbell.holds_lock(), None);
}
