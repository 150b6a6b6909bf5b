//! A peer of our own protocol: joins, and carries introductions through with trickled candidates.

use std::collections::{HashMap, HashSet};

use futures_util::{SinkExt as _, StreamExt as _};
use swarmseal::content::{SwarmId, SwarmSecret, TrackId};
use swarmseal::identity::{EphemeralKeys, Handle};
use swarmseal::signal::{
    Announce, ClientMessage, EndReason, ErrorCode, IntroductionId, Join, SdpType, ServerMessage, TrackRanges,
};
use swarmseal::wire::Range;
use tokio::sync::OwnedSemaphorePermit;
use tokio_tungstenite::tungstenite::Message;

use super::{LoadError, Signals, Socket, sizes, within};

/// How long an announcement holds, seconds: longer than a test lasts.
const ANNOUNCED_S: u32 = 600;

/// Who a peer is, and of which swarm.
pub(super) struct Identity {
    pub(super) swarm: SwarmId,
    pub(super) secret: SwarmSecret,
    pub(super) number: usize,
}

impl Identity {
    fn keys(&self) -> EphemeralKeys {
        let mut seed = [0x6c; 32];
        for (byte, own) in seed.iter_mut().zip(self.number.to_le_bytes()) {
            *byte = own;
        }
        EphemeralKeys::from_seed(seed)
    }
}

/// From the welcome to the end; the number of introductions that were carried through with this peer as the one that offers: each
/// has one, while both may have asked for it.
pub(super) async fn take_part(
    socket: Socket,
    identity: Identity,
    wanted: usize,
    permit: OwnedSemaphorePermit,
    mut signals: Signals,
) -> Result<u64, LoadError> {
    let mut peer = Peer {
        socket,
        others: Vec::new(),
        met: HashSet::new(),
        open: HashMap::new(),
        asked: None,
        left: wanted,
        completed: 0,
    };
    peer.join(&identity).await?;
    drop(permit);
    // What comes meanwhile waits in the socket, as it does in a page that is busy.
    signals.joined.wait().await;
    let _ = signals.start.wait_for(|started| *started).await;
    peer.introduce_next().await?;
    let mut waiting = std::pin::pin!(signals.done.wait());
    let mut is_done = false;
    let mut all_done = false;
    while !all_done {
        is_done |= peer.asked.is_none();
        tokio::select! {
            // Only those who have all that they asked for wait for the others, and answer them meanwhile.
            _ = &mut waiting, if is_done => all_done = true,
            message = peer.hear() => peer.take(message?).await?,
        }
    }
    Ok(peer.completed)
}

struct Peer {
    socket: Socket,
    others: Vec<Handle>,
    /// Who is, or was, introduced to this peer, whoever asked.
    met: HashSet<Handle>,
    /// Introductions under way, and what the other side has sent of its part.
    open: HashMap<IntroductionId, Part>,
    /// Whom this peer has asked to be introduced to, and is not yet.
    asked: Option<Handle>,
    left: usize,
    completed: u64,
}

struct Part {
    /// This peer has asked for it.
    is_ours: bool,
    role: SdpType,
    has_description: bool,
}

impl Peer {
    async fn join(&mut self, identity: &Identity) -> Result<(), LoadError> {
        let ServerMessage::Welcome { nonce, .. } = within(self.hear()).await?? else {
            return Err(LoadError::Refused("no welcome".to_owned()));
        };
        let keys = identity.keys();
        let ranges = vec![TrackRanges {
            track: TrackId(1),
            ranges: vec![Range { first: 0, count: 10 }],
        }];
        let announce = Announce::sign(&keys, identity.swarm, &nonce, ranges, ANNOUNCED_S, 1);
        let join = Join::sign(&keys, &identity.secret, identity.swarm, &nonce, Some(announce));
        self.say(&ClientMessage::Join(join)).await?;
        loop {
            match within(self.hear()).await?? {
                ServerMessage::Joined(joined) => {
                    self.others = joined.peers;
                    return Ok(());
                }
                ServerMessage::Error { code, message, .. } => {
                    return Err(LoadError::Refused(format!("{code:?}: {message}")));
                }
                _ => {}
            }
        }
    }

    async fn introduce_next(&mut self) -> Result<(), LoadError> {
        self.asked = None;
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        while let Some(peer) = self.others.pop() {
            if self.met.contains(&peer) {
                continue;
            }
            self.asked = Some(peer);
            return self.say(&ClientMessage::Introduce { peer }).await;
        }
        Ok(())
    }

    async fn take(&mut self, message: ServerMessage) -> Result<(), LoadError> {
        match message {
            ServerMessage::Introduction {
                introduction,
                peer,
                role,
            } => {
                self.met.insert(peer);
                let part = Part {
                    is_ours: self.asked == Some(peer),
                    role,
                    has_description: false,
                };
                self.open.insert(introduction, part);
                match role {
                    SdpType::Offer => self.tell(introduction, role).await,
                    SdpType::Answer => Ok(()),
                }
            }
            ServerMessage::Description { introduction, .. } => match self.open.get_mut(&introduction) {
                Some(part) => {
                    part.has_description = true;
                    match part.role {
                        SdpType::Offer => Ok(()),
                        SdpType::Answer => self.tell(introduction, SdpType::Answer).await,
                    }
                }
                None => Ok(()),
            },
            ServerMessage::EndOfCandidates { introduction } => match self.open.remove(&introduction) {
                Some(part) => self.carried_through(introduction, &part).await,
                None => Ok(()),
            },
            // Who was asked for has left or has enough; nothing else may be refused.
            ServerMessage::Error {
                code: ErrorCode::UnknownPeer | ErrorCode::ExposureLimit,
                ..
            } => self.introduce_next().await,
            // It ended while this peer's part was on its way, which `IntroductionEnded` says as well.
            ServerMessage::Error {
                code: ErrorCode::UnknownIntroduction,
                ..
            } => Ok(()),
            ServerMessage::Error { code, message, .. } => {
                Err(LoadError::Refused(format!("{code:?}: {message}")))
            }
            ServerMessage::IntroductionEnded { introduction, .. } => match self.open.remove(&introduction) {
                Some(part) if part.is_ours => self.introduce_next().await,
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    async fn carried_through(&mut self, introduction: IntroductionId, part: &Part) -> Result<(), LoadError> {
        self.completed += u64::from(part.role == SdpType::Offer && part.has_description);
        let reason = EndReason::Connected;
        self.say(&ClientMessage::EndIntroduction { introduction, reason })
            .await?;
        if part.is_ours {
            self.introduce_next().await?;
        }
        Ok(())
    }

    /// This side's part: its description, each candidate as the browser finds it, and that there are no more.
    async fn tell(&mut self, introduction: IntroductionId, role: SdpType) -> Result<(), LoadError> {
        if let Some(description) = sizes::description(role) {
            self.say(&ClientMessage::Description {
                introduction,
                description,
            })
            .await?;
        }
        for candidate in sizes::candidates() {
            self.say(&ClientMessage::Candidate {
                introduction,
                candidate,
            })
            .await?;
        }
        self.say(&ClientMessage::EndOfCandidates { introduction }).await
    }

    async fn say(&mut self, message: &ClientMessage) -> Result<(), LoadError> {
        let text = serde_json::to_string(message).map_err(|error| LoadError::Socket(error.to_string()))?;
        self.socket
            .send(Message::text(text))
            .await
            .map_err(|error| LoadError::Socket(error.to_string()))
    }

    async fn hear(&mut self) -> Result<ServerMessage, LoadError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    return serde_json::from_str(&text)
                        .map_err(|error| LoadError::Refused(error.to_string()));
                }
                Some(Ok(Message::Close(frame))) => {
                    let why = frame.map_or_else(String::new, |frame| frame.reason.to_string());
                    return Err(LoadError::Refused(format!("closed: {why}")));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(LoadError::Socket(error.to_string())),
                None => return Err(LoadError::Socket("ended".to_owned())),
            }
        }
    }
}
