//! Collectors that fail, each in one way.
//!
//! They speak HTTP by hand: a server library neither resets connections nor leaves them without an answer.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// An address that refuses connections: its socket is bound, so that nobody else gets the port, and never listens.
pub fn refusing_address() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// How a collector fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenCollector {
    /// It answers after a second.
    Slow,
    /// It accepts connections and never answers.
    Hanging,
    /// It answers 503.
    Unavailable,
    /// It answers 429 with a `retry-after` of one second.
    Throttling,
    /// It resets each connection after the first request.
    Resetting,
    /// It refuses connections.
    Refusing,
}

/// A running collector that fails. It stops when this is dropped.
#[derive(Debug)]
pub struct RunningBrokenCollector {
    address: String,
    server: Option<JoinHandle<()>>,
    _socket: Option<TcpSocket>,
}

impl BrokenCollector {
    /// Every way to fail.
    pub const ALL: [BrokenCollector; 6] = [
        BrokenCollector::Slow,
        BrokenCollector::Hanging,
        BrokenCollector::Unavailable,
        BrokenCollector::Throttling,
        BrokenCollector::Resetting,
        BrokenCollector::Refusing,
    ];

    /// Starts one on a port of its own.
    pub async fn start(self) -> RunningBrokenCollector {
        if self == BrokenCollector::Refusing {
            let (socket, address) = refusing_address();
            return RunningBrokenCollector {
                address: address.to_string(),
                server: None,
                _socket: Some(socket),
            };
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // Clients are expected to give up and disconnect.
                tokio::spawn(async move { self.serve(stream).await.unwrap_or_default() });
            }
        });
        RunningBrokenCollector {
            address,
            server: Some(server),
            _socket: None,
        }
    }

    async fn serve(self, mut stream: TcpStream) -> std::io::Result<()> {
        loop {
            let body = read_request(&mut stream).await?;
            assert!(body > 0, "an export has a body");
            let answer = match self {
                BrokenCollector::Slow => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    "200 OK\r\ncontent-type: application/x-protobuf"
                }
                BrokenCollector::Hanging => {
                    tokio::time::sleep(Duration::from_secs(600)).await;
                    return Ok(());
                }
                BrokenCollector::Unavailable => "503 Service Unavailable",
                BrokenCollector::Throttling => "429 Too Many Requests\r\nretry-after: 1",
                BrokenCollector::Resetting | BrokenCollector::Refusing => {
                    return stream.set_zero_linger();
                }
            };
            let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await?;
        }
    }
}

/// Reads a request with a `content-length`, and returns the size of its body.
async fn read_request(stream: &mut TcpStream) -> std::io::Result<usize> {
    let mut read = Vec::new();
    loop {
        if stream.read_buf(&mut read).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
        let length = head.split("content-length:").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
        let mut missing = (end + 4 + length).saturating_sub(read.len());
        while missing > 0 {
            let mut piece = vec![0; missing];
            match stream.read(&mut piece).await? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                size => missing -= size,
            }
        }
        return Ok(length);
    }
}

impl RunningBrokenCollector {
    /// The value of OTLP_ENDPOINT.
    pub fn endpoint(&self) -> String {
        format!("http://{}/v1/traces", self.address)
    }
}

impl Drop for RunningBrokenCollector {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}
