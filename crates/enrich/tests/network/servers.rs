//! Servers of the tests, on this computer itself: each does with a connection what its test says, and
//! keeps count.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub(crate) const ROOT: &[u8] = include_bytes!("certificates/root.pem");

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// What it was told: one for each connection, empty where nothing was.
    pub(crate) fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

/// `serve` is given the connection and what the other side has said up to an empty line.
pub(crate) fn http(serve: impl Fn(&mut TcpStream, &str) + Send + Sync + 'static) -> Server {
    tcp(move |stream, hear| {
        if let Some(head) = head(stream) {
            hear(&head);
            serve(stream, &head);
        }
    })
}

/// Always the same.
pub(crate) fn says(answer: &'static str) -> Server {
    http(move |stream, _| send(stream, answer.as_bytes()))
}

pub(crate) fn https(serve: impl Fn(&mut dyn Write, &str) + Send + Sync + 'static) -> Server {
    let certificates = CertificateDer::pem_slice_iter(include_bytes!("certificates/server.pem"));
    let certificates = certificates.collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("certificates/server.key")).unwrap();
    let config =
        ServerConfig::builder_with_provider(rustls::crypto::ring::default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .unwrap();
    let config = Arc::new(config);
    tcp(move |stream, hear| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, stream);
        if let Some(head) = head(&mut stream) {
            hear(&head);
            serve(&mut stream, &head);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    })
}

/// What `serve` says that it heard is known before it answers.
pub(crate) fn tcp(serve: impl Fn(&mut TcpStream, &dyn Fn(&str)) + Send + Sync + 'static) -> Server {
    on(TcpListener::bind("127.0.0.1:0").unwrap(), serve)
}

fn on(
    listener: TcpListener,
    serve: impl Fn(&mut TcpStream, &dyn Fn(&str)) + Send + Sync + 'static,
) -> Server {
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let (serve, all) = (Arc::new(serve), Arc::clone(&heard));
    thread::spawn(move || {
        for stream in listener.incoming() {
            // Connections in which nothing is said count too.
            let place = {
                let mut all = all.lock().unwrap();
                all.push(String::new());
                all.len() - 1
            };
            let (serve, all) = (Arc::clone(&serve), Arc::clone(&all));
            thread::spawn(move || {
                let hear = |what: &str| all.lock().unwrap()[place] = what.to_owned();
                serve(&mut stream.unwrap(), &hear);
            });
        }
    });
    Server { address, heard }
}

/// Up to an empty line. `None`: it ended before.
fn head(stream: &mut impl Read) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    Some(String::from_utf8(head).unwrap())
}

/// The other side may have gone.
pub(crate) fn send(stream: &mut (impl Write + ?Sized), bytes: &[u8]) {
    let _ = stream.write_all(bytes).and_then(|()| stream.flush());
}

/// Until the other side goes, or says nothing more.
pub(crate) fn wait_for_end(stream: &mut TcpStream) {
    let mut rest = [0; 1000];
    while stream.read(&mut rest).is_ok_and(|length| length > 0) {}
}

/// Carries on what both say until one of them ends.
pub(crate) fn join(stream: &mut TcpStream, to: SocketAddr) {
    let mut there = TcpStream::connect(to).unwrap();
    let (mut from, mut back) = (stream.try_clone().unwrap(), there.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut back);
    });
    let _ = std::io::copy(&mut there, stream);
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

/// A resolver: `answer` makes of a question what is sent back over UDP, and `whole` over TCP.
pub(crate) fn resolver(
    answer: impl Fn(&[u8]) -> Vec<Vec<u8>> + Send + 'static,
    whole: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static,
) -> Server {
    let (socket, listener) = loop {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        if let Ok(listener) = TcpListener::bind(socket.local_addr().unwrap()) {
            break (socket, listener);
        }
    };
    let server = on(listener, move |stream, hear| {
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut question).unwrap();
        hear(&format!("over TCP: {}", name(&question)));
        let answer = whole(&question);
        let length = u16::try_from(answer.len()).unwrap();
        send(stream, &[&length.to_be_bytes(), answer.as_slice()].concat());
    });
    let heard = Arc::clone(&server.heard);
    thread::spawn(move || {
        let mut buffer = [0; 1000];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let question = &buffer[..length];
            heard.lock().unwrap().push(name(question));
            for message in answer(question) {
                socket.send_to(&message, from).unwrap();
            }
        }
    });
    server
}

/// One that has these addresses for each name, and nothing of version 6.
pub(crate) fn resolves_to(addresses: &'static [[u8; 4]]) -> Server {
    resolver(
        move |question| {
            let is_a = question[question.len() - 3] == 1;
            let addresses = if is_a { addresses } else { &[] };
            let records: Vec<_> = addresses.iter().map(|it| record(&POINTER, 1, it)).collect();
            vec![answer(question, 0, &records)]
        },
        |_| Vec::new(),
    )
}

/// To the name of the question.
pub(crate) const POINTER: [u8; 2] = [0xc0, 12];

pub(crate) fn record(owner: &[u8], kind: u8, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len()).unwrap();
    [owner, &[0, kind, 0, 1, 0, 0, 0, 9, 0, length], data].concat()
}

pub(crate) fn answer(question: &[u8], code: u8, records: &[Vec<u8>]) -> Vec<u8> {
    let mut message = question.to_vec();
    message[2] = 0x81;
    message[3] = 0x80 | code;
    message[7] = u8::try_from(records.len()).unwrap();
    message.extend(records.concat());
    message
}

/// The name of a question, and its type.
fn name(question: &[u8]) -> String {
    let (mut at, mut labels) = (12, Vec::new());
    while question[at] > 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8(question[at + 1..end].to_vec()).unwrap());
        at = end;
    }
    format!("{} {}", labels.join("."), question[at + 2])
}
