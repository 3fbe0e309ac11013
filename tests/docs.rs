//! The documents speak of the settings and the refusals that there are, of all of them, and lead to one another.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Settings that are none of the server's: what the tests, the demo and the log are told.
const OTHERS: [&str; 5] = ["ROWCAST_LOG", "ROWCAST_LOG_FORMAT", "ROWCAST_URL", "ROWCAST_BIN", "ROWCAST_CHROMIUM"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What people read, with its text.
fn documents() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let others = ["README.md", "CHANGELOG.md", "web/README.md", "web/DEVELOPING.md"].map(|name| root().join(name));
    let markdown = docs.chain(others).filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let found: Vec<_> = markdown.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect();
    assert!(found.len() > 10, "the documents were not found");
    found
}

/// The words of a text that are environment variables of ours. `…_PER_USER` after `ROWCAST_MAX_CONNECTIONS` stands for the two together.
fn variables(text: &str) -> BTreeSet<String> {
    let text = text.replace("…_PER_", "ROWCAST_MAX_CONNECTIONS_PER_");
    let words = text.split(|letter: char| !letter.is_ascii_uppercase() && letter != '_');
    words.filter(|word| word.starts_with("ROWCAST_")).map(str::to_owned).collect()
}

#[test]
fn the_readme_has_every_setting_and_documents_have_no_others() {
    let help = Command::new(env!("CARGO_BIN_EXE_rowcast")).args(["serve", "--help"]).output().unwrap();
    let settings = variables(&String::from_utf8(help.stdout).unwrap());
    assert!(settings.len() > 20, "--help does not list the settings");

    let readme = variables(&fs::read_to_string(root().join("README.md")).unwrap());
    let missing: Vec<_> = settings.difference(&readme).collect();
    assert!(missing.is_empty(), "README.md says nothing of {missing:?}");
    for (path, text) in documents() {
        let unknown: Vec<_> =
            variables(&text).difference(&settings).filter(|name| !OTHERS.contains(&name.as_str())).cloned().collect();
        assert!(unknown.is_empty(), "{} names {unknown:?}, which rowcast serve does not have", path.display());
    }
}

/// What stands between two marks, every time that it does.
fn between<'a>(text: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(before).skip(1).filter_map(move |rest| rest.split(after).next())
}

/// As serde has it on the wire.
fn snake_case(name: &str) -> String {
    name.char_indices().fold(String::new(), |mut snake, (at, letter)| {
        if at > 0 && letter.is_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        snake
    })
}

#[test]
fn every_refusal_is_explained_with_its_status_and_none_is_that_does_not_exist() {
    let source = fs::read_to_string(root().join("src/http/error.rs")).unwrap();
    let made = between(&source, "(StatusCode::", ")").map(|made| {
        let (status, code) = made.split_once(", ").unwrap();
        let status = match status {
            "BAD_REQUEST" => "400",
            "UNAUTHORIZED" => "401",
            "FORBIDDEN" => "403",
            "NOT_FOUND" => "404",
            "METHOD_NOT_ALLOWED" => "405",
            "REQUEST_TIMEOUT" => "408",
            "LENGTH_REQUIRED" => "411",
            "PAYLOAD_TOO_LARGE" => "413",
            "UNSUPPORTED_MEDIA_TYPE" => "415",
            "TOO_MANY_REQUESTS" => "429",
            "INTERNAL_SERVER_ERROR" => "500",
            "SERVICE_UNAVAILABLE" => "503",
            other => panic!("what number is {other}?"),
        };
        (status.to_owned(), snake_case(code.strip_prefix("Code::").unwrap()))
    });
    let made: BTreeSet<_> = made.collect();
    assert!(made.len() > 20, "the refusals were not found");

    let document = fs::read_to_string(root().join("docs/http.md")).unwrap();
    let section = between(&document, "\n## Errors\n", "\n## ").next().unwrap();
    let mut told = BTreeSet::new();
    for row in section.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let statuses: Vec<_> = cells[1].split(", ").collect();
        for (at, code) in between(cells[2], "`", "`").step_by(2).filter(|code| *code != "code").enumerate() {
            told.insert((statuses[at.min(statuses.len() - 1)].to_owned(), code.to_owned()));
        }
    }
    assert_eq!(told, made);
}

/// What stands between two marks first.
fn first<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split(after).next()
}

/// The fields of one of the generated types, with a question mark where one may be absent, and the texts that it may be if these are few.
fn fields(types: &str, name: &str) -> Vec<(String, Vec<String>)> {
    let body = first(types, &format!("export type {name} = {{\n"), "\n}").unwrap();
    let fields = body.lines().filter_map(|line| line.trim().strip_suffix(';')?.split_once(": "));
    fields
        .map(|(name, shape)| {
            let choices = first(types, &format!("export type {shape} ="), ";").unwrap_or_default();
            (name.to_owned(), between(choices, "\"", "\"").step_by(2).map(str::to_owned).collect())
        })
        .collect()
}

/// The same of a table's cell: names in backquotes, choices in parentheses after them.
fn told(cell: &str) -> Vec<(String, Vec<String>)> {
    let names = cell.split('`').skip(1).step_by(2).map(str::to_owned);
    let choices = cell.split('`').skip(2).step_by(2).map(|after| between(after, "(", ")").next().unwrap_or_default());
    let choices =
        choices.map(|choices| choices.split(", ").filter(|choice| !choice.is_empty()).map(str::to_owned).collect());
    names.zip(choices).collect()
}

#[test]
fn the_data_of_every_type_is_told_as_it_is() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let (types, document) = (read("web/src/generated.ts"), read("docs/events.md"));
    let built_in = between(&types, "{ type: \"", " }").filter_map(|member| member.split_once("\"; data: "));
    let built_in: Vec<_> = built_in.collect();
    assert_eq!(built_in.len(), 7);
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let mut rows: Vec<_> = rows.collect();
    for (event_type, data) in built_in {
        let at = rows.iter().position(|(name, _)| *name == event_type);
        let (_, row) = rows.remove(at.unwrap_or_else(|| panic!("docs/events.md says nothing of {event_type}")));
        let cell = row.split(" | ").nth(1).unwrap();
        assert_eq!(told(cell), fields(&types, data), "{event_type}");
    }
    assert!(rows.is_empty(), "docs/events.md has types that are not there: {rows:?}");
}

/// A text without its blocks of code.
fn prose(text: &str) -> String {
    let mut code = false;
    let lines = text.split_inclusive('\n').filter(|line| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        !code && !fence
    });
    lines.collect()
}

/// The names by which a document's headings can be linked to, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    headings.map(|heading| heading.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut followed = 0;
    for (path, text) in documents() {
        let text = prose(&text);
        let links = between(&text, "](", ")").filter(|link| !link.starts_with("http"));
        for link in links {
            let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { path.clone() } else { path.parent().unwrap().join(file) };
            assert!(target.exists(), "{}: {link}", path.display());
            if let Some(anchor) = anchor {
                let anchors = anchors(&prose(&fs::read_to_string(&target).unwrap()));
                assert!(anchors.iter().filter(|name| *name == anchor).count() == 1, "{}: {link}", path.display());
            }
            followed += 1;
        }
    }
    assert!(followed > 50, "no links were found");
}
