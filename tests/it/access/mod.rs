//! Changes of access as rows: rowcast's own tables, and the adopter's behind `use_grants`.

mod announcements;
mod privileges;
mod refusals;
mod use_grants;
mod watching;

use tokio_postgres::Client;

/// A row of `rowcast.access_changes`: the user, or `None` for anybody, and why.
type Announcement = (Option<String>, String);

/// The announcements since the last call.
async fn announced(client: &Client) -> Vec<Announcement> {
    let rows = client.query("DELETE FROM rowcast.access_changes RETURNING user_id, reason", &[]).await.unwrap();
    let mut announcements: Vec<_> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    announcements.sort();
    announcements
}

fn user(id: &str, reason: &str) -> Announcement {
    (Some(id.to_owned()), reason.to_owned())
}

fn anybody(reason: &str) -> Announcement {
    (None, reason.to_owned())
}

/// The rows of `rowcast.grants`.
async fn grants(client: &Client) -> Vec<(String, Option<String>, Option<String>)> {
    let rows = client
        .query("SELECT user_id, organization_id, permission FROM rowcast.grants ORDER BY 1, 2, 3", &[])
        .await
        .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// The tables of an app with teams of its own.
const TEAMS: &str = "
    CREATE TABLE public.users (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), login text UNIQUE, staff boolean DEFAULT false, last_seen timestamptz);
    CREATE TABLE public.members (team bigint, login text, role text, note json, PRIMARY KEY (team, login));
    CREATE TABLE public.roles (role text, permission text);
    INSERT INTO public.roles VALUES ('chief', 'admin');
";

/// A query over them.
const QUERY: &str = "SELECT m.login AS user_id, m.team AS organization_id, p.permission
    FROM public.members m LEFT JOIN public.roles p ON p.role = m.role -- the owner's words";

/// What to watch for it.
const WATCH: &str = r#"{
    "public.members": "r.login -- who",
    "public.users": {"user": "r.login", "columns": ["staff"]},
    "public.roles": null
}"#;

async fn use_grants(client: &Client, query: Option<&str>, watch: Option<&str>) -> Result<(), tokio_postgres::Error> {
    client.execute("SELECT rowcast.use_grants($1, $2::text::jsonb)", &[&query, &watch]).await.map(drop)
}

/// What the database said, hint included.
fn words(error: &tokio_postgres::Error) -> String {
    let error = error.as_db_error().unwrap();
    format!("{} {}", error.message(), error.hint().unwrap_or_default())
}
