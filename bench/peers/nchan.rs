//! [Nchan](https://nchan.io), the module that makes nginx stream events: as Debian packages it.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    ops::Range,
    path::PathBuf,
    process::{Child, Command},
};

use super::{Peer, envelope, free_port, wait_for};
use crate::{load::EVENT_TYPE, process::Process};

/// Where Debian puts the module.
const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/// nginx with it, and somebody who publishes.
pub(crate) struct Nchan {
    server: Child,
    address: SocketAddr,
    directory: PathBuf,
    publisher: TcpStream,
}

impl Nchan {
    /// Starts one, with as many workers as there are processors.
    pub(crate) fn start() -> Self {
        let directory = std::env::temp_dir().join(format!("rowcast-bench-{:016x}", fastrand::u64(..)));
        fs::create_dir(&directory).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let path = directory.display();
        let account = if nix::unistd::geteuid().is_root() { "user root;" } else { "" };
        let configuration = format!(
            "load_module {MODULE};
            daemon off; {account} pid {path}/pid; error_log {path}/errors error;
            worker_processes auto; worker_rlimit_nofile 60000;
            events {{ worker_connections 30000; }}
            http {{
                access_log off; tcp_nodelay on; keepalive_requests 100000000;
                client_body_temp_path {path}/body; proxy_temp_path {path}/proxy; fastcgi_temp_path {path}/fastcgi;
                uwsgi_temp_path {path}/uwsgi; scgi_temp_path {path}/scgi;
                nchan_shared_memory_size 512M;
                server {{
                    listen {address} backlog=8192;
                    location = /publish {{ nchan_publisher; nchan_channel_id all; nchan_message_buffer_length 4096; nchan_message_timeout 1m; }}
                    location = /subscribe {{ nchan_subscriber eventsource; nchan_channel_id all; nchan_subscriber_first_message newest; }}
                }}
            }}"
        );
        fs::write(directory.join("nginx.conf"), configuration).unwrap();
        let nginx =
            ["/usr/sbin/nginx", "nginx"].into_iter().find(|path| fs::exists(path).unwrap_or(false)).unwrap_or("nginx");
        let server =
            Command::new(nginx).arg("-c").arg(directory.join("nginx.conf")).arg("-p").arg(&directory).spawn().unwrap();
        wait_for(address);
        let publisher = TcpStream::connect(address).unwrap();
        publisher.set_nodelay(true).unwrap();
        Self { server, address, directory, publisher }
    }
}

impl Nchan {
    fn take_answer(&mut self) {
        let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            let length = self.publisher.read(&mut buffer).unwrap();
            assert!(length > 0, "nginx has hung up");
            answer.extend_from_slice(&buffer[..length]);
            let text = std::str::from_utf8(&answer).unwrap();
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            assert!(head.starts_with("HTTP/1.1 20"), "{head}");
            let promised = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")?.parse().ok());
            if body.len() >= promised.unwrap_or(0) {
                return;
            }
        }
    }
}

impl Peer for Nchan {
    fn name(&self) -> &'static str {
        "Nchan"
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    fn request(&self, _: usize) -> String {
        "GET /subscribe HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n".to_owned()
    }

    /// One after another: nginx answers when the message has its place in the channel, and that keeps their order.
    fn publish(&mut self, numbers: Range<u64>) {
        for number in numbers {
            let body = envelope(number);
            let length = body.len();
            let request = format!(
                "POST /publish HTTP/1.1\r\nHost: a\r\nX-EventSource-Event: {EVENT_TYPE}\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            self.publisher.write_all(request.as_bytes()).unwrap();
            self.take_answer();
        }
    }

    fn process(&self) -> Process {
        Process(self.server.id())
    }
}

impl Drop for Nchan {
    fn drop(&mut self) {
        // It takes its workers with it.
        let process = nix::unistd::Pid::from_raw(i32::try_from(self.server.id()).unwrap());
        let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM);
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}
