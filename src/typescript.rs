//! `web/src/generated.ts`: what clients get, in their own language. Written from the definitions here, and compared with them by every run of the tests.

mod declaration;

use std::{env, fmt::Write as _, fs, path::Path};

use ts_rs::{Config, TS};

use self::declaration::Declaration;
use crate::{
    event::{Operation, Priority},
    http::{
        answers::{
            CommandAnswer, Done, ErrorBody, ErrorDescription, Explanation, ExplanationAnswer, HiddenField, Lag,
            OverallLag, PollPosition, Rule, ServerStatistics, Statistics, StatisticsAnswer, TicketAnswer,
            VisibleAudience,
        },
        code::Code,
    },
    payload::{
        AlertStatus, ChatbotMetrics, ConversationActivity, DocumentProcessing, DocumentStage, DocumentStatus,
        ErrorNotification, HealthComponent, HealthStatus, MessageType, Payload, PerformanceAlert, SystemHealth,
        UserActivity, UserImpact,
    },
    sse::{CloseReason, ConnectionStatus, Envelope, ResetReason, StatusEnvelope},
};

const FILE: &str = "web/src/generated.ts";

const HEAD: &str = "\
// What the server sends. Generated from its own definitions by `make types`; a test of the server fails where the two differ.
";

/// Set by `make types`: the file is written, not compared.
const WRITES: &str = "ROWCAST_WRITE_TYPES";

fn declare<T: TS>() -> Declaration {
    // No figure of ours comes near 2^53, and ids, which may, are texts.
    let config = Config::new().with_large_int("number");
    Declaration::parse(&T::docs().unwrap_or_default(), &T::decl(&config))
}

/// The data of each built-in type by the type's name.
fn data_by_type() -> Declaration {
    let payload = declare::<Payload>();
    Declaration {
        docs: vec!["The data of each built-in event type.".to_owned()],
        name: "BuiltInEventData".to_owned(),
        shape: payload.shape.by_tag("type", "data"),
    }
}

fn declarations() -> Vec<Declaration> {
    vec![
        declare::<Priority>(),
        declare::<Operation>(),
        declare::<Envelope<'_>>(),
        data_by_type(),
        declare::<DocumentProcessing>(),
        declare::<DocumentStage>(),
        declare::<DocumentStatus>(),
        declare::<ConversationActivity>(),
        declare::<MessageType>(),
        declare::<SystemHealth>(),
        declare::<HealthComponent>(),
        declare::<HealthStatus>(),
        declare::<ErrorNotification>(),
        declare::<UserImpact>(),
        declare::<ChatbotMetrics>(),
        declare::<UserActivity>(),
        declare::<PerformanceAlert>(),
        declare::<AlertStatus>(),
        declare::<StatusEnvelope<'_>>(),
        declare::<ConnectionStatus<'_>>(),
        declare::<ResetReason>(),
        declare::<CloseReason>(),
        declare::<ErrorBody>(),
        declare::<ErrorDescription>(),
        declare::<Code>(),
        declare::<PollPosition>(),
        declare::<CommandAnswer>(),
        declare::<Done>(),
        declare::<TicketAnswer>(),
        declare::<ExplanationAnswer>(),
        declare::<Explanation>(),
        declare::<VisibleAudience>(),
        declare::<Rule>(),
        declare::<HiddenField>(),
        declare::<StatisticsAnswer>(),
        declare::<Statistics>(),
        declare::<ServerStatistics>(),
        declare::<Lag>(),
        declare::<OverallLag>(),
    ]
}

fn generate() -> String {
    let mut file = HEAD.to_owned();
    for declaration in declarations() {
        let _ = write!(file, "\n{declaration}");
    }
    file
}

#[test]
fn the_web_client_has_the_types_of_the_server() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let generated = generate();
    if env::var_os(WRITES).is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let checked_in = fs::read_to_string(&path).unwrap_or_default();
    let line = generated.lines().zip(checked_in.lines()).position(|(here, there)| here != there);
    let line = line.unwrap_or_else(|| generated.lines().count().min(checked_in.lines().count())) + 1;
    assert!(generated == checked_in, "{FILE} is not what the server sends, from line {line} on: run `make types`");
}

/// A type that is used and not declared would be an error in TypeScript alone.
#[test]
fn all_that_is_named_is_declared() {
    let declarations = declarations();
    for declaration in &declarations {
        declaration.shape.names(&mut |name| {
            let is_declared = declarations.iter().any(|other| other.name == name);
            assert!(is_declared || is_built_in(name), "{name}, in {}, is not declared", declaration.name);
        });
    }
}

fn is_built_in(name: &str) -> bool {
    ["string", "number", "boolean", "true", "false", "null", "unknown", "Record"].contains(&name)
}
