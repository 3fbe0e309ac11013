//! Vector search by a query.

use futures_util::{StreamExt, stream};
use tokio_postgres::{AsyncMessage, NoTls};

use super::{QUICK, course, reader, until};
use crate::harness::{Database, Role, Server};

/// The query is a view's, so that the test can change what it does.
async fn watched(db: &Database, threshold: &str) -> Server {
    let writer = db.connect_as(Role::Writer).await;
    writer
        .batch_execute("CREATE TABLE public.vectors (id int); GRANT SELECT ON public.vectors TO rowcast_test_server; INSERT INTO public.vectors VALUES (1)")
        .await
        .unwrap();
    let mut settings = vec![
        ("ROWCAST_HEALTH_VECTOR_QUERY", "SELECT id FROM public.vectors, pg_sleep(id / 1000.0)"),
        ("ROWCAST_HEALTH_VECTOR_THRESHOLD", threshold),
        ("ROWCAST_HEALTH_INTERVAL", "100ms"),
    ];
    settings.extend(QUICK);
    Server::start_with(db, &settings).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_is_healthy_slow_too_slow_empty_wrong_and_well_again() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let server = watched(&db, "200ms").await;
    let writer = db.connect_as(Role::Writer).await;
    let healthy = until(&reader, "vector_search", "response_ms", "healthy").await;
    assert!(healthy.value < 200.0, "{healthy:?}");
    for (change, status, told) in [
        ("UPDATE public.vectors SET id = 300", "degraded", "more than 200 ms"),
        ("UPDATE public.vectors SET id = 60000", "down", "no answer in time"),
        ("UPDATE public.vectors SET id = 1", "healthy", "A search took"),
        ("DELETE FROM public.vectors", "down", "the query returned nothing"),
        ("INSERT INTO public.vectors VALUES (1)", "healthy", "A search took"),
        ("REVOKE SELECT ON public.vectors FROM rowcast_test_server", "down", "SQLSTATE 42501"),
        ("GRANT SELECT ON public.vectors TO rowcast_test_server", "healthy", "A search took"),
        ("ALTER TABLE public.vectors RENAME TO others", "down", "SQLSTATE 42P01"),
    ] {
        writer.batch_execute(change).await.unwrap();
        let check = until(&reader, "vector_search", "response_ms", status).await;
        assert!(check.message.contains(told), "{change}: {check:?}");
    }
    server.stop().await;
    assert_eq!(course(&reader, "vector_search", "response_ms").await.len(), 9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_only_looks() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let writer = db.connect_as(Role::Writer).await;
    let table = "CREATE TABLE public.kept (id int); GRANT SELECT, INSERT ON public.kept TO rowcast_test_server";
    writer.batch_execute(table).await.unwrap();
    let mut settings = vec![
        ("ROWCAST_HEALTH_VECTOR_QUERY", "INSERT INTO public.kept VALUES (1) RETURNING id"),
        ("ROWCAST_HEALTH_INTERVAL", "100ms"),
    ];
    settings.extend(QUICK);
    let server = Server::start_with(&db, &settings).await;
    let down = until(&reader, "vector_search", "response_ms", "down").await;
    assert!(down.message.contains("SQLSTATE 25006"), "{down:?}");
    server.stop().await;
    let kept = writer.query_one("SELECT count(*) FROM public.kept", &[]).await.unwrap();
    assert_eq!(kept.get::<_, i64>(0), 0);
}

/// What is allowed in a transaction that reads, and would be there after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_leaves_nothing_behind() {
    let db = Database::new().await;
    let reader = reader(&db).await;
    let (listener, mut connection) = tokio_postgres::connect(&db.url_as(Role::Reader), NoTls).await.unwrap();
    let messages = stream::poll_fn(move |context| connection.poll_message(context));
    let heard = tokio::spawn(messages.collect::<Vec<_>>());
    listener.batch_execute("LISTEN planted").await.unwrap();
    let mut settings = vec![
        ("ROWCAST_HEALTH_VECTOR_QUERY", "SELECT pg_notify('planted', 'by the query')"),
        ("ROWCAST_HEALTH_INTERVAL", "100ms"),
    ];
    settings.extend(QUICK);
    let server = Server::start_with(&db, &settings).await;
    until(&reader, "vector_search", "response_ms", "healthy").await;
    server.stop().await;
    reader.batch_execute("SELECT pg_notify('planted', 'last')").await.unwrap();
    listener.batch_execute("SELECT 1").await.unwrap();
    drop(listener);
    let heard = heard.await.unwrap().into_iter().filter_map(|message| match message.unwrap() {
        AsyncMessage::Notification(told) => Some(told.payload().to_owned()),
        _ => None,
    });
    assert_eq!(heard.collect::<Vec<_>>(), ["last"]);
}
