//! `web/src/generated.ts`: what clients get, in their own language. Written from the definitions here, and compared with them by every run of the tests.

use std::{env, fs, path::Path};

use ts_rs::{Config, TS};

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

fn declare<T: TS>() -> String {
    // No figure of ours comes near 2^53, and ids, which may, are texts.
    let config = Config::new().with_large_int("number");
    format!("\n{}export {}\n", T::docs().unwrap_or_default(), T::decl(&config))
}

/// All that `web/src/protocol.ts` begins with. TypeScript itself finds a name that is missing here.
fn generate() -> String {
    let declarations = [
        declare::<Priority>(),
        declare::<Operation>(),
        declare::<Envelope<'_>>(),
        declare::<Payload>(),
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
    ];
    HEAD.to_owned() + &declarations.concat()
}

/// What the formatter of `web` leaves as it is: all but white space, separators, and quotes, which it takes from names.
fn words(types: &str) -> impl Iterator<Item = &str> {
    let is_between = |letter: char| letter.is_whitespace() || matches!(letter, '"' | ':' | ',' | ';' | '|');
    types.split(is_between).filter(|word| !word.is_empty())
}

#[test]
fn the_web_client_has_the_types_of_the_server() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let generated = generate();
    if env::var_os(WRITES).is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let checked_in = fs::read_to_string(&path).unwrap_or_default();
    assert!(words(&generated).eq(words(&checked_in)), "{FILE} is not what the server sends: run `make types`");
}

#[test]
fn nothing_but_the_format_may_differ() {
    let generated = generate();
    let is_same = |before, after| {
        assert!(generated.contains(before), "{before}");
        words(&generated).eq(words(&generated.replacen(before, after, 1)))
    };
    assert!(is_same("\"degraded\" }", "\"degraded\";\n}"));
    assert!(is_same("\"low\" | \"medium\"", "\n  | \"low\"\n  | \"medium\""));
    assert!(is_same("\"status\": ", "status: "));
    let differences = [
        ("sessionId?: string,", ""),
        ("sessionId?: string", "sessionID?: string"),
        ("sessionId?: string", "sessionId: string"),
        ("sessionId?: string", "sessionId?: number"),
        ("Array<string>", "string"),
        ("\"low\" | \"medium\"", "\"low\""),
        ("\"low\" | \"medium\"", "\"lowmedium\""),
        ("How urgent it is.", "How urgent it was."),
    ];
    for (before, after) in differences {
        assert!(!is_same(before, after), "{before} as {after}");
    }
}
