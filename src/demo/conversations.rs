//! Visitors and chatbots. When they ask and how much is answered follows the trace; what is said comes from the corpus.

use std::time::Duration;

use fastrand::Rng;
use tokio_postgres::Client;

use super::{
    Error,
    corpus::Failure,
    directory::Chatbot,
    log,
    simulation::{Simulation, Task},
    trace::Request,
};

/// Between the visitor's message and the first sign of an answer: looking up passages, building the prompt.
const RETRIEVAL: Duration = Duration::from_millis(150);

/// One reply in this many fails.
const REPLIES_PER_FAILURE: u32 = 40;

/// A visitor with something to ask next is in here; at this many, new visitors wait until one of them has asked.
const MOST_VISITS: usize = 30;

const CHANNELS: [&str; 4] = ["website", "widget", "slack", "api"];

/// A visitor in conversation with a chatbot.
#[derive(Debug)]
pub(super) struct Visit {
    session_id: String,
    chatbot: Chatbot,
    questions_left: u8,
}

/// The visits in which it is the visitor's turn.
#[derive(Debug, Default)]
pub(super) struct Visits(Vec<Visit>);

impl Visits {
    /// The visit that goes on now, or none: then a new visitor comes.
    fn resume(&mut self, random: &mut Rng) -> Option<Visit> {
        let somebody_returns = self.0.len() >= MOST_VISITS || (!self.0.is_empty() && random.f64() < 0.65);
        somebody_returns.then(|| self.0.swap_remove(random.usize(..self.0.len())))
    }
}

/// An answer in the making.
#[derive(Debug)]
pub(super) struct Reply {
    visit: Visit,
    /// How the answer begins.
    beginning: String,
    tokens: i32,
    /// How long it takes, as the model was when it was asked.
    takes: Duration,
}

pub(super) async fn ask(app: &mut Simulation, client: &Client, request: Request) -> Result<(), Error> {
    let next = app.trace.next();
    app.schedule_at(next.at, Task::Ask(next));

    let visit = match app.visits.resume(&mut app.random) {
        Some(visit) => visit,
        None => arrive(app, client).await?,
    };
    let texts = app.corpus.of(&visit.chatbot.organization_id);
    let Some((question, beginning)) = texts.and_then(|texts| app.random.choice(&texts.exchanges)).cloned() else {
        return Ok(());
    };
    let ask = include_str!("../../sql/chatbot/queries/ask.sql");
    client.execute(ask, &[&visit.session_id, &question, &request.context_tokens]).await?;
    let takes = app.model.answer_time(request.generated_tokens.unsigned_abs());
    let reply = Reply { visit, beginning, tokens: request.generated_tokens, takes };
    app.schedule(RETRIEVAL, Task::BeginReply(reply));
    Ok(())
}

async fn arrive(app: &mut Simulation, client: &Client) -> Result<Visit, Error> {
    let chatbot = app.directory.any_chatbot(&mut app.random).clone();
    let channel = CHANNELS[app.random.usize(..CHANNELS.len())];
    let start = include_str!("../../sql/chatbot/queries/start_session.sql");
    let session_id: String = client.query_one(start, &[&chatbot.id, &channel]).await?.get(0);
    if let Some(texts) = app.corpus.of(&chatbot.organization_id) {
        let greet = include_str!("../../sql/chatbot/queries/greet.sql");
        client.execute(greet, &[&session_id, &texts.greeting]).await?;
    }
    Ok(Visit { session_id, chatbot, questions_left: app.random.u8(1..=5) })
}

pub(super) async fn begin_reply(app: &mut Simulation, client: &Client, reply: Reply) -> Result<(), Error> {
    let start = include_str!("../../sql/chatbot/queries/start_reply.sql");
    let message_id: i64 = client.query_one(start, &[&reply.visit.session_id]).await?.get(0);
    app.schedule(reply.takes, Task::FinishReply(reply, message_id));
    Ok(())
}

pub(super) async fn finish_reply(
    app: &mut Simulation,
    client: &Client,
    reply: Reply,
    message_id: i64,
) -> Result<(), Error> {
    let milliseconds = i32::try_from(reply.takes.as_millis()).unwrap_or(i32::MAX);
    let failure =
        if app.random.u32(..REPLIES_PER_FAILURE) == 0 { app.random.choice(&app.corpus.reply_failures) } else { None };
    if let Some(failure) = failure {
        let fail = include_str!("../../sql/chatbot/queries/fail_reply.sql");
        client.execute(fail, &[&message_id, &failure.message, &milliseconds]).await?;
        report(&reply.visit.chatbot, failure, client).await?;
    } else {
        let complete = include_str!("../../sql/chatbot/queries/complete_reply.sql");
        let answer = match app.corpus.of(&reply.visit.chatbot.organization_id) {
            Some(texts) => texts.answer(&reply.beginning, reply.tokens, &mut app.random),
            None => reply.beginning,
        };
        client.execute(complete, &[&message_id, &answer, &reply.tokens, &milliseconds]).await?;
    }

    let mut visit = reply.visit;
    visit.questions_left -= 1;
    if visit.questions_left == 0 {
        let reads = app.about(Duration::from_secs(4));
        app.schedule(reads, Task::Leave(visit));
    } else {
        app.visits.0.push(visit);
    }
    Ok(())
}

async fn report(chatbot: &Chatbot, failure: &Failure, client: &Client) -> Result<(), Error> {
    let entry = log::Entry {
        organization_id: Some(&chatbot.organization_id),
        chatbot_id: Some(&chatbot.id),
        ..log::Entry::error(failure)
    };
    entry.write(client).await
}

pub(super) async fn leave(app: &mut Simulation, client: &Client, visit: &Visit) -> Result<(), Error> {
    // Most visitors leave without a word; those who rate are rather pleased.
    let satisfaction = (app.random.f64() < 0.4).then(|| app.random.i32(2..=5).max(app.random.i32(2..=5)));
    let end = include_str!("../../sql/chatbot/queries/end_session.sql");
    client.execute(end, &[&visit.session_id, &satisfaction]).await?;
    Ok(())
}
