//! `rowcast token`.

use std::time::Duration;

use crate::{access::token, config::duration};

/// Sign a token for development.
#[derive(clap::Args)]
pub(super) struct Token {
    /// The user id: becomes the token's `sub`.
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    user: String,

    /// How long the token is valid.
    #[arg(long, default_value = "1h", value_parser = duration)]
    valid_for: Duration,

    /// The secret that the server checks tokens with.
    #[arg(long, env = "ROWCAST_JWT_SECRET", hide_env_values = true)]
    jwt_secret: String,

    /// The token's `iss`, where the server demands one.
    #[arg(long, env = "ROWCAST_JWT_ISSUER")]
    jwt_issuer: Option<String>,

    /// The token's `aud`, where the server demands one.
    #[arg(long, env = "ROWCAST_JWT_AUDIENCE")]
    jwt_audience: Option<String>,
}

impl Token {
    #[expect(clippy::print_stdout, reason = "the answer of a command")]
    pub(super) fn run(self) -> anyhow::Result<()> {
        let (issuer, audience) = (self.jwt_issuer.as_deref(), self.jwt_audience.as_deref());
        println!("{}", token::sign_as(&self.jwt_secret, &self.user, self.valid_for, issuer, audience)?);
        Ok(())
    }
}
