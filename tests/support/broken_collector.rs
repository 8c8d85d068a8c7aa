//! Collectors that fail, each in its own way: for tests, and for the benchmark of pressure.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;

/// An address that refuses connections. Nobody else gets it for as long as its socket lives.
pub fn closed() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// In which way a collector fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenCollector {
    /// It answers after a second.
    Slow,
    /// It accepts connections, and never answers.
    Hanging,
    /// It answers 503.
    Unavailable,
    /// It answers 429, and asks for a second's wait.
    Throttling,
    /// It resets each connection, once it has been sent something.
    Resetting,
    /// It accepts no connection.
    Refusing,
}

/// A collector that fails. It stops where this is dropped.
pub struct Broken {
    address: String,
    server: Option<JoinHandle<()>>,
    _socket: Option<TcpSocket>,
}

impl BrokenCollector {
    /// All ways.
    pub const ALL: [BrokenCollector; 6] = [
        BrokenCollector::Slow,
        BrokenCollector::Hanging,
        BrokenCollector::Unavailable,
        BrokenCollector::Throttling,
        BrokenCollector::Resetting,
        BrokenCollector::Refusing,
    ];

    /// Starts one on a port of its own.
    pub async fn start(self) -> Broken {
        if self == BrokenCollector::Refusing {
            let (socket, address) = closed();
            return Broken {
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
                // A client that goes away is what is to be expected here.
                tokio::spawn(async move { self.serve(stream).await.unwrap_or_default() });
            }
        });
        Broken {
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

/// Reads a request with a `content-length`, and gives the size of its body.
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

impl Broken {
    /// The value of OTLP_ENDPOINT.
    pub fn endpoint(&self) -> String {
        format!("http://{}/v1/traces", self.address)
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}
