//! Who there is in the demo: chatbots, products and teams, as the app's tables say when the simulation begins.

use fastrand::Rng;
use tokio_postgres::Client;

use super::Error;

/// A chatbot that answers visitors.
#[derive(Clone, Debug)]
pub(super) struct Chatbot {
    pub id: String,
    pub organization_id: String,
}

/// A member of a team with one of the products that the team uploads documents about: all three by id.
#[derive(Clone, Debug)]
pub(super) struct Colleague {
    pub product: String,
    pub organization: String,
    pub user: String,
}

/// Everybody and everything that the simulation picks from; never empty.
#[derive(Debug)]
pub(super) struct Directory {
    chatbots: Vec<Chatbot>,
    colleagues: Vec<Colleague>,
}

impl Directory {
    pub(super) async fn load(client: &Client) -> Result<Self, Error> {
        let chatbots = client.query(include_str!("../../sql/chatbot/queries/list_chatbots.sql"), &[]).await?;
        let colleagues = client.query(include_str!("../../sql/chatbot/queries/list_colleagues.sql"), &[]).await?;
        if chatbots.is_empty() {
            return Err(Error::Unseeded("chatbot"));
        }
        if colleagues.is_empty() {
            return Err(Error::Unseeded("product with a team"));
        }
        Ok(Self {
            chatbots: chatbots.iter().map(|row| Chatbot { id: row.get(0), organization_id: row.get(1) }).collect(),
            colleagues: colleagues
                .iter()
                .map(|row| Colleague { product: row.get(0), organization: row.get(1), user: row.get(2) })
                .collect(),
        })
    }

    pub(super) fn any_chatbot(&self, random: &mut Rng) -> &Chatbot {
        &self.chatbots[random.usize(..self.chatbots.len())]
    }

    pub(super) fn any_colleague(&self, random: &mut Rng) -> &Colleague {
        &self.colleagues[random.usize(..self.colleagues.len())]
    }
}
