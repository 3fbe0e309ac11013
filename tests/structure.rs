//! The rules of `docs/architecture.md` that can be read off the sources.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The modules in the order in which data flows: each imports only from those before it.
const ORDER: [&str; 25] = [
    "metrics",
    "client",
    "telemetry",
    "cursor",
    "event",
    "payload",
    "frontier",
    "epoch",
    "command",
    "gzip",
    "sse",
    "policy",
    "postgres",
    "access",
    "log",
    "connections",
    "tailer",
    "maintenance",
    "session",
    "integrations",
    "http",
    "config",
    "app",
    "private_postgres",
    "cli",
];

fn sources(directory: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut pending = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            // What is only compiled for tests may look at anything.
            let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            found.push((path, text));
        }
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// The module at the top of the tree that a file belongs to.
fn module(path: &Path) -> String {
    let relative = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    relative.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

fn only_in(word: &str, modules: &[&str]) {
    for (path, text) in sources("src") {
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        if code.clone().any(|line| line.contains(word)) {
            assert!(modules.contains(&module(&path).as_str()), "{word} in {}", path.display());
        }
    }
}

#[test]
fn only_http_knows_warp() {
    only_in("warp::", &["http", "app"]);
}

#[test]
fn sql_is_in_files_and_only_postgres_and_the_demo_read_them() {
    only_in(".sql\")", &["postgres", "demo"]);
    for statement in ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE ", "\"LISTEN", "\"NOTIFY", "\"WITH "] {
        only_in(statement, &[]);
    }
}

#[test]
fn every_connection_to_postgres_is_made_by_its_target() {
    only_in("NoTls", &["private_postgres"]);
    only_in("tokio_postgres::connect(", &["private_postgres"]);
}

#[test]
fn only_the_command_line_prints() {
    only_in("println!", &["cli", "main"]);
}

/// The modules of this crate that a file imports, from `use crate::a::…` and `use crate::{ a::…, b }`.
fn imports(text: &str) -> Vec<&str> {
    let uses = text.split("use crate::").skip(1).filter_map(|rest| rest.split(';').next());
    let mut modules = Vec::new();
    for imported in uses {
        let mut depth = 0;
        let items = imported.split_inclusive(['{', '}', ',']).filter_map(|item| {
            let top = depth == usize::from(imported.starts_with('{'));
            depth = if item.ends_with('{') { depth + 1 } else { depth - usize::from(item.ends_with('}')) };
            top.then(|| item.trim().split([':', ',', '{', '}']).next().unwrap_or_default())
        });
        modules.extend(items.filter(|item| !item.is_empty()));
    }
    modules
}

#[test]
fn imports_are_found() {
    let text = "use crate::{\n    a::{X, Y},\n    b,\n    c::d::{e, f},\n};\nuse crate::g::h;";
    assert_eq!(imports(text), ["a", "b", "c", "g"]);
}

#[test]
fn data_flows_one_way() {
    for (path, text) in sources("src") {
        let Some(own) = ORDER.iter().position(|name| *name == module(&path)) else { continue };
        let imports = imports(&text);
        for later in &ORDER[own + 1..] {
            assert!(!imports.contains(later), "{} imports {later}, which comes after it", path.display());
        }
    }
}

/// The documents that say on which tests their promises rest.
const PROMISES: [&str; 2] = ["docs/reliability.md", "docs/security.md"];

/// What a document names in backquotes: files and folders, some of them with a test.
fn named_in(document: &str) -> Vec<(String, Option<String>)> {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(document)).unwrap();
    // Blocks of code are something else.
    let document = document.split("```").step_by(2).collect::<String>();
    let quoted = document.split('`').skip(1).step_by(2);
    let paths = quoted.filter(|quoted| ["src/", "tests/", "web/"].iter().any(|folder| quoted.starts_with(folder)));
    paths
        .map(|path| match path.split_once("::") {
            Some((path, name)) => (path.to_owned(), Some(name.to_owned())),
            None => (path.to_owned(), None),
        })
        .collect()
}

/// Whether the file has a test of that name: its attribute is at most a line above it.
fn has_test(file: &Path, name: &str) -> bool {
    let source = fs::read_to_string(file).unwrap();
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let is_test = |line: &str| line.starts_with("#[test") || line.starts_with("#[tokio::test");
    let signature = format!("fn {name}(");
    lines.iter().enumerate().any(|(at, line)| {
        line.contains(&signature) && lines[at.saturating_sub(2)..at].iter().any(|above| is_test(above))
    })
}

#[test]
fn the_tests_that_promises_rest_on_exist() {
    for document in PROMISES {
        let named = named_in(document);
        let tests = named.iter().filter(|(_, name)| name.is_some()).count();
        assert!(tests > 50, "the tests were not found in {document}");
        for (path, name) in named {
            let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(&path);
            assert!(file.exists(), "{document} names {path}, which does not exist");
            if let Some(name) = name {
                assert!(has_test(&file, &name), "{document} names {path}::{name}, which is no test");
            }
        }
    }
}
