//! Whose health is watched, and from where on it is none.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints")]

use std::time::Duration;

use clap::Args;

use super::values::duration;

/// System health: what is measured by one server at a time, and written into rowcast.health_checks. See docs/integrations.md.
#[derive(Args, Clone)]
pub struct Health {
    /// Watch the database, and vector search if that has a target, this often, such as 15s.
    #[arg(long, env = "ROWCAST_HEALTH_INTERVAL", value_parser = duration)]
    pub health_interval: Option<Duration>,

    /// So many measurements in a row that agree change a state.
    #[arg(long, env = "ROWCAST_HEALTH_AGREEING", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub health_agreeing: u32,

    /// Something is down, not only slow, when it takes longer than so many times its threshold.
    #[arg(long, env = "ROWCAST_HEALTH_PATIENCE", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub health_patience: u32,

    /// How often a state that lasts is told again, for those who have come since.
    #[arg(long, env = "ROWCAST_HEALTH_RESTATE", default_value = "1m", value_parser = duration)]
    pub health_restate: Duration,

    /// How long a new connection to the database, and a small query, may take.
    #[arg(long, env = "ROWCAST_HEALTH_DATABASE_THRESHOLD", default_value = "1s", value_parser = duration)]
    pub health_database_threshold: Duration,

    /// How far a standby may be behind.
    #[arg(long, env = "ROWCAST_HEALTH_REPLICATION_LAG", default_value = "30s", value_parser = duration)]
    pub health_replication_lag: Duration,

    /// How many of the database's connections may be in use, in percent of max_connections.
    #[arg(long, env = "ROWCAST_HEALTH_CONNECTIONS_PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub health_connections_percent: u8,

    /// How long a transaction may be open.
    #[arg(long, env = "ROWCAST_HEALTH_LONGEST_TRANSACTION", default_value = "5m", value_parser = duration)]
    pub health_longest_transaction: Duration,

    /// Watch vector search by this query in the same database: it only reads, and has to return at least one row.
    #[arg(long, env = "ROWCAST_HEALTH_VECTOR_QUERY", hide_env_values = true, conflicts_with = "health_vector_url")]
    pub health_vector_query: Option<String>,

    /// Watch vector search by GET of this URL.
    #[arg(long, env = "ROWCAST_HEALTH_VECTOR_URL", hide_env_values = true)]
    pub health_vector_url: Option<String>,

    /// Headers for that, as those for the language model.
    #[arg(
        long,
        env = "ROWCAST_HEALTH_VECTOR_HEADERS",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub health_vector_headers: String,

    /// How long a search may take.
    #[arg(long, env = "ROWCAST_HEALTH_VECTOR_THRESHOLD", default_value = "200ms", value_parser = duration)]
    pub health_vector_threshold: Duration,

    /// Watch the language model by a request to this URL.
    #[arg(long, env = "ROWCAST_HEALTH_LLM_URL", hide_env_values = true, conflicts_with = "health_llm_bedrock")]
    pub health_llm_url: Option<String>,

    /// The method for that; without one it is POST where there is a body, and GET where there is none.
    #[arg(long, env = "ROWCAST_HEALTH_LLM_METHOD", requires = "health_llm_url")]
    pub health_llm_method: Option<String>,

    /// The body for that, in JSON.
    #[arg(long, env = "ROWCAST_HEALTH_LLM_BODY", hide_env_values = true, requires = "health_llm_url")]
    pub health_llm_body: Option<String>,

    /// Headers for that, whose values are in environment variables: Name=VARIABLE, or Name=Scheme VARIABLE, such as `Authorization=Bearer OPENAI_API_KEY`; comma-separated.
    #[arg(
        long,
        env = "ROWCAST_HEALTH_LLM_HEADERS",
        hide_env_values = true,
        default_value = "",
        hide_default_value = true
    )]
    pub health_llm_headers: String,

    /// Watch the language model by asking this model of AWS Bedrock for one token; region and credentials as AWS has them everywhere. Takes a rowcast built with the feature bedrock.
    #[arg(long, env = "ROWCAST_HEALTH_LLM_BEDROCK")]
    pub health_llm_bedrock: Option<String>,

    /// How often the language model is asked, which may cost money.
    #[arg(long, env = "ROWCAST_HEALTH_LLM_INTERVAL", default_value = "1m", value_parser = duration)]
    pub health_llm_interval: Duration,

    /// How long the language model may take to answer.
    #[arg(long, env = "ROWCAST_HEALTH_LLM_THRESHOLD", default_value = "5s", value_parser = duration)]
    pub health_llm_threshold: Duration,
}
