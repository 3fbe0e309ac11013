//! Which clients have vanished, and which are only slow.
//!
//! A client that takes nothing may have a full desk or be on the other side of a pulled plug. The kernel knows: it asks a client without room again and again whether
//! it has some now (window probes), and repeats what was not confirmed; a client that is there answers either. But by itself it gives up only after a
//! quarter of an hour, and its user time-out, which would be shorter, does not care for the answers (seen on Linux 6.18). So we look at how often it has
//! asked in vain.

use std::{io, time::Duration};

use tokio::{net::TcpStream, time::Instant};

/// How often to look.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(15);

/// A client is given up that has answered nothing for so long, though asked at least so often.
const UNANSWERED: (Duration, u8) = (Duration::from_mins(1), 3);

/// One client.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Since when each look found questions without an answer.
    unanswered_since: Option<Instant>,
}

impl Watch {
    /// Looks at the connection.
    ///
    /// # Errors
    /// When its client has vanished.
    pub(super) fn look(&mut self, stream: &TcpStream, now: Instant) -> io::Result<()> {
        if self.has_vanished(unanswered(stream), now) { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
    }

    fn has_vanished(&mut self, unanswered: u8, now: Instant) -> bool {
        if unanswered == 0 {
            self.unanswered_since = None;
            return false;
        }
        let since = *self.unanswered_since.get_or_insert(now);
        now - since >= UNANSWERED.0 && unanswered >= UNANSWERED.1
    }
}

/// How often the kernel has asked the client for a sign since the last one: by window probes, or by sending something again.
#[cfg(target_os = "linux")]
fn unanswered(stream: &TcpStream) -> u8 {
    // Without an answer of the kernel's nobody is given up.
    nix::sys::socket::getsockopt(stream, linux::TcpInfo).map_or(0, |info| info.tcpi_retransmits.max(info.tcpi_probes))
}

/// Elsewhere the kernel's own patience has to do.
#[cfg(not(target_os = "linux"))]
fn unanswered(_: &TcpStream) -> u8 {
    0
}

#[cfg(target_os = "linux")]
mod linux {
    use nix::{getsockopt_impl, libc, sockopt_impl};

    sockopt_impl!(
        /// What the kernel knows of a connection.
        TcpInfo, GetOnly, libc::IPPROTO_TCP, libc::TCP_INFO, libc::tcp_info
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks every 15 s, and finds so many questions without an answer each time; after how many looks the client is given up.
    fn given_up_after(found: impl IntoIterator<Item = u8>) -> Option<usize> {
        let (mut watch, start) = (Watch::default(), Instant::now());
        let mut looks = found.into_iter().enumerate();
        looks.find_map(|(n, unanswered)| {
            let now = start + LOOK_AGAIN * u32::try_from(n).unwrap();
            watch.has_vanished(unanswered, now).then_some(n)
        })
    }

    #[test]
    fn who_answers_nothing_for_a_minute_has_vanished() {
        assert_eq!(given_up_after([0, 5, 6, 6, 7, 8, 8]), Some(5));
    }

    #[test]
    fn who_answers_now_and_then_is_there() {
        assert_eq!(given_up_after([5, 6, 7, 0].repeat(100)), None);
    }

    #[test]
    fn a_question_that_was_asked_once_or_twice_may_have_been_lost() {
        assert_eq!(given_up_after([2; 100]), None);
    }

    /// The kernel's side of it, with a client that takes nothing.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn who_has_no_room_but_is_there_answers() {
        use tokio::{io::AsyncWriteExt, net::TcpListener};

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let full = async { while stream.write_all(&[0; 8 * 1024]).await.is_ok() {} };
        assert!(tokio::time::timeout(Duration::from_secs(2), full).await.is_err(), "it takes everything");
        let info = nix::sys::socket::getsockopt(&stream, linux::TcpInfo).unwrap();
        assert!(
            info.tcpi_backoff >= UNANSWERED.1,
            "the kernel has not asked often enough to tell: {}",
            info.tcpi_backoff
        );
        assert_eq!(unanswered(&stream), 0, "each question was answered");
    }
}
