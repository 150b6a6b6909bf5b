//! The task that owns the state machine: inputs come in over one bounded queue, in batches, outputs go out over one bounded
//! queue per connection. A connection whose queue is full is too slow and is dropped.

use std::collections::HashMap;
use std::iter;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use swarmseal::content::SwarmId;
use swarmseal::identity::Handle;
use swarmseal::swarm::Timestamp;
use swarmseal_tracker::{
    AuditRefused, Company, ConnId, Content, Counts, Input, Now, Output, PrefixTag, Roots, SignedFinding,
    SignedVisit, Tracker,
};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::outbox::{Outbox, Outgoing, Waiting, outbox};
use super::revocations;

/// The way to a running tracker. Cheap to clone; the tracker ends when the last one is gone.
#[derive(Clone, Debug)]
pub struct TrackerHandle {
    events: mpsc::Sender<Event>,
    next: Arc<AtomicU64>,
    slow_consumers: Arc<AtomicU64>,
    contradictions: Arc<AtomicU64>,
    outbox_messages: usize,
}

/// The tracker in numbers.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Totals since the start.
    pub counts: Counts,
    /// Connections dropped because they did not take their messages.
    pub slow_consumers: u64,
    /// Pairs of statements about live contents of which only one can be true, since the start.
    pub contradictions: u64,
    /// Connections now.
    pub connections: usize,
    /// Peers admitted now.
    pub members: usize,
    /// Peers listed as sources now.
    pub sources: usize,
    /// Swarms with peers now.
    pub swarms: usize,
    /// Introductions that are not over.
    pub introductions: usize,
    /// Contents served now.
    pub contents: usize,
}

#[derive(Debug)]
enum Event {
    Opened {
        conn: ConnId,
        prefix: PrefixTag,
        outbox: Outbox,
    },
    /// Of one connection, in their order.
    Inputs(Vec<Input>),
    Contents(Vec<Content>),
    LiveRoots(SwarmId, Option<Arc<Roots>>),
    Figures(oneshot::Sender<Figures>),
    Revoke {
        handle: Handle,
        seconds: u32,
        answer: oneshot::Sender<bool>,
    },
    Visit {
        signed: Box<SignedVisit>,
        answer: oneshot::Sender<Result<Company, AuditRefused>>,
    },
    Finding {
        signed: Box<SignedFinding>,
        answer: oneshot::Sender<Result<(), AuditRefused>>,
    },
    ShutDown(oneshot::Sender<()>),
}

impl TrackerHandle {
    /// Runs `tracker` in a task of its own. Up to `outbox_messages` may wait for each connection; revocations are kept in
    /// the file `revocations`.
    pub fn start(tracker: Tracker, outbox_messages: usize, revocations: PathBuf) -> Self {
        let (events, inbox) = mpsc::channel(WAITING_EVENTS);
        let slow_consumers = Arc::new(AtomicU64::new(0));
        let contradictions = Arc::new(AtomicU64::new(0));
        let actor = Actor {
            tracker,
            outboxes: HashMap::new(),
            collected: Vec::new(),
            started: Instant::now(),
            ticked: Instant::now(),
            slow_consumers: Arc::clone(&slow_consumers),
            contradictions: Arc::clone(&contradictions),
            contents: 0,
            revocations,
        };
        tokio::spawn(actor.run(inbox));
        Self {
            events,
            next: Arc::new(AtomicU64::new(1)),
            slow_consumers,
            contradictions,
            outbox_messages,
        }
    }

    /// Serves exactly these contents from now on.
    pub async fn set_contents(&self, contents: Vec<Content>) {
        // A tracker that has ended serves nothing.
        let _ = self.events.send(Event::Contents(contents)).await;
    }

    /// What the heads of a followed content have stated so far, if that can be told.
    pub async fn set_live_roots(&self, swarm: SwarmId, roots: Option<Arc<Roots>>) {
        // As above.
        let _ = self.events.send(Event::LiveRoots(swarm, roots)).await;
    }

    /// The publisher of a live content has signed two things of which only one can be true.
    pub fn contradicted(&self) {
        self.contradictions.fetch_add(1, Ordering::Relaxed);
    }

    /// The tracker in numbers; `None` if it does not answer.
    pub async fn figures(&self) -> Option<Figures> {
        let (answer, figures) = oneshot::channel();
        let asked = async {
            self.events.send(Event::Figures(answer)).await.ok()?;
            figures.await.ok()
        };
        tokio::time::timeout(ANSWER_TIMEOUT, asked).await.ok().flatten()
    }

    /// Puts a peer out for so many seconds. The swarm has been told, and the file written, once this says `true`.
    pub async fn revoke(&self, handle: Handle, seconds: u32) -> bool {
        let (answer, done) = oneshot::channel();
        let event = Event::Revoke {
            handle,
            seconds,
            answer,
        };
        self.events.send(event).await.is_ok() && done.await.unwrap_or(false)
    }

    /// Judges what an auditor has found. The swarm has been told, and the file written, once this says that it is acted upon; `None`
    /// if the tracker has ended.
    pub async fn take_finding(&self, signed: SignedFinding) -> Option<Result<(), AuditRefused>> {
        let (answer, done) = oneshot::channel();
        let signed = Box::new(signed);
        self.events.send(Event::Finding { signed, answer }).await.ok()?;
        done.await.ok()
    }

    /// Takes note of a visit that an auditor is about to begin; `None` if the tracker has ended.
    pub async fn take_visit(&self, signed: SignedVisit) -> Option<Result<Company, AuditRefused>> {
        let (answer, done) = oneshot::channel();
        let signed = Box::new(signed);
        self.events.send(Event::Visit { signed, answer }).await.ok()?;
        done.await.ok()
    }

    /// Tells every peer that the tracker ends.
    pub async fn shut_down(&self) {
        let (answer, done) = oneshot::channel();
        if self.events.send(Event::ShutDown(answer)).await.is_ok() {
            let _ = tokio::time::timeout(ANSWER_TIMEOUT, done).await;
        }
    }

    /// A new connection. `None` if the tracker has ended.
    pub(super) async fn open(&self, prefix: PrefixTag) -> Option<(ConnId, Waiting)> {
        let conn = ConnId(self.next.fetch_add(1, Ordering::Relaxed));
        let (outbox, outgoing) = outbox(self.outbox_messages);
        self.events
            .send(Event::Opened { conn, prefix, outbox })
            .await
            .ok()?;
        Some((conn, outgoing))
    }

    /// A connection does not take its messages and is about to be cut.
    pub(super) fn count_slow(&self) {
        self.slow_consumers.fetch_add(1, Ordering::Relaxed);
    }

    /// Waits while the tracker is behind: the connection is not read from in that time.
    pub(super) async fn inputs(&self, inputs: Vec<Input>) {
        let _ = self.events.send(Event::Inputs(inputs)).await;
    }
}

struct Actor {
    tracker: Tracker,
    outboxes: HashMap<ConnId, Outbox>,
    /// What the tracker wants done and nobody has been told yet.
    collected: Vec<(ConnId, Outgoing)>,
    started: Instant,
    /// When the last tick was.
    ticked: Instant,
    slow_consumers: Arc<AtomicU64>,
    contradictions: Arc<AtomicU64>,
    contents: usize,
    revocations: PathBuf,
}

impl Actor {
    async fn run(mut self, mut inbox: mpsc::Receiver<Event>) {
        let mut alarm = pin!(tokio::time::sleep(IDLE_TICK));
        loop {
            let due = self.due();
            // It rarely changes, and setting it is dearer than looking.
            if alarm.deadline() != due {
                alarm.as_mut().reset(due);
            }
            tokio::select! {
                biased;
                event = inbox.recv() => match event {
                    Some(event) => self.take(event),
                    None => return,
                },
                () = alarm.as_mut() => {
                    self.ticked = Instant::now();
                    self.tracker.handle(self.now(), Input::Tick);
                }
            }
            self.pass_on();
        }
    }

    /// When the tracker has something to do by itself, and now and then even if it has not.
    fn due(&self) -> Instant {
        let idle = self.ticked + IDLE_TICK;
        let timer = self.tracker.wake_at();
        let timer = timer.and_then(|at| self.started.checked_add(Duration::from_micros(at.0)));
        timer.map_or(idle, |at| at.min(idle))
    }

    fn take(&mut self, event: Event) {
        let now = self.now();
        match event {
            Event::Opened { conn, prefix, outbox } => {
                self.outboxes.insert(conn, outbox);
                self.tracker.handle(now, Input::Connected { conn, prefix });
            }
            Event::Inputs(inputs) => {
                for input in inputs {
                    if let Input::Closed { conn } = input {
                        self.outboxes.remove(&conn);
                    }
                    self.tracker.handle(now, input);
                    self.collect();
                }
                if self.tracker.take_news_of_revocations() {
                    // By a proof that a peer has brought. The swarm hears of it first; nobody waits for the file.
                    self.pass_on();
                    self.keep_revocations();
                }
            }
            Event::Contents(contents) => {
                self.contents = contents.len();
                self.tracker.set_contents(now, contents);
            }
            Event::LiveRoots(swarm, roots) => self.tracker.set_live_roots(now, swarm, roots),
            Event::Figures(answer) => {
                // Nobody waits for it any more.
                let _ = answer.send(self.figures());
            }
            Event::Revoke {
                handle,
                seconds,
                answer,
            } => {
                let until = (now.unix_ms / 1_000).saturating_add(u64::from(seconds));
                let has_room = self.tracker.revoke(now, handle, until);
                self.pass_on();
                // The operator may have hung up.
                let _ = answer.send(self.keep_revocations() && has_room);
            }
            Event::Visit { signed, answer } => {
                // The auditor may have hung up.
                let _ = answer.send(self.tracker.take_visit(now, &signed));
            }
            Event::Finding { signed, answer } => {
                let mut judged = self.tracker.take_finding(now, &signed);
                self.pass_on();
                if judged.is_ok() && !self.keep_revocations() {
                    judged = Err(AuditRefused::NotKept);
                }
                // The auditor may have hung up.
                let _ = answer.send(judged);
            }
            Event::ShutDown(answer) => {
                self.tracker.shut_down(now);
                self.pass_on();
                let _ = answer.send(());
            }
        }
    }

    /// Here and not beside: what is written last must be the newest. It is rare and short.
    fn keep_revocations(&mut self) -> bool {
        self.tracker.take_news_of_revocations();
        let all: Vec<_> = self.tracker.revocations().cloned().collect();
        let written = revocations::write(&self.revocations, &all);
        if written.is_err() {
            tracing::error!("a revocation is not kept: its file cannot be written");
        }
        written.is_ok()
    }

    /// Takes what the tracker wants done, before its next input.
    fn collect(&mut self) {
        while let Some(output) = self.tracker.poll() {
            self.collected.push(match output {
                Output::Send { conn, message } => (conn, Outgoing::Message(message)),
                Output::Close { conn, reason } => (conn, Outgoing::Close(reason)),
            });
        }
    }

    /// Hands on what has been collected: what follows each other to one connection, together.
    fn pass_on(&mut self) {
        loop {
            self.collect();
            if self.collected.is_empty() {
                return;
            }
            let mut slow = Vec::new();
            let mut rest = self.collected.drain(..).peekable();
            while let Some((conn, _)) = rest.peek() {
                let conn = *conn;
                let mut is_last = false;
                let mut batch = iter::from_fn(|| {
                    let (_, outgoing) = rest.next_if(|(to, _)| *to == conn)?;
                    is_last |= matches!(outgoing, Outgoing::Close(_));
                    Some(outgoing)
                });
                let outbox = self.outboxes.get(&conn);
                let put = outbox.map_or(Ok(()), |outbox| outbox.put(&mut batch));
                // Nobody takes what is left of it, and the next one is not for this connection.
                batch.for_each(drop);
                if is_last || put.is_err() {
                    self.outboxes.remove(&conn);
                }
                if !is_last && put.is_err() {
                    self.slow_consumers.fetch_add(1, Ordering::Relaxed);
                    slow.push(conn);
                }
            }
            drop(rest);
            for conn in slow {
                tracing::debug!("a slow connection is dropped");
                self.tracker.handle(self.now(), Input::Closed { conn });
            }
        }
    }

    fn figures(&self) -> Figures {
        Figures {
            counts: self.tracker.counts().clone(),
            slow_consumers: self.slow_consumers.load(Ordering::Relaxed),
            contradictions: self.contradictions.load(Ordering::Relaxed),
            connections: self.tracker.connection_count(),
            members: self.tracker.member_count(),
            sources: self.tracker.source_count(),
            swarms: self.tracker.swarm_count(),
            introductions: self.tracker.introduction_count(),
            contents: self.contents,
        }
    }

    fn now(&self) -> Now {
        let monotonic = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            monotonic: Timestamp(monotonic),
            unix_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

/// Events that may wait for the state machine, each a few messages of one connection; whoever brings more waits.
const WAITING_EVENTS: usize = 1_024;
/// How long an answer may take before the tracker counts as stuck.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Even if nothing is due, what has run out is thrown away now and then.
const IDLE_TICK: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use swarmseal::content::SecretKey;
    use swarmseal_tracker::{TrackerConfig, TrackerKeys};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_for_a_connection_that_is_over_keeps_nobody_waiting() {
        let keys = TrackerKeys::new(SecretKey::from_seed(&[1; 32]));
        let tracker = Tracker::new(TrackerConfig::default(), keys, [3; 32]);
        let handle = TrackerHandle::start(tracker, 8, PathBuf::new());
        for n in 0..50 {
            // Gone before it is welcomed.
            drop(handle.open(PrefixTag(n)).await.unwrap());
        }
        let (_, mut waiting) = handle.open(PrefixTag(50)).await.unwrap();
        assert_eq!(waiting.take(8).await.unwrap().len(), 1);
        let figures = handle.figures().await.unwrap();
        assert_eq!((figures.connections, figures.slow_consumers), (51, 0));
    }
}
