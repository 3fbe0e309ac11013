//! What goes wrong: disasters, one at a time, since a server cannot be started without its database; and nuisances, which happen beside them.

mod chronicle;
mod disasters;
mod nuisances;

use std::{net::SocketAddr, sync::Arc};

use tokio_postgres::{Client, NoTls};

pub(crate) use self::{chronicle::Chronicle, disasters::disasters, nuisances::nuisances};
use crate::{
    harness::{
        OwnPostgres, Place, Role, Server, Through,
        proxy::{Proxy, Upstream},
    },
    world,
};

/// Settings of the servers. Heartbeats are frequent, so that a client notices soon that it hears nothing; the log is small, so that those who come back late, or
/// read slowly, read from the outbox; streams of the second server are short.
const SETTINGS: [&[(&str, &str)]; 2] = [
    &[("ROWCAST_HEARTBEAT", "2s"), ("ROWCAST_LOG_MIB", "1")],
    &[("ROWCAST_HEARTBEAT", "2s"), ("ROWCAST_LOG_MIB", "1"), ("ROWCAST_MAX_STREAM", "20s")],
];

/// One Postgres, and two servers on it, each by a way of its own.
pub(crate) struct Machines {
    postgres: OwnPostgres,
    servers: Vec<Server>,
    ways: Vec<Proxy>,
    chronicle: Arc<Chronicle>,
}

impl Machines {
    pub(crate) async fn start(chronicle: Arc<Chronicle>) -> Self {
        let postgres = OwnPostgres::start(&[]).await;
        world::prepare(&postgres).await;
        let (mut servers, mut ways) = (Vec::new(), Vec::new());
        for settings in SETTINGS {
            let proxy = postgres.proxy().await;
            servers.push(Server::start_with(&Through { place: &postgres, address: proxy.address() }, settings).await);
            ways.push(proxy);
        }
        Self { postgres, servers, ways, chronicle }
    }

    /// How clients reach the servers.
    pub(crate) async fn ways_for_clients(&self) -> Vec<Proxy> {
        let mut ways = Vec::new();
        for server in &self.servers {
            let address: SocketAddr = server.url().trim_start_matches("http://").parse().unwrap();
            ways.push(Proxy::start(Upstream::Tcp(address)).await);
        }
        ways
    }

    /// How everybody else reaches Postgres.
    pub(crate) fn urls(&self) -> Urls {
        Urls(
            [Role::Superuser, Role::Owner, Role::Writer, Role::App]
                .map(|role| (role, self.postgres.url_as(role)))
                .into(),
        )
    }

    /// Ends the servers, which have to do so in order.
    pub(crate) async fn stop(self) {
        for server in self.servers {
            server.stop().await;
        }
    }
}

/// Where Postgres is, whether it is there or not.
#[derive(Clone)]
pub(crate) struct Urls(Arc<[(Role, String)]>);

impl Place for Urls {
    fn url_as(&self, role: Role) -> String {
        let url = self.0.iter().find_map(|(known, url)| (*known == role).then_some(url));
        url.expect("nobody connects as this role").clone()
    }
}

impl Urls {
    /// Connects, if Postgres lets people in.
    pub(crate) async fn try_connect(&self, role: Role) -> Result<Client, tokio_postgres::Error> {
        try_connect(&self.url_as(role)).await
    }
}

async fn try_connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    // It ends with the client.
    tokio::spawn(connection);
    Ok(client)
}
