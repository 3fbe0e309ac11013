//! Where a database is, and how to get there: every connection to Postgres is made here.
//!
//! A connection string says both. What it says of TLS means what it means to libpq, `sslmode` above all, with the differences that
//! `docs/postgres-tls.md` names; the rest is read by tokio-postgres.

mod hint;
mod parameters;
mod tls;
mod verifier;

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

use tokio_postgres::{
    Client, Config, Connection, Socket,
    config::{Host, LoadBalanceHosts, SslMode},
};

pub(super) use self::{hint::hint, tls::Connector};
use self::{
    parameters::Parameters,
    tls::{Mode, Stream, Tls},
};
use super::pool::PATIENCE;

/// Idle connections are probed after this long, so that a firewall or a dead host is noticed in seconds, not in hours.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// What a connection string cannot be used for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not one.
    #[error("DATABASE_URL is not a Postgres connection string: {}", super::reason(.0))]
    Url(tokio_postgres::Error),
    /// It is neither a URL nor keywords.
    #[error(
        "DATABASE_URL is not a Postgres connection string: neither postgres://user:password@host/database nor keyword=value pairs"
    )]
    Malformed,
    /// It would be taken apart at the wrong place.
    #[error(
        "DATABASE_URL has a character in its user name or password that means something else in a URL: write @ as %40, / as %2F, ? as %3F, \
         # as %23 and % as %25"
    )]
    Unescaped,
    /// No such mode.
    #[error("{0} has to be disable, allow, prefer, require, verify-ca or verify-full")]
    Mode(&'static str),
    /// No such way to begin.
    #[error("{0} has to be postgres or direct")]
    Negotiation(&'static str),
    /// No such choice.
    #[error("{0} has to be disable, prefer or require")]
    ChannelBinding(&'static str),
    /// Anybody can have a certificate of a public CA.
    #[error(
        "sslrootcert=system takes sslmode=verify-full: public CAs give everybody a certificate, so the host name has to be checked"
    )]
    WeakSystem,
    /// There would be no asking the server first.
    #[error("sslnegotiation=direct takes sslmode=require, verify-ca or verify-full")]
    WeakDirect,
    /// Nothing to check against.
    #[error(
        "sslmode=verify-ca and verify-full check the server's certificate against that of a CA: give its file in sslrootcert (hosted databases \
         offer it for download), or sslrootcert=system if a public CA signed it; there is no ~/.postgresql/root.crt either"
    )]
    NoRoots,
    /// Nothing to check against on this machine.
    #[error(
        "sslrootcert=system: there are no CA certificates on this system: install the package ca-certificates, or name a file in SSL_CERT_FILE"
    )]
    NoSystemRoots,
    /// A certificate alone proves nothing.
    #[error("the client's certificate in sslcert has no key: give its file in sslkey")]
    NoKeyGiven,
    /// A file that cannot be read.
    #[error("{0}: {1} cannot be read: {2}")]
    Unreadable(&'static str, PathBuf, std::io::Error),
    /// A file with something else in it.
    #[error(
        "{setting}: {path} holds no {missing} that can be used: it has to be in PEM (-----BEGIN …), and a key must not be encrypted"
    )]
    Holds {
        /// What named it.
        setting: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What it should hold.
        missing: &'static str,
    },
    /// Not a pair.
    #[error("sslcert {0} and sslkey {1} cannot be used together: {2}")]
    Identity(PathBuf, PathBuf, rustls::Error),
    /// Never, with what rowcast is built with.
    #[error("TLS cannot be set up: {0}")]
    Setup(rustls::Error),
}

/// A connection that somebody has to drive.
pub(crate) type Link = Connection<Socket, Stream>;

/// Where a database is, and how to get there. Cheap to clone.
#[derive(Clone)]
pub struct Target {
    config: Arc<Config>,
    tls: Arc<Tls>,
}

/// One address.
struct Place {
    /// What its certificate has to be for, or the directory of its socket.
    host: Host,
    /// Where that is known.
    address: Option<IpAddr>,
    port: u16,
}

impl Target {
    /// Reads a connection string, a URL or keywords, and adds what every connection of ours has.
    ///
    /// # Errors
    /// When it is not one that Postgres' clients understand, or what it says of TLS cannot be: a file that cannot be read, say.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (parameters, rest) = Parameters::take(text, |variable| std::env::var(variable).ok())?;
        let mut config: Config = rest.parse().map_err(Error::Url)?;
        let tls = Tls::new(&parameters, std::env::home_dir().as_deref())?;
        if config.get_application_name().is_none() {
            config.application_name("rowcast");
        }
        config.connect_timeout(PATIENCE).keepalives_idle(KEEPALIVE).tcp_user_timeout(KEEPALIVE * 2);
        config.ssl_negotiation(tls.negotiation).channel_binding(tls.channel_binding);
        Ok(Self { config: Arc::new(config), tls: Arc::new(tls) })
    }

    /// Under another name in `pg_stat_activity`.
    #[must_use]
    pub fn named(mut self, application_name: &str) -> Self {
        Arc::make_mut(&mut self.config).application_name(application_name);
        self
    }

    /// Connects. Addresses are tried in turn, each in the ways that `sslmode` has.
    ///
    /// # Errors
    /// When none of them lets us in: with what the one says that knew most about us.
    pub(crate) async fn connect(&self) -> Result<(Client, Link), tokio_postgres::Error> {
        let mut refusal = None;
        for place in self.places().await {
            match self.connect_at(&place).await {
                Ok(connected) => return Ok(connected),
                Err(error) if refusal.as_ref().is_some_and(tells_much) && !tells_much(&error) => {}
                Err(error) => refusal = Some(error),
            }
        }
        match refusal {
            Some(error) => Err(error),
            // It has something to say about that.
            None => self.config.connect(Connector(None)).await,
        }
    }

    /// For requests to cancel, which take a connection of their own, as well protected.
    pub(super) fn connector(&self) -> Connector {
        Connector(Some(Arc::clone(&self.tls)))
    }

    /// Whether a connection over the network is encrypted in any case.
    pub(super) fn demands_tls(&self) -> bool {
        self.tls.mode >= Mode::Require
    }

    /// Whether it is made sure that the server is the one that was asked for.
    pub(super) fn verifies_host(&self) -> bool {
        self.tls.mode == Mode::VerifyFull
    }

    async fn connect_at(&self, place: &Place) -> Result<(Client, Link), tokio_postgres::Error> {
        let is_socket = matches!(place.host, Host::Unix(_));
        // Nothing can listen in on a socket, and Postgres speaks no TLS there.
        let ways = if is_socket { Mode::Disable.ways() } else { self.tls.mode.ways() };
        let mut refusal: Option<tokio_postgres::Error> = None;
        for (at, &way) in ways.iter().enumerate() {
            let mut config = place.config(&self.config);
            config.ssl_mode(way);
            let connector = if way == SslMode::Disable { Connector(None) } else { self.connector() };
            let error = match config.connect(connector).await {
                Ok(connected) => return Ok(connected),
                Err(error) => error,
            };
            let worth_another = hint::wants_other_encryption(&error) || hint::is_failed_handshake(&error);
            // Of two refusals the one of the encrypted connection says more.
            if refusal.is_none() || way != SslMode::Disable {
                refusal = Some(error);
            }
            if at + 1 == ways.len() || !worth_another {
                break;
            }
        }
        Err(refusal.expect("there is at least one way"))
    }

    /// Every address, in the order in which to try them; none where the connection string makes no sense.
    async fn places(&self) -> Vec<Place> {
        let (hosts, addresses, ports) = (self.config.get_hosts(), self.config.get_hostaddrs(), self.config.get_ports());
        let count = hosts.len().max(addresses.len());
        let fits = |length: usize| length == 0 || length == count;
        if !fits(hosts.len()) || !fits(addresses.len()) || !(ports.len() == 1 || fits(ports.len())) {
            return Vec::new();
        }
        let mut places = Vec::new();
        for at in 0..count {
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
            let (host, found) = match (hosts.get(at), addresses.get(at).copied()) {
                // Each for itself: at one of them the server may listen, and refuse.
                (Some(Host::Tcp(name)), None) => (Host::Tcp(name.clone()), resolve(name, port).await),
                (Some(Host::Tcp(name)), address) => (Host::Tcp(name.clone()), vec![address]),
                (_, Some(address)) => (Host::Tcp(address.to_string()), vec![Some(address)]),
                (Some(socket), None) => (socket.clone(), vec![None]),
                (None, None) => continue,
            };
            places.extend(found.into_iter().map(|address| Place { host: host.clone(), address, port }));
        }
        if self.config.get_load_balance_hosts() == LoadBalanceHosts::Random {
            fastrand::shuffle(&mut places);
        }
        places
    }
}

/// The addresses of a host; none in particular where its name leads nowhere, which is found out again, and told, in connecting.
async fn resolve(name: &str, port: u16) -> Vec<Option<IpAddr>> {
    match tokio::net::lookup_host((name, port)).await {
        Ok(found) => found.map(|address| Some(address.ip())).collect(),
        Err(_) => vec![None],
    }
}

/// Whether somebody answered who had something to say.
fn tells_much(error: &tokio_postgres::Error) -> bool {
    error.as_db_error().is_some() || hint::is_failed_handshake(error) || hint(error).is_some()
}

impl Place {
    /// How to connect here and nowhere else.
    fn config(&self, all: &Config) -> Config {
        let mut config = Config::new();
        match &self.host {
            Host::Tcp(name) => config.host(name),
            Host::Unix(directory) => config.host_path(directory),
        };
        if let Some(address) = self.address {
            config.hostaddr(address);
        }
        config.port(self.port);
        all.get_user().map(|user| config.user(user));
        all.get_password().map(|password| config.password(password));
        all.get_dbname().map(|database| config.dbname(database));
        all.get_options().map(|options| config.options(options));
        all.get_application_name().map(|name| config.application_name(name));
        all.get_connect_timeout().map(|&timeout| config.connect_timeout(timeout));
        all.get_tcp_user_timeout().map(|&timeout| config.tcp_user_timeout(timeout));
        all.get_keepalives_interval().map(|interval| config.keepalives_interval(interval));
        all.get_keepalives_retries().map(|retries| config.keepalives_retries(retries));
        config.keepalives(all.get_keepalives()).keepalives_idle(all.get_keepalives_idle());
        config.target_session_attrs(all.get_target_session_attrs());
        config.ssl_negotiation(all.get_ssl_negotiation()).channel_binding(all.get_channel_binding());
        config
    }
}
