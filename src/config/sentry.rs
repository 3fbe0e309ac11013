//! Whether Sentry may tell of errors, and whose they are.

use clap::Args;

/// What comes from Sentry.
#[derive(Args, Clone)]
pub struct Sentry {
    /// The client secret of an internal integration in Sentry: its webhooks are taken at POST /api/v1/integrations/sentry, which is not there without.
    #[arg(long, env = "ROWCAST_SENTRY_CLIENT_SECRET", hide_env_values = true)]
    pub sentry_client_secret: Option<String>,

    /// The tag of Sentry's events that names the organization; events without it are for platform staff.
    #[arg(long, env = "ROWCAST_SENTRY_ORGANIZATION_TAG", default_value = "organization_id")]
    pub sentry_organization_tag: Box<str>,

    /// The tag of Sentry's events that names the chatbot.
    #[arg(long, env = "ROWCAST_SENTRY_CHATBOT_TAG", default_value = "chatbot_id")]
    pub sentry_chatbot_tag: Box<str>,

    /// Webhooks that one address may send in a minute, to this server; whether they are Sentry's is found out afterwards.
    #[arg(long, env = "ROWCAST_SENTRY_WEBHOOKS_PER_MINUTE", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..))]
    pub sentry_webhooks_per_minute: u32,
}
