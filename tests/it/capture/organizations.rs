//! Organizations that are looked up elsewhere, and what happens when they cannot be found.

use super::{DOCS, Stage};

/// The organisation of a message is two joins away.
const CHAT: &str = "
    CREATE TABLE public.chatbots (id int PRIMARY KEY, org text);
    CREATE TABLE public.sessions (id int PRIMARY KEY, chatbot_id int REFERENCES public.chatbots ON DELETE CASCADE);
    CREATE TABLE public.messages (id int PRIMARY KEY, session_id int REFERENCES public.sessions ON DELETE CASCADE, body text);
    INSERT INTO chatbots VALUES (1, 'acme'), (2, 'bravo'); INSERT INTO sessions VALUES (1, 1), (2, 2)";

const ATTACH_MESSAGES: &str = "'public.messages', 'conversation_activity',
    organization_id => '(SELECT c.org FROM chatbots c JOIN sessions s ON s.chatbot_id = c.id WHERE s.id = r.session_id)'";

#[tokio::test]
async fn an_organization_two_joins_away_is_found() {
    let stage = Stage::new(CHAT).await;
    stage.attach(ATTACH_MESSAGES).await;
    stage.write("INSERT INTO messages VALUES (1, 1, 'x'), (2, 2, 'y')").await;
    stage.write("UPDATE messages SET body = 'z'").await;
    stage.write("UPDATE messages SET session_id = 2 WHERE id = 1").await;
    assert_eq!(
        stage.told().await,
        ["INSERT 1 @acme", "INSERT 2 @bravo", "UPDATE 1 @acme", "UPDATE 2 @bravo", "DELETE 1 @acme", "INSERT 1 @bravo"]
    );
}

#[tokio::test]
async fn an_organization_that_is_null_is_nobodys_event() {
    let stage = Stage::new(DOCS).await;
    stage.attach("'public.docs', 'document_processing', organization_id => 'r.org'").await;
    stage.write("INSERT INTO docs VALUES (1, NULL, 'x')").await;
    stage.write("UPDATE docs SET org = 'a'").await;
    assert_eq!(stage.told().await, ["INSERT 1 nobody", "DELETE 1 nobody", "INSERT 1 @a"]);
}

#[tokio::test]
async fn a_cascade_that_takes_the_parent_away_leaks_nothing_and_attach_warns_of_it() {
    let stage = Stage::new(CHAT).await;
    let notices = stage.notices(&format!("SELECT rowcast.attach({ATTACH_MESSAGES})")).await;
    for parent in ["chatbots", "sessions"] {
        let warning = format!("WARNING: organization_id: when a row of public.{parent} is deleted");
        assert!(notices.iter().any(|notice| notice.starts_with(&warning)), "{notices:?}");
    }
    stage.write("INSERT INTO messages VALUES (1, 1, 'x')").await;
    stage.told().await;
    stage.write("DELETE FROM chatbots WHERE id = 1").await;
    assert_eq!(stage.told().await, ["DELETE 1 nobody"]);
}

#[tokio::test]
async fn a_lookup_that_no_cascade_can_take_away_is_not_warned_of() {
    let stage = Stage::new(
        "CREATE TABLE public.orgs (id int PRIMARY KEY, name text);
         CREATE TABLE public.docs (id int PRIMARY KEY, org_id int REFERENCES public.orgs)",
    )
    .await;
    let attach = "SELECT rowcast.attach('public.docs', 'document_processing', organization_id => '(SELECT o.name FROM orgs o WHERE o.id = r.org_id)')";
    assert_eq!(stage.notices(attach).await, [""; 0]);
}

#[tokio::test]
async fn a_lookup_behind_a_view_is_warned_of_too() {
    let stage = Stage::new(CHAT).await;
    stage
        .own("CREATE VIEW public.bots AS SELECT s.id, c.org FROM chatbots c JOIN sessions s ON s.chatbot_id = c.id")
        .await;
    let attach = "SELECT rowcast.attach('public.messages', 'conversation_activity', organization_id => '(SELECT b.org FROM bots b WHERE b.id = r.session_id)')";
    let notices = stage.notices(attach).await;
    assert!(notices.iter().any(|notice| notice.contains("when a row of public.chatbots is deleted")), "{notices:?}");
}

#[tokio::test]
async fn a_policy_that_would_hide_the_lookup_is_refused() {
    let stage = Stage::new(CHAT).await;
    stage.own("ALTER TABLE chatbots ENABLE ROW LEVEL SECURITY").await;
    stage.attach(ATTACH_MESSAGES).await;
    stage.own("SELECT rowcast.detach('messages')").await;

    stage.own("ALTER TABLE chatbots FORCE ROW LEVEL SECURITY").await;
    let refusal = stage.refusal(ATTACH_MESSAGES).await;
    assert!(refusal.contains("row-level security hides rows of public.chatbots from rowcast_test_writer"), "{refusal}");
    assert!(refusal.contains("BYPASSRLS"), "{refusal}");

    // Behind a function of the app the catalogs show nothing.
    stage
        .own("CREATE FUNCTION public.org_of(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT org FROM public.chatbots WHERE id = $1'")
        .await;
    let refusal = stage
        .refusal("'public.messages', 'conversation_activity', organization_id => 'public.org_of(r.session_id)'")
        .await;
    assert!(refusal.contains("row-level security"), "{refusal}");
}

#[tokio::test]
async fn the_owner_must_be_able_to_read_the_lookup() {
    let stage = Stage::new(DOCS).await;
    stage
        .superuser
        .batch_execute(
            "CREATE TABLE public.orgs (id text, name text, secret text);
             GRANT SELECT (id, name) ON public.orgs TO rowcast_test_writer; GRANT SELECT ON public.orgs TO rowcast_test_app",
        )
        .await
        .unwrap();
    let refusal = stage
        .refusal(
            "'public.docs', 'document_processing', organization_id => '(SELECT secret FROM orgs o WHERE o.id = r.org)'",
        )
        .await;
    assert!(refusal.contains("rowcast_test_writer may not read public.orgs"), "{refusal}");
    assert!(refusal.contains("GRANT SELECT ON public.orgs TO rowcast_test_writer;"), "{refusal}");
    // Its columns are enough.
    stage
        .attach(
            "'public.docs', 'document_processing', organization_id => '(SELECT name FROM orgs o WHERE o.id = r.org)'",
        )
        .await;
    stage.superuser.batch_execute("INSERT INTO orgs VALUES ('a', 'acme', 's')").await.unwrap();
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x')").await;
    assert_eq!(stage.told().await, ["INSERT 1 @acme"]);
}

#[tokio::test]
async fn a_table_that_hides_its_own_rows_from_its_owner_is_captured() {
    let stage = Stage::new(DOCS).await;
    stage.own("ALTER TABLE docs ENABLE ROW LEVEL SECURITY; ALTER TABLE docs FORCE ROW LEVEL SECURITY; CREATE POLICY p ON docs TO rowcast_test_app USING (true)").await;
    let notices =
        stage.notices("SELECT rowcast.attach('public.docs', 'document_processing', organization_id => 'r.org')").await;
    assert!(
        notices.iter().any(|notice| notice.contains("row-level security hides rows of public.docs from its owner")),
        "{notices:?}"
    );
    stage.write("INSERT INTO docs VALUES (1, 'a', 'x')").await;
    stage.write("UPDATE docs SET title = 'y'").await;
    assert_eq!(stage.told().await, ["INSERT 1 @a", "UPDATE 1 @a"]);
}
