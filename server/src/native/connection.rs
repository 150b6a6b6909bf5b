//! One WebRTC connection with the two channels of the protocol (docs/PROTOCOL.md §12), on a UDP socket of its own.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use str0m::channel::{ChannelConfig, ChannelId};
use str0m::config::Fingerprint;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, IceConnectionState, IceCreds, Input, Output, Rtc, RtcError};
use swarmseal::signal::{Description, SdpType, Setup};
use swarmseal::wire::Channel;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

/// What happens on a connection, in the words of `swarmseal::swarm::Input`.
#[derive(Debug)]
pub enum ConnectionEvent {
    /// This side's description, as a browser would write it.
    Described(String),
    /// A candidate of this side; there is one.
    Candidate(String),
    /// This side has no more candidates.
    CandidatesEnd,
    /// Both channels are open.
    Opened,
    /// A whole message.
    Message(Channel, Vec<u8>),
    /// Bytes that were to be sent and have not left.
    Buffered(u64),
    /// It could not be made.
    Failed(&'static str),
    /// It is over.
    Closed,
}

/// The way to a connection that is being made or is there. Dropping it closes the connection.
#[derive(Debug)]
pub struct Connection {
    commands: mpsc::Sender<Command>,
}

enum Command {
    Remote(Box<Description>),
    Candidate(String),
    Send(Channel, Vec<u8>),
}

impl Connection {
    /// Begins a connection from `address`. What happens is passed to `tell`, in order; when that says `false`, nobody listens any
    /// more.
    pub fn dial<Tell, Told>(address: IpAddr, kind: SdpType, tell: Tell) -> Self
    where
        Tell: Fn(ConnectionEvent) -> Told + Send + Sync + 'static,
        Told: Future<Output = bool> + Send,
    {
        let (commands, inbox) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            let end = match Transport::open(address, kind).await {
                Ok(mut transport) => transport.run(inbox, &tell).await,
                Err(_) => ConnectionEvent::Failed("no_socket"),
            };
            let _ = tell(end).await;
        });
        Self { commands }
    }

    /// The other side's description. `false` if the connection is over.
    pub fn describe(&self, description: Description) -> bool {
        self.commands
            .try_send(Command::Remote(Box::new(description)))
            .is_ok()
    }

    /// A candidate of the other side. `false` if the connection is over.
    pub fn add_candidate(&self, line: String) -> bool {
        self.commands.try_send(Command::Candidate(line)).is_ok()
    }

    /// Sends a message. `false` if the connection is over, or takes no more.
    pub fn send(&self, channel: Channel, message: Vec<u8>) -> bool {
        self.commands.try_send(Command::Send(channel, message)).is_ok()
    }
}

/// What str0m needs to be driven: a socket, the time, and one mutation between two drains.
struct Transport {
    rtc: Rtc,
    socket: UdpSocket,
    local: SocketAddr,
    kind: SdpType,
    channels: [ChannelId; 2],
    open: usize,
    /// What the channels had no room for.
    unsent: VecDeque<(Channel, Vec<u8>)>,
    is_connected: bool,
}

impl Transport {
    async fn open(address: IpAddr, kind: SdpType) -> std::io::Result<Self> {
        let socket = UdpSocket::bind((address, 0)).await?;
        let local = socket.local_addr()?;
        let mut rtc = Rtc::builder()
            .set_sctp_max_buffered_amount(MAX_BUFFERED)
            .build(Instant::now());
        let mut api = rtc.direct_api();
        api.set_ice_controlling(kind == SdpType::Offer);
        let channels = [(0, "control"), (1, "data")].map(|(id, label)| {
            api.create_data_channel(ChannelConfig {
                label: label.to_owned(),
                negotiated: Some(id),
                ..ChannelConfig::default()
            })
        });
        Ok(Self {
            rtc,
            socket,
            local,
            kind,
            channels,
            open: 0,
            unsent: VecDeque::new(),
            is_connected: false,
        })
    }

    /// Until one side ends it; says how it ended.
    async fn run<Tell, Told>(&mut self, mut commands: mpsc::Receiver<Command>, tell: &Tell) -> ConnectionEvent
    where
        Tell: Fn(ConnectionEvent) -> Told,
        Told: Future<Output = bool>,
    {
        if self.kind == SdpType::Offer && !self.describe(tell).await {
            return ConnectionEvent::Closed;
        }
        let mut datagram = [0; DATAGRAM];
        loop {
            let mut events = Vec::new();
            let wake_at = match self.drain(&mut events).await {
                Ok(wake_at) => wake_at,
                Err(end) => return end,
            };
            for event in events {
                if !tell(event).await {
                    return ConnectionEvent::Closed;
                }
            }
            let mutated = tokio::select! {
                command = commands.recv() => match command {
                    Some(Command::Remote(description)) => {
                        if self.kind == SdpType::Answer && !self.describe(tell).await {
                            return ConnectionEvent::Closed;
                        }
                        self.start(&description)
                    }
                    Some(Command::Candidate(line)) => {
                        self.add_candidate(&line);
                        Ok(())
                    }
                    Some(Command::Send(channel, message)) => {
                        self.unsent.push_back((channel, message));
                        let sent = self.write();
                        if !tell(ConnectionEvent::Buffered(self.buffered())).await {
                            return ConnectionEvent::Closed;
                        }
                        sent
                    }
                    None => {
                        self.say_goodbye().await;
                        return ConnectionEvent::Closed;
                    }
                },
                received = self.socket.recv_from(&mut datagram) => match received {
                    Ok((len, source)) => self.take(source, datagram.get(..len).unwrap_or_default()),
                    // What an earlier datagram met on its way is no reason to give up: ICE decides.
                    Err(_) => Ok(()),
                },
                () = sleep_until(wake_at.into()) => self.rtc.handle_input(Input::Timeout(Instant::now())),
            };
            if mutated.is_err() {
                return self.ended();
            }
        }
    }

    /// Tells this side's description and its candidate.
    async fn describe<Tell, Told>(&mut self, tell: &Tell) -> bool
    where
        Tell: Fn(ConnectionEvent) -> Told,
        Told: Future<Output = bool>,
    {
        let api = self.rtc.direct_api();
        let creds = api.local_ice_credentials();
        let fingerprint = hexadecimal(&api.local_dtls_fingerprint().bytes);
        let setup = match self.kind {
            SdpType::Offer => "actpass",
            SdpType::Answer => "active",
        };
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
             a=ice-ufrag:{}\r\na=ice-pwd:{}\r\na=fingerprint:sha-256 {fingerprint}\r\na=setup:{setup}\r\n\
             a=sctp-port:5000\r\na=max-message-size:{STATED_MESSAGE}\r\n",
            creds.ufrag, creds.pass
        );
        let Ok(candidate) = Candidate::host(self.local, Protocol::Udp) else {
            return false;
        };
        let line = candidate.to_sdp_string();
        self.rtc.add_local_candidate(candidate);
        tell(ConnectionEvent::Described(sdp)).await
            && tell(ConnectionEvent::Candidate(line)).await
            && tell(ConnectionEvent::CandidatesEnd).await
    }

    fn start(&mut self, remote: &Description) -> Result<(), RtcError> {
        // RFC 8842 §5: the answer decides, and ours says `active`.
        let is_client = self.kind == SdpType::Answer || remote.setup == Setup::Passive;
        let mut api = self.rtc.direct_api();
        api.set_remote_ice_credentials(IceCreds {
            ufrag: remote.ufrag.to_string(),
            pass: remote.pwd.to_string(),
        });
        api.set_remote_fingerprint(Fingerprint {
            hash_func: "sha-256".to_owned(),
            bytes: remote.fingerprint.0.to_vec(),
        });
        api.start_dtls(is_client)?;
        api.start_sctp(is_client);
        Ok(())
    }

    /// Names that only the other side's network knows, and TCP, are left to the other side.
    fn add_candidate(&mut self, line: &str) {
        if let Ok(candidate) = Candidate::from_sdp_string(line)
            && candidate.proto() == Protocol::Udp
        {
            self.rtc.add_remote_candidate(candidate);
        }
    }

    fn take(&mut self, source: SocketAddr, datagram: &[u8]) -> Result<(), RtcError> {
        match Receive::new(Protocol::Udp, source, self.local, datagram) {
            Ok(receive) => self.rtc.handle_input(Input::Receive(Instant::now(), receive)),
            // Neither STUN nor DTLS: somebody else's.
            Err(_) => Ok(()),
        }
    }

    /// Sends what there is room for.
    fn write(&mut self) -> Result<(), RtcError> {
        while let Some((channel, message)) = self.unsent.front() {
            let [control, data] = self.channels;
            let id = match channel {
                Channel::Control => control,
                Channel::Data => data,
            };
            let written = match self.rtc.channel(id) {
                Some(mut channel) => channel.write(true, message)?,
                None => false,
            };
            if !written {
                return Ok(());
            }
            self.unsent.pop_front();
        }
        Ok(())
    }

    fn buffered(&mut self) -> u64 {
        let waiting: usize = self.unsent.iter().map(|(_, message)| message.len()).sum();
        let given: usize = self
            .channels
            .into_iter()
            .filter_map(|id| Some(self.rtc.channel(id)?.buffered_amount()))
            .sum();
        (waiting + given) as u64
    }

    /// Sends and tells everything that is due. When to wake up, or how the connection ended.
    async fn drain(&mut self, events: &mut Vec<ConnectionEvent>) -> Result<Instant, ConnectionEvent> {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(wake_at)) if self.rtc.is_alive() => return Ok(wake_at),
                Ok(Output::Transmit(datagram)) => {
                    // Lost, as a datagram may be; whoever needs it sends it again.
                    let _ = self
                        .socket
                        .send_to(&datagram.contents, datagram.destination)
                        .await;
                }
                Ok(Output::Event(event)) => self.note(event, events)?,
                Ok(Output::Timeout(_)) | Err(_) => return Err(self.ended()),
            }
        }
    }

    fn note(&mut self, event: Event, events: &mut Vec<ConnectionEvent>) -> Result<(), ConnectionEvent> {
        match event {
            Event::ChannelOpen(id, _) => {
                if let Some(mut channel) = self.rtc.channel(id) {
                    channel.set_buffered_amount_low_threshold(LOW_BUFFERED);
                }
                self.open += 1;
                if self.open == self.channels.len() {
                    self.is_connected = true;
                    events.push(ConnectionEvent::Opened);
                }
            }
            Event::ChannelData(received) => {
                let [control, _] = self.channels;
                let channel = if received.id == control {
                    Channel::Control
                } else {
                    Channel::Data
                };
                // Text is no message of ours; an empty one breaks the engine's rules.
                let message = if received.binary {
                    received.data
                } else {
                    Vec::new()
                };
                events.push(ConnectionEvent::Message(channel, message));
            }
            Event::ChannelBufferedAmountLow(_) => {
                if self.write().is_err() {
                    return Err(self.ended());
                }
                events.push(ConnectionEvent::Buffered(self.buffered()));
            }
            Event::ChannelClose(_)
            | Event::Closed
            | Event::IceConnectionStateChange(IceConnectionState::Disconnected) => return Err(self.ended()),
            _ => {}
        }
        Ok(())
    }

    /// Sends what is left and closes the connection, so that the other side need not wait to find out.
    async fn say_goodbye(&mut self) {
        if self.write().is_ok() && self.rtc.close().is_ok() {
            // It ends here whatever comes of it.
            let _ = self.drain(&mut Vec::new()).await;
        }
    }

    const fn ended(&self) -> ConnectionEvent {
        if self.is_connected {
            ConnectionEvent::Closed
        } else {
            ConnectionEvent::Failed("ice_failed")
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// Commands that may wait: an engine keeps far below.
const WAITING: usize = 1_024;
/// What str0m holds for both channels; the engine's limits keep below.
const MAX_BUFFERED: usize = 1 << 20;
/// Below this the engine is told that it may send more, as in the browser.
const LOW_BUFFERED: usize = 8 << 10;
/// As Chromium states it; no message of the protocol comes near it.
const STATED_MESSAGE: u32 = 262_144;
/// Longest datagram of a path without fragmentation, and some room.
const DATAGRAM: usize = 2_048;
