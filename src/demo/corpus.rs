//! What is said in the demo: questions, answers, documents and mishaps, by organization. All of it is made up.

use std::{collections::BTreeMap, iter};

use fastrand::Rng;
use serde::Deserialize;

use super::Error;

/// Characters of English text to a token, near enough.
const CHARACTERS_PER_TOKEN: usize = 4;

/// An organization has about this many sentences; more in one answer would repeat themselves.
const MOST_SENTENCES: usize = 8;

/// All texts.
#[derive(Debug, Deserialize)]
pub(super) struct Corpus {
    organizations: BTreeMap<String, Texts>,
    /// Why a reply may fail.
    pub reply_failures: Vec<Failure>,
    /// Why the processing of a document may fail.
    pub document_failures: Vec<Failure>,
    /// What a signed-in user does.
    pub actions: Vec<String>,
}

/// What is said at one organization.
#[derive(Debug, Deserialize)]
pub(super) struct Texts {
    pub greeting: String,
    /// A question, and the beginning of the answer to it.
    pub exchanges: Vec<(String, String)>,
    /// Sentences from the organization's documents.
    pub passages: Vec<String>,
    /// File names.
    pub documents: Vec<String>,
}

/// Something that goes wrong, and what the app logs about it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Failure {
    pub name: String,
    /// The part of the system that fails; absent for documents.
    #[serde(default = "document_processing")]
    pub component: String,
    /// The stage at which a document fails; absent for replies.
    pub stage: Option<String>,
    pub severity: String,
    pub message: String,
    pub user_impact: String,
    pub stack_trace: String,
    pub resolution: Option<String>,
    /// Where the error tracker keeps it.
    pub sentry_issue_id: Option<String>,
}

fn document_processing() -> String {
    "document_processing".to_owned()
}

impl Corpus {
    pub(super) fn embedded() -> Result<Self, Error> {
        Ok(serde_json::from_str(include_str!("corpus.json"))?)
    }

    /// The texts of an organization; one that somebody added to the demo borrows those of the first.
    pub(super) fn of(&self, organization_id: &str) -> Option<&Texts> {
        self.organizations.get(organization_id).or_else(|| self.organizations.values().next())
    }
}

impl Texts {
    /// An answer of about `tokens` tokens: its beginning, then as many sentences from the documents as it takes.
    pub(super) fn answer(&self, beginning: &str, tokens: i32, random: &mut Rng) -> String {
        let wanted = usize::try_from(tokens).unwrap_or(0) * CHARACTERS_PER_TOKEN;
        let mut answer = beginning.to_owned();
        for passage in self.sentences(random).take(MOST_SENTENCES) {
            if answer.len() + passage.len() > wanted {
                break;
            }
            answer.push(' ');
            answer.push_str(passage);
        }
        answer
    }

    /// The organization's sentences from a random one on, round and round.
    pub(super) fn sentences(&self, random: &mut Rng) -> impl Iterator<Item = &str> {
        let mut start = random.usize(..self.passages.len().max(1));
        iter::from_fn(move || {
            let passage = self.passages.get(start % self.passages.len().max(1))?;
            start += 1;
            Some(passage.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_organization_has_something_to_say() {
        let corpus = Corpus::embedded().unwrap();
        assert_eq!(corpus.organizations.len(), 3);
        for (id, texts) in &corpus.organizations {
            assert!(texts.exchanges.len() >= 10 && texts.passages.len() >= 8 && texts.documents.len() >= 7, "{id}");
        }
        assert!(corpus.document_failures.iter().all(|failure| failure.stage.is_some()));
    }

    #[test]
    fn an_answer_is_about_as_long_as_its_tokens_say() {
        let corpus = Corpus::embedded().unwrap();
        let texts = corpus.of("org_corvid").unwrap();
        let mut random = Rng::with_seed(7);
        assert_eq!(texts.answer("Yes.", 1, &mut random), "Yes.");
        let answer = texts.answer("Yes.", 100, &mut random);
        assert!((250..=400).contains(&answer.len()), "{answer}");
    }
}
