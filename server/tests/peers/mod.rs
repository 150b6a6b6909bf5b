//! A daemon on a free port, and peers that speak to it over real WebSockets.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test code"
)]

pub(crate) mod service;

use std::path::Path;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use swarmseal::content::{ContentId, Manifest, SecretKey, SwarmId, SwarmSecret, TrackId};
use swarmseal::identity::{EphemeralKeys, Handle};
use swarmseal::signal::{
    Announce, ClientMessage, IntroductionId, Join, Joined, SdpType, ServerMessage, TrackRanges,
};
use swarmseal::wire::Range;
use swarmseal_server::config::{Config, ContentsConfig};
use swarmseal_server::daemon::Running;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Nothing here should ever take as long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) fn publisher() -> SecretKey {
    SecretKey::from_seed(&[7; 32])
}

/// A signed manifest of nothing, for as long as it takes.
pub(crate) fn manifest(content: u8) -> Manifest {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    Manifest::new(
        ContentId([content; 16]),
        SwarmSecret([content; 32]),
        now - 60..now + 3_600,
    )
}

/// A folder with one content, and a configuration for it on a free port.
pub(crate) fn folder() -> (tempfile::TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), 1);
    let contents = ContentsConfig {
        publishers: vec![publisher().public()],
        manifests: vec![folder.path().to_str().unwrap().to_owned()],
        ..ContentsConfig::default()
    };
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        key: folder.path().join("tracker.key"),
        revocations: folder.path().join("revocations.jsonl"),
        shutdown_grace_s: 2,
        contents,
        ..Config::default()
    };
    (folder, config)
}

pub(crate) fn publish(folder: &Path, content: u8) {
    let sealed = manifest(content).sign(&publisher()).unwrap();
    std::fs::write(folder.join(format!("{content}.seal")), sealed).unwrap();
}

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) keys: EphemeralKeys,
    pub(crate) nonce: [u8; 32],
}

impl Client {
    /// Connects and takes the welcome.
    pub(crate) async fn connect(url: &str, seed: u8) -> Self {
        Self::connect_with(url, seed, &[]).await
    }

    pub(crate) async fn connect_with(url: &str, seed: u8, headers: &[(&'static str, &str)]) -> Self {
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (socket, _) = connect_async(request).await.unwrap();
        Self::over(socket, seed).await
    }

    /// Takes the welcome of a connection that is open.
    pub(crate) async fn over(socket: WebSocketStream<MaybeTlsStream<TcpStream>>, seed: u8) -> Self {
        let keys = EphemeralKeys::from_seed([seed; 32]);
        let mut client = Self {
            socket,
            keys,
            nonce: [0; 32],
        };
        match client.hear().await {
            ServerMessage::Welcome { nonce, .. } => client.nonce = nonce,
            other => panic!("{other:?}"),
        }
        client
    }

    pub(crate) async fn joined(running: &Running, seed: u8) -> (Self, Joined) {
        let mut client = Self::connect(&running.tracker_url(), seed).await;
        let joined = client.join().await;
        (client, joined)
    }

    pub(crate) fn handle(&self) -> Handle {
        self.keys.handle()
    }

    pub(crate) fn swarm() -> SwarmId {
        manifest(1).swarm_id()
    }

    pub(crate) fn join_message(&self, secret: &SwarmSecret, swarm: SwarmId) -> ClientMessage {
        ClientMessage::Join(Join::sign(&self.keys, secret, swarm, &self.nonce, None))
    }

    pub(crate) async fn join(&mut self) -> Joined {
        let join = self.join_message(&manifest(1).swarm_secret, Self::swarm());
        self.say(&join).await;
        match self.hear().await {
            ServerMessage::Joined(joined) => joined,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn announce(&mut self) {
        let ranges = vec![TrackRanges {
            track: TrackId(1),
            ranges: vec![Range { first: 0, count: 9 }],
        }];
        let announce = Announce::sign(&self.keys, Self::swarm(), &self.nonce, ranges, 120, 1);
        self.say(&ClientMessage::Announce(announce)).await;
    }

    pub(crate) async fn say(&mut self, message: &ClientMessage) {
        let text = serde_json::to_string(message).unwrap();
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next message of the schema.
    pub(crate) async fn hear(&mut self) -> ServerMessage {
        serde_json::from_str(&self.hear_text().await).unwrap()
    }

    pub(crate) async fn hear_text(&mut self) -> String {
        loop {
            match timeout(PATIENCE, self.socket.next())
                .await
                .expect("nothing heard")
            {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Whatever is said until the connection ends, and the code and reason of the close frame.
    pub(crate) async fn until_closed(&mut self) -> (Vec<String>, Option<(u16, String)>) {
        let mut heard = Vec::new();
        let mut close = None;
        while let Some(next) = timeout(PATIENCE, self.socket.next()).await.expect("still open") {
            match next {
                Ok(Message::Text(text)) => heard.push(text.to_string()),
                Ok(Message::Close(frame)) => {
                    close = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                }
                Ok(_) => {}
                Err(_) => break,
            }
        }
        (heard, close)
    }

    pub(crate) async fn hear_introduction(&mut self) -> (IntroductionId, Handle, SdpType) {
        match self.hear().await {
            ServerMessage::Introduction {
                introduction,
                peer,
                role,
            } => (introduction, peer, role),
            other => panic!("{other:?}"),
        }
    }
}

/// One request, one answer: status, headers and body.
pub(crate) async fn http(address: std::net::SocketAddr, request: &str) -> String {
    http_with_body(address, request, "").await
}

pub(crate) async fn http_with_body(address: std::net::SocketAddr, request: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{request}\r\nhost: localhost\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
