//! What happens to Postgres and to servers.

use std::time::Duration;

use tokio::{sync::watch, time::sleep};

use super::Machines;
use crate::{
    choices::{Choices, milliseconds},
    harness::{Place, Role, Session, Shutdown, eventually, proxy::Direction, signal},
};

#[derive(Clone, Copy, Debug)]
enum Disaster {
    /// Postgres is stopped, and started again.
    Restart(Shutdown),
    /// A process of Postgres dies, and Postgres ends all the others.
    Crash,
    /// The sessions of the servers are ended.
    SessionsEnded,
    /// A server is gone, and comes back.
    Killed,
    /// It is asked to go.
    Terminated,
    /// It gets no processor for a while.
    Stopped,
    /// Between it and Postgres.
    Cut,
    Delayed,
    Silent,
    Stalled(Direction),
}

const ALL: [Disaster; 12] = [
    Disaster::Restart(Shutdown::Fast),
    Disaster::Restart(Shutdown::Immediate),
    Disaster::Crash,
    Disaster::SessionsEnded,
    Disaster::Killed,
    Disaster::Terminated,
    Disaster::Stopped,
    Disaster::Cut,
    Disaster::Delayed,
    Disaster::Silent,
    Disaster::Stalled(Direction::Up),
    Disaster::Stalled(Direction::Down),
];

impl Disaster {
    fn name(self) -> &'static str {
        match self {
            Self::Restart(Shutdown::Fast) => "Postgres restarted",
            Self::Restart(Shutdown::Immediate) => "Postgres shut down at once",
            Self::Crash => "a Postgres process killed",
            Self::SessionsEnded => "servers' sessions ended",
            Self::Killed => "server killed",
            Self::Terminated => "server terminated",
            Self::Stopped => "server stopped for a while",
            Self::Cut => "server's connections to Postgres cut",
            Self::Delayed => "server's way to Postgres slow",
            Self::Silent => "server's way to Postgres silent",
            Self::Stalled(_) => "server's way to Postgres stalled",
        }
    }
}

/// One after the other until told to stop; everything runs again at the end.
pub(crate) async fn disasters(mut machines: Machines, seed: u64, stop: watch::Receiver<bool>) -> Machines {
    let mut choices = Choices::of(seed, "disasters", 0);
    while !*stop.borrow() {
        let mut draw = choices.step();
        sleep(milliseconds(&mut draw, 300..2_500)).await;
        let disaster = ALL[draw.usize(..ALL.len())];
        let (server, lasting) = (draw.usize(..machines.servers.len()), milliseconds(&mut draw, 50..4_000));
        machines.chronicle.note(disaster.name(), format!("server {server}, {lasting:?}"));
        machines.suffer(disaster, server, lasting).await;
    }
    machines
}

impl Machines {
    async fn suffer(&mut self, disaster: Disaster, server: usize, lasting: Duration) {
        let (server, way) = (&mut self.servers[server], &self.ways[server]);
        match disaster {
            Disaster::Restart(shutdown) => {
                self.postgres.stop(shutdown).await;
                sleep(lasting).await;
                self.postgres.start_again().await;
            }
            Disaster::Crash => {
                let victim = Session::open(&self.postgres, Role::App).await;
                signal(victim.backend, "KILL");
                let urls = self.urls();
                eventually("the victim to be gone", async || victim.client.is_closed().then_some(())).await;
                eventually("Postgres to recover", async || urls.try_connect(Role::Superuser).await.ok()).await;
            }
            Disaster::SessionsEnded => {
                let admin = self.postgres.connect_as(Role::Superuser).await;
                let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
                admin.execute(end, &[&Role::Server.name()]).await.unwrap();
            }
            Disaster::Killed => {
                server.kill().await;
                sleep(lasting).await;
                server.restart().await;
            }
            Disaster::Terminated => {
                server.terminate().await;
                sleep(lasting).await;
                server.restart().await;
            }
            Disaster::Stopped => {
                server.signal("STOP");
                sleep(lasting).await;
                server.signal("CONT");
            }
            Disaster::Cut => way.cut(),
            Disaster::Delayed => way.delay(lasting / 20),
            Disaster::Silent => way.blackhole(),
            Disaster::Stalled(direction) => way.stall(direction),
        }
        if matches!(disaster, Disaster::Delayed | Disaster::Silent | Disaster::Stalled(_)) {
            sleep(lasting).await;
            way.heal();
        }
    }
}
