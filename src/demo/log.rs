//! The app's own log, the table `chatbot.system_events`.

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::{Error, corpus::Failure};

/// A line of it.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    pub kind: &'a str,
    pub organization_id: Option<&'a str>,
    pub chatbot_id: Option<&'a str>,
    pub user_id: Option<&'a str>,
    pub component: Option<&'a str>,
    pub severity: &'a str,
    /// The metric, the action, or the class of the error.
    pub name: &'a str,
    pub value: Option<f64>,
    pub threshold: Option<f64>,
    pub status: Option<&'a str>,
    pub message: &'a str,
    pub details: Value,
}

impl<'a> Entry<'a> {
    pub(super) fn error(failure: &'a Failure) -> Self {
        Self {
            kind: "error",
            component: Some(&failure.component),
            severity: &failure.severity,
            name: &failure.name,
            message: &failure.message,
            details: json!({
                "stackTrace": failure.stack_trace,
                "userImpact": failure.user_impact,
                "resolution": failure.resolution,
                "sentryIssueId": failure.sentry_issue_id,
            }),
            ..Self::default()
        }
    }

    pub(super) async fn write(&self, client: &Client) -> Result<(), Error> {
        client
            .execute(
                include_str!("../../sql/chatbot/queries/log_event.sql"),
                &[
                    &self.kind,
                    &self.organization_id,
                    &self.chatbot_id,
                    &self.user_id,
                    &self.component,
                    &self.severity,
                    &self.name,
                    &self.value,
                    &self.threshold,
                    &self.status,
                    &self.message,
                    &self.details.to_string(),
                ],
            )
            .await?;
        Ok(())
    }
}
