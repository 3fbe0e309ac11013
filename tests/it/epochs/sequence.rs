//! A restore of data alone sets the sequence back behind the rows that are there.

use std::process::Command;

use super::{Serving, emit};
use crate::harness::{Database, Role};

#[tokio::test]
async fn a_sequence_behind_its_table_is_refused_with_the_fix_and_mended_by_migrate() {
    let db = Database::new().await;
    let owner = db.connect().await;
    for _ in 0..3 {
        emit(&owner, "o1").await;
    }
    owner.batch_execute("SELECT setval('rowcast.outbox_id_seq', 1)").await.unwrap();
    let refused = Serving::start(&db.url_as(Role::Server)).await.err().expect("it should not start").to_string();
    let (_, fix) = refused.split_once("or: ").expect("it says how to mend it");
    assert_eq!(fix, "SELECT setval('rowcast.outbox_id_seq', 3)");

    let migrate = || {
        let arguments = ["migrate", "--database-url", &db.url()];
        let output = Command::new(env!("CARGO_BIN_EXE_rowcast")).args(arguments).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    let moved = "the sequence of outbox ids was behind its table: moved to 3\nalready up to date\n";
    assert_eq!(migrate(), (true, moved.into()));
    assert_eq!(migrate(), (true, "already up to date\n".into()));
    assert_eq!(emit(&owner, "o1").await, 4);
    Serving::start(&db.url_as(Role::Server)).await.unwrap().stop().await;

    owner.batch_execute("SELECT setval('rowcast.outbox_id_seq', 1)").await.unwrap();
    owner.batch_execute(&fix.replace('3', "4")).await.unwrap();
    assert_eq!(emit(&owner, "o1").await, 5);
}
