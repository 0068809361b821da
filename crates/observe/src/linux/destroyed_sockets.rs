//! TCP and UDP sockets that go, with their last counts, from the kernel's socket diagnosis
//! (kernel: net/core/sock_diag.c, sock_diag_broadcast_destroy): for where no BPF program can tell.
//! That a socket came is not told, nor whose it was, nor when it went; sockets of other protocols
//! go unsaid.

use std::io;

use rustix::net::netlink;

use super::netlink::{Listener, Lost};
use crate::parse::destroyed_sockets::destroyed_socket;

pub(crate) use crate::parse::destroyed_sockets::DestroyedSocket;

/// SKNLGRP_INET_TCP_DESTROY, _INET_UDP_, _INET6_TCP_, _INET6_UDP_ (include/uapi/linux/sock_diag.h).
const GROUPS: u32 = 0b1111;
/// Some 6,500 messages; there is one such socket for each network namespace.
const ROOM: usize = 8 << 20;

/// Hears of the sockets of one network namespace.
pub(crate) struct DestroyedSockets(Listener);

impl DestroyedSockets {
    /// Begins to listen in the network namespace of this thread. It may be read on another.
    ///
    /// Errors: `PermissionDenied`, or the kernel cannot tell (`ProtocolNotSupported`).
    pub(crate) fn open() -> io::Result<Self> {
        Self::with_room(ROOM)
    }

    fn with_room(room: usize) -> io::Result<Self> {
        Listener::open(netlink::SOCK_DIAG, GROUPS, room).map(Self)
    }

    /// Readable when sockets have gone.
    #[cfg(test)]
    pub(crate) fn fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.fd()
    }

    /// Appends the sockets that have gone, in this order. A connection that ends orderly goes when
    /// the kernel has nothing more to do but wait (TIME_WAIT); one whose packets still wait for a
    /// neighbour goes seconds after its program let go of it.
    pub(crate) fn read(&mut self, out: &mut Vec<DestroyedSocket>) -> io::Result<Lost> {
        self.0.read(|body| out.extend(destroyed_socket(body)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::{
        IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket,
    };
    use std::os::fd::AsFd;
    use std::thread;
    use std::time::{Duration, Instant};

    use model::{Endpoint, Protocol};
    use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

    const HOME: [IpAddr; 2] = [
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];

    struct Heard {
        sockets: DestroyedSockets,
        all: Vec<DestroyedSocket>,
        lost: u64,
    }

    impl Heard {
        /// `None`: the kernel does not tell us here.
        fn open(test: &str) -> Option<Self> {
            Self::of(test, DestroyedSockets::open())
        }

        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        fn of(test: &str, sockets: io::Result<DestroyedSockets>) -> Option<Self> {
            match sockets {
                Ok(sockets) => Some(Self {
                    sockets,
                    all: Vec::new(),
                    lost: 0,
                }),
                Err(error) => {
                    eprintln!("skipped: {test}: the kernel does not tell: {error}");
                    None
                }
            }
        }

        fn read(&mut self) {
            self.lost += self.sockets.read(&mut self.all).unwrap().messages;
        }

        /// Waits for the end of one socket.
        fn end(&mut self, cookie: u64) -> DestroyedSocket {
            let begin = Instant::now();
            loop {
                self.read();
                let mut all = self.all.iter();
                if let Some(found) = all.find(|socket| socket.cookie == cookie) {
                    return found.clone();
                }
                assert!(begin.elapsed() < Duration::from_secs(20), "it never comes");
                thread::sleep(Duration::from_millis(5));
            }
        }
    }

    fn cookie(socket: impl AsFd) -> u64 {
        sockopt::socket_cookie(socket).unwrap()
    }

    fn endpoint(address: SocketAddr) -> Endpoint {
        Endpoint::new(address.ip(), address.port())
    }

    /// A listener, and both ends of a connection to it.
    fn connection(home: IpAddr) -> (TcpListener, TcpStream, TcpStream) {
        let listener = TcpListener::bind((home, 0)).unwrap();
        #[expect(clippy::disallowed_methods, reason = "to this computer itself")]
        let caller = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let called = listener.accept().unwrap().0;
        (listener, caller, called)
    }

    #[test]
    fn hears_the_end_of_a_connection() {
        let Some(mut heard) = Heard::open("hears_the_end_of_a_connection") else {
            return;
        };
        let flags = rustix::fs::fcntl_getfl(heard.sockets.fd()).unwrap();
        assert!(flags.contains(rustix::fs::OFlags::NONBLOCK));
        for home in HOME {
            let (listener, mut caller, mut called) = connection(home);
            let (here, there) = (
                endpoint(caller.local_addr().unwrap()),
                endpoint(caller.peer_addr().unwrap()),
            );
            let cookies = [cookie(&listener), cookie(&caller), cookie(&called)];
            caller.write_all(&[b'x'; 100]).unwrap();
            called.read_exact(&mut [0; 100]).unwrap();
            called.write_all(&[b'y'; 50]).unwrap();
            caller.read_exact(&mut [0; 50]).unwrap();
            caller.shutdown(Shutdown::Write).unwrap();
            assert_eq!(called.read(&mut [0]).unwrap(), 0);
            drop((listener, called));
            drop(caller);

            let [listener, caller, called] = cookies.map(|cookie| heard.end(cookie));
            assert_eq!((listener.local, listener.remote), (there, None));
            assert!(!listener.tcp.unwrap().was_established);
            assert_eq!((caller.local, caller.remote), (here, Some(there)));
            assert_eq!((called.local, called.remote), (there, Some(here)));
            assert_eq!(caller.protocol, Protocol::Tcp);
            for (end, sent, received) in [(caller, 100, 50), (called, 50, 100)] {
                let end = end.tcp.unwrap();
                assert!(end.was_established);
                assert_eq!(end.bytes_sent, Some(sent));
                // With the FIN, or without.
                let counted = end.bytes_received.unwrap();
                assert!((received..=received + 1).contains(&counted), "{end:?}");
            }
        }
        assert_eq!(heard.lost, 0);
    }

    #[test]
    fn knows_a_connection_without_a_word() {
        let Some(mut heard) = Heard::open("knows_a_connection_without_a_word") else {
            return;
        };
        let (_listener, caller, called) = connection(HOME[0]);
        let cookies = [cookie(&caller), cookie(&called)];
        drop(caller);
        thread::sleep(Duration::from_millis(50));
        drop(called);
        let [caller, called] = cookies.map(|cookie| heard.end(cookie).tcp.unwrap());
        assert_eq!(caller.opened_here, Some(true));
        for end in [caller, called] {
            assert!(end.was_established);
            assert_eq!((end.bytes_sent, end.bytes_received), (Some(0), Some(0)));
        }
    }

    #[test]
    fn knows_a_refusal() {
        let Some(mut heard) = Heard::open("knows_a_refusal") else {
            return;
        };
        for home in HOME {
            // Nobody listens on the port that was free a moment ago.
            let free = TcpListener::bind((home, 0)).unwrap().local_addr().unwrap();
            let family = match home {
                IpAddr::V4(_) => AddressFamily::INET,
                IpAddr::V6(_) => AddressFamily::INET6,
            };
            let caller = rustix::net::socket_with(
                family,
                SocketType::STREAM,
                SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
                None,
            )
            .unwrap();
            let _ = rustix::net::connect(&caller, &free);
            thread::sleep(Duration::from_millis(20));
            let number = cookie(&caller);
            drop(caller);
            let end = heard.end(number);
            assert_eq!(end.remote, Some(endpoint(free)));
            let end = end.tcp.unwrap();
            assert!(!end.was_established);
            assert_eq!((end.bytes_sent, end.bytes_received), (Some(0), Some(0)));
        }
    }

    #[test]
    fn what_the_program_cut_is_forgotten() {
        let Some(mut heard) = Heard::open("what_the_program_cut_is_forgotten") else {
            return;
        };
        let (_listener, mut caller, called) = connection(HOME[0]);
        let remote = caller.peer_addr().unwrap();
        caller.write_all(b"hello").unwrap();
        sockopt::set_socket_linger(&caller, Some(Duration::ZERO)).unwrap();
        let number = cookie(&caller);
        drop((caller, called));
        let end = heard.end(number);
        assert_eq!(end.remote, Some(Endpoint::without_port(remote.ip())));
        let end = end.tcp.unwrap();
        assert!(end.was_established);
        assert_eq!((end.bytes_sent, end.bytes_received), (None, None));
    }

    #[test]
    fn hears_the_end_of_udp() {
        let Some(mut heard) = Heard::open("hears_the_end_of_udp") else {
            return;
        };
        for home in HOME {
            let server = UdpSocket::bind((home, 0)).unwrap();
            let client = UdpSocket::bind((home, 0)).unwrap();
            let there = server.local_addr().unwrap();
            #[expect(clippy::disallowed_methods, reason = "to this computer itself")]
            client.connect(there).unwrap();
            let cookies = [cookie(&server), cookie(&client)];
            drop((server, client));
            let [server, client] = cookies.map(|cookie| heard.end(cookie));
            assert_eq!((server.protocol, server.tcp), (Protocol::Udp, None));
            assert_eq!((server.local, server.remote), (endpoint(there), None));
            assert_eq!(client.remote, Some(endpoint(there)));
        }
    }

    #[test]
    fn loss_is_counted() {
        let Some(mut all) = Heard::open("loss_is_counted") else {
            return;
        };
        let Some(mut some) = Heard::of("loss_is_counted", DestroyedSockets::with_room(8 << 10))
        else {
            return;
        };
        all.read();
        all.all.clear();
        let sockets: Vec<_> = (0..200)
            .map(|_| UdpSocket::bind((HOME[0], 0)).unwrap())
            .collect();
        let last = cookie(&sockets[199]);
        drop(sockets);
        all.end(last);
        some.read();
        assert_eq!(all.lost, 0);
        assert!(some.lost > 100, "{}", some.lost);
        assert!(!some.all.is_empty());
        let told = some.all.len() + usize::try_from(some.lost).unwrap();
        assert!(told >= all.all.len(), "{told} of {}", all.all.len());
        // What comes after that is heard again.
        let socket = UdpSocket::bind((HOME[0], 0)).unwrap();
        let number = cookie(&socket);
        drop(socket);
        some.end(number);
    }
}
