//! Documents on their way from upload to searchable, as the app's workers write it into their rows.

use std::time::Duration;

use tokio_postgres::Client;

use super::{
    Error,
    corpus::Failure,
    log,
    simulation::{Simulation, Task},
};

/// Between two uploads.
const UPLOAD_EVERY: Duration = Duration::from_secs(4);

/// Between two steps of a document: workers report progress about this often.
const STEP_EVERY: Duration = Duration::from_millis(900);

/// One document in this many fails.
const DOCUMENTS_PER_FAILURE: u32 = 8;

/// Each stage with the progress, in percent, at which it begins.
const STAGES: [(&str, i16); 5] = [("upload", 0), ("ocr", 10), ("chunking", 45), ("embedding", 60), ("indexing", 85)];

const CHUNKS_PER_PAGE: usize = 3;
const SENTENCES_PER_CHUNK: usize = 3;

/// A document in the making.
#[derive(Debug)]
pub(super) struct Job {
    document_id: String,
    organization_id: String,
    pages: u16,
    progress: i16,
    /// How it will end, if badly.
    failure: Option<Failure>,
}

fn stage_at(progress: i16) -> &'static str {
    STAGES.iter().rev().find(|(_, begins)| progress >= *begins).map_or(STAGES[0].0, |(name, _)| name)
}

pub(super) async fn upload(app: &mut Simulation, client: &Client) -> Result<(), Error> {
    let next = app.about(UPLOAD_EVERY);
    app.schedule(next, Task::Upload);

    let colleague = app.directory.any_colleague(&mut app.random).clone();
    let texts = app.corpus.of(&colleague.organization);
    let Some(filename) = texts.and_then(|texts| app.random.choice(&texts.documents)) else { return Ok(()) };
    let pages = app.random.u16(2..=40);
    let size_bytes = i64::from(pages) * app.random.i64(40_000..160_000);
    let upload = include_str!("../../sql/chatbot/queries/upload_document.sql");
    let (organization_id, product_id, user_id) = (colleague.organization, colleague.product, colleague.user);
    let document_id: String =
        client.query_one(upload, &[&organization_id, &product_id, &user_id, filename, &size_bytes]).await?.get(0);

    let fails = app.random.u32(..DOCUMENTS_PER_FAILURE) == 0;
    let failure = fails.then(|| app.random.choice(&app.corpus.document_failures).cloned()).flatten();
    let first_step = app.about(STEP_EVERY);
    app.schedule(first_step, Task::Advance(Job { document_id, organization_id, pages, progress: 0, failure }));
    Ok(())
}

pub(super) async fn advance(app: &mut Simulation, client: &Client, mut job: Job) -> Result<(), Error> {
    let former_stage = stage_at(job.progress);
    job.progress += app.random.i16(4..=12);
    if job.progress >= 100 {
        let complete = include_str!("../../sql/chatbot/queries/complete_document.sql");
        client.execute(complete, &[&job.document_id]).await?;
        return Ok(());
    }
    let stage = stage_at(job.progress);
    let entered = stage != former_stage;

    if entered && let Some(failure) = job.failure.as_ref().filter(|failure| failure.stage.as_deref() == Some(stage)) {
        return fail(client, &job, failure).await;
    }
    if entered && stage == "embedding" {
        store_chunks(app, client, &job).await?;
    }
    // The pages are counted when the file is opened, the confidence is known when its last page was read.
    let page_count = (entered && stage == "ocr").then_some(i32::from(job.pages));
    let ocr_confidence = (entered && stage == "chunking").then(|| 0.82 + app.random.f64() * 0.17);
    let advance = include_str!("../../sql/chatbot/queries/advance_document.sql");
    client.execute(advance, &[&job.document_id, &stage, &job.progress, &page_count, &ocr_confidence]).await?;
    let next_step = app.about(STEP_EVERY);
    app.schedule(next_step, Task::Advance(job));
    Ok(())
}

async fn store_chunks(app: &mut Simulation, client: &Client, job: &Job) -> Result<(), Error> {
    let Some(texts) = app.corpus.of(&job.organization_id) else { return Ok(()) };
    let chunks: Vec<String> = (0..usize::from(job.pages) * CHUNKS_PER_PAGE)
        .map(|_| texts.sentences(&mut app.random).take(SENTENCES_PER_CHUNK).collect::<Vec<_>>().join(" "))
        .collect();
    client.execute(include_str!("../../sql/chatbot/queries/store_chunks.sql"), &[&job.document_id, &chunks]).await?;
    Ok(())
}

async fn fail(client: &Client, job: &Job, failure: &Failure) -> Result<(), Error> {
    let fail = include_str!("../../sql/chatbot/queries/fail_document.sql");
    client.execute(fail, &[&job.document_id, &failure.message]).await?;
    log::Entry { organization_id: Some(&job.organization_id), ..log::Entry::error(failure) }.write(client).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_the_stage() {
        let stages = [0, 9, 10, 44, 45, 60, 84, 85, 99].map(stage_at);
        assert_eq!(
            stages,
            ["upload", "upload", "ocr", "ocr", "chunking", "embedding", "embedding", "indexing", "indexing"]
        );
    }
}
