//! Who may do what: every right in the schema is on a list, and docs/roles.md works as it stands.

use std::collections::BTreeSet;

use tokio_postgres::{Client, SimpleQueryMessage};

use crate::harness::{self, Database, PATIENCE, Place, Role, Server, connect, sse};

/// Every right that anybody but the owner has: change it with the GRANT, so that it shows in review.
const PRIVILEGES: &str = include_str!("privileges.txt");

/// One line for each object (the schema for what is made for rowcast's own tables has its owner's number in its name), right and role that has it; PUBLIC is a role here.
const RIGHTS: &str = "
    WITH acls AS (
        SELECT CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' ELSE 'table' END AS kind, c.oid::regclass::text AS object, a.*
        FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::\"char\" ELSE 'r' END, c.relowner))) a
        WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^rowcast') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND a.grantee <> c.relowner
        UNION ALL
        SELECT 'column', format('%s.%I', t.attrelid::regclass, t.attname), a.*
        FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid, aclexplode(t.attacl) a
        WHERE c.relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^rowcast') AND a.grantee <> c.relowner
        UNION ALL
        SELECT 'function', p.oid::regprocedure::text, a.*
        FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        WHERE p.pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^rowcast') AND a.grantee <> p.proowner
        UNION ALL
        SELECT 'schema', n.nspname, a.*
        FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
        WHERE n.nspname ~ '^rowcast' AND a.grantee <> n.nspowner
    )
    SELECT format('%s %s: %s %s', kind, regexp_replace(object, '^rowcast_capture_[0-9]+', 'rowcast_capture_<owner>'), CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,
                  lower(string_agg(privilege_type || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, ', ' ORDER BY privilege_type)))
    FROM acls GROUP BY kind, object, grantee ORDER BY 1";

async fn texts(client: &Client, query: &str) -> Vec<String> {
    client.query(query, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_right_is_on_the_list() {
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    let rights = texts(&superuser, RIGHTS).await;
    let (found, listed): (BTreeSet<_>, BTreeSet<_>) =
        (rights.iter().map(String::as_str).collect(), PRIVILEGES.lines().collect());
    let (new, gone): (Vec<_>, Vec<_>) = (found.difference(&listed).collect(), listed.difference(&found).collect());
    assert!(new.is_empty() && gone.is_empty(), "not on the list:\n{new:#?}\non the list alone:\n{gone:#?}");
}

#[tokio::test]
async fn nothing_is_for_everybody_and_groups_hold_no_others_rights() {
    assert!(!PRIVILEGES.contains("PUBLIC") && !PRIVILEGES.contains("grant option"));
    for line in PRIVILEGES.lines() {
        let (_, right) = line.split_once(": ").unwrap();
        assert!(right.starts_with("rowcast_"), "{line}");
    }
    // What no group may ever be given, whatever else changes.
    for never in [
        "table rowcast.outbox: rowcast_server insert",
        "table rowcast.outbox: rowcast_writer select",
        "table rowcast.memberships: rowcast_server",
        "table rowcast.settings: rowcast_writer",
        "function rowcast.use_grants",
        "function rowcast.tell_servers",
        "function rowcast.apply_s",
    ] {
        assert!(!PRIVILEGES.contains(never), "{never}");
    }
    let db = Database::new().await;
    let superuser = db.connect_as(Role::Superuser).await;
    let beyond = "SELECT format('%s is in %s', m.member::regrole, m.roleid::regrole) FROM pg_auth_members m
                  WHERE m.member::regrole::text IN ('rowcast_server', 'rowcast_writer', 'rowcast_reader')";
    assert_eq!(texts(&superuser, beyond).await, [""; 0]);
    let able =
        "SELECT rolname::text FROM pg_roles WHERE rolname IN ('rowcast_server', 'rowcast_writer', 'rowcast_reader')
                AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolcanlogin OR rolreplication OR rolbypassrls)";
    assert_eq!(texts(&superuser, able).await, [""; 0]);
}

/// What a login role may do with what is in the schema, by way of whatever groups.
async fn effective(superuser: &Client, role: &str) -> Vec<String> {
    let effective = format!(
        "SELECT format('%s %s', p.name, c.oid::regclass) FROM pg_class c, unnest('{{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}}'::text[]) AS p (name)
         WHERE c.relnamespace = 'rowcast'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND has_table_privilege('{role}', c.oid, p.name)
         UNION ALL
         SELECT format('%s %s', p.name, c.oid::regclass) FROM pg_class c, unnest('{{USAGE,SELECT,UPDATE}}'::text[]) AS p (name)
         WHERE c.relnamespace = 'rowcast'::regnamespace AND c.relkind = 'S' AND has_sequence_privilege('{role}', c.oid, p.name)
         UNION ALL
         SELECT format('EXECUTE %s', p.oid::regprocedure) FROM pg_proc p
         WHERE p.pronamespace IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^rowcast') AND has_function_privilege('{role}', p.oid, 'EXECUTE')
         UNION ALL
         SELECT format('%s %s', p.name, n.nspname) FROM pg_namespace n, unnest('{{USAGE,CREATE}}'::text[]) AS p (name)
         WHERE n.nspname ~ '^rowcast' AND has_schema_privilege('{role}', n.oid, p.name)
         ORDER BY 1"
    );
    texts(superuser, &effective).await
}

#[tokio::test]
async fn the_app_may_do_nothing_and_the_server_only_what_its_group_may() {
    let db = Database::new().await;
    let (superuser, writer) = (db.connect_as(Role::Superuser).await, db.connect_as(Role::Writer).await);
    let table = "CREATE TABLE docs (id int PRIMARY KEY); SELECT rowcast.attach('docs', 'user_activity')";
    writer.batch_execute(table).await.unwrap();
    assert_eq!(effective(&superuser, Role::App.name()).await, [""; 0]);
    assert_eq!(effective(&superuser, Role::Server.name()).await, effective(&superuser, "rowcast_server").await);
    let readable = "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND has_table_privilege('rowcast_test_server', oid, 'SELECT')
                    AND relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, 'rowcast'::regnamespace)";
    assert_eq!(texts(&superuser, readable).await, [""; 0], "the server reads no table of the app");
    for (role, denied) in [
        (Role::Server, "SELECT FROM docs"),
        (Role::Server, "INSERT INTO rowcast.outbox (id) VALUES (1)"),
        (Role::Server, "SELECT FROM rowcast.memberships"),
        (Role::Server, "UPDATE rowcast.settings SET value = 'off'"),
        (Role::Reader, "DELETE FROM rowcast.connections"),
        (Role::Reader, "SELECT FROM rowcast.rates"),
        (Role::App, "SELECT FROM rowcast.servers"),
        (Role::App, "SELECT rowcast.explain('ann', 1)"),
        (Role::Writer, "SELECT rowcast.explain('ann', 1)"),
    ] {
        let error = db.connect_as(role).await.batch_execute(denied).await.unwrap_err();
        let said = error.as_db_error().unwrap().message();
        assert!(said.contains("permission denied"), "{role:?} {denied}: {said}");
    }
}

/// The database of docs/roles.md, and the roles that it makes, under names of their own: roles belong to the cluster.
struct Shop {
    db: Database,
    suffix: String,
}

impl Shop {
    /// What the document calls by these names.
    fn renamed(&self, text: &str) -> String {
        let mut text = text.replace("DATABASE shop", &format!("DATABASE {}", self.db.name()));
        for role in ["rowcast_owner", "rowcast_prod", "shop_owner", "shop_app", "shop_dba"] {
            text = text.replace(role, &format!("{role}_{}", self.suffix));
        }
        text
    }

    fn url_of(&self, role: &str) -> String {
        match role {
            "a superuser" => self.db.url_as(Role::Superuser),
            role => self.db.url_as(Role::App).replace(Role::App.name(), &self.renamed(role)),
        }
    }

    /// Runs a block of SQL; the rows of its last statement.
    async fn run(&self, role: &str, sql: &str) -> Vec<Vec<String>> {
        let client = connect(&self.url_of(role)).await;
        let messages =
            client.simple_query(&self.renamed(sql)).await.unwrap_or_else(|error| panic!("as {role}: {sql}\n{error:?}"));
        let last = messages.iter().rposition(|message| matches!(message, SimpleQueryMessage::RowDescription(_)));
        let rows = messages[last.unwrap_or(messages.len())..].iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|n| row.get(n).unwrap_or_default().to_owned()).collect())
            }
            _ => None,
        });
        rows.collect()
    }
}

impl Place for Shop {
    fn url_as(&self, role: Role) -> String {
        self.url_of(if role == Role::Server { "rowcast_prod" } else { "a superuser" })
    }
}

/// The blocks of a document: who runs each, in which language, and what.
fn blocks(document: &str) -> Vec<(String, String, String)> {
    let mut blocks = Vec::new();
    for block in document.split("```").skip(1).step_by(2) {
        let (language, block) = block.split_once('\n').unwrap();
        let (who, text) = block.split_once('\n').unwrap();
        let who =
            who.trim_start_matches(['-', '#', ' ']).strip_prefix("as ").expect("a block does not say who runs it");
        blocks.push((who.trim_end_matches(", in shop").to_owned(), language.to_owned(), text.to_owned()));
    }
    blocks
}

#[tokio::test]
async fn the_document_works_as_it_stands() {
    let shop = Shop { db: Database::new().await, suffix: format!("{:08x}", fastrand::u32(..)) };
    let superuser = shop.db.connect_as(Role::Superuser).await;
    // As fresh as any: what is of the template goes.
    superuser.batch_execute("DROP SCHEMA rowcast CASCADE; DROP SCHEMA rowcast_watch CASCADE").await.unwrap();
    let (mut server, mut stream, mut looked) = (None, None, Vec::new());
    for (who, language, text) in blocks(include_str!("../../../docs/roles.md")) {
        match (language.as_str(), who.as_str()) {
            ("sh", "rowcast_owner") => {
                assert!(
                    text.starts_with("DATABASE_URL='postgres://rowcast_owner:") && text.ends_with("rowcast migrate\n"),
                    "{text}"
                );
                let mut migrate = tokio::process::Command::new(env!("CARGO_BIN_EXE_rowcast"));
                let output = migrate.arg("migrate").env("DATABASE_URL", shop.url_of(&who)).output();
                let output = tokio::time::timeout(PATIENCE, output).await.unwrap().unwrap();
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            }
            ("sh", "rowcast_prod") => {
                assert!(
                    text.starts_with("DATABASE_URL='postgres://rowcast_prod:") && text.ends_with("rowcast serve\n"),
                    "{text}"
                );
                let started = Server::start(&shop).await;
                stream = Some(sse::Client::connect(&started.url(), &harness::token("ann"), None).await);
                server = Some(started);
            }
            ("sql", _) => {
                looked = shop.run(&who, &text).await;
                // Where the cluster asks for passwords, these are what the harness gives.
                for role in ["rowcast_owner", "rowcast_prod", "shop_owner", "shop_app", "shop_dba"] {
                    if text.contains(&format!("CREATE ROLE {role} ")) {
                        let role = shop.renamed(role);
                        superuser.batch_execute(&format!("ALTER ROLE {role} PASSWORD '{role}'")).await.unwrap();
                    }
                }
            }
            other => panic!("nobody runs {other:?}"),
        }
    }
    let event = stream.as_mut().unwrap().next_of("document_processing").await.json();
    assert_eq!((&event["key"], &event["organizationId"]), (&"1".into(), &"acme".into()));
    assert_eq!(looked.last().unwrap()[..2], ["delivered", "t"]);
    // And nobody may do more than was meant.
    assert_eq!(effective(&superuser, &shop.renamed("shop_app")).await, [""; 0]);
    let is = effective(&superuser, &shop.renamed("rowcast_prod")).await;
    assert_eq!(is, effective(&superuser, "rowcast_server").await);
    drop(stream);
    server.unwrap().stop().await;
    for role in ["shop_app", "shop_dba", "rowcast_prod", "shop_owner", "rowcast_owner"] {
        superuser
            .batch_execute(&shop.renamed(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")))
            .await
            .unwrap();
    }
}
