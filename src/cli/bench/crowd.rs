//! Many leitores on a few threads, which hear and count until they are told how
//! far to hear.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use arauto::Seq;
use arauto::wire::cbor::ScannedFrame;
use tokio::sync::{mpsc, oneshot, watch};

use super::door::Door;
use super::ear::{Buffer, Ear, Hear, hear_up_to};
use super::latency::Latencies;
use super::stage::Stage;
use super::stamp::{self, Epoch};
use super::threads::{self, Work};
use super::watch::Count;
use crate::cli::exit::{Failure, sysexits};

/// What leitores have heard.
pub(super) struct Heard {
    pub(super) messages: u64,
    /// Gaps that they were told of, and the broadcasts in them.
    pub(super) gaps: u64,
    pub(super) missed: u64,
    /// Broadcasts by their seqs, what was missed included.
    pub(super) passed: u64,
    pub(super) latencies: Latencies,
    /// When the last of them had heard all.
    pub(super) ended: Instant,
}

/// Leitores that hear.
pub(super) struct Crowd {
    /// How far to hear; another value is another run.
    goal: watch::Sender<Option<Seq>>,
    heard: Vec<mpsc::Receiver<Heard>>,
    works: Vec<Work<()>>,
    /// Messages that were heard, of all of them.
    pub(super) count: Count,
}

impl Crowd {
    /// Lets `sessions` leitores of account 1 in.
    pub(super) async fn enter(
        stage: &mut Stage,
        sessions: usize,
        threads: usize,
        timed: Option<Epoch>,
    ) -> Result<Crowd, Failure> {
        let (goal, orders) = watch::channel(None);
        let (count, entered) = (Count::default(), Count::default());
        let mut crowd = Crowd {
            goal,
            heard: Vec::new(),
            works: Vec::new(),
            count: count.clone(),
        };
        let mut ready = Vec::new();
        for share in threads::shares(sessions, threads) {
            let (tell_ready, is_ready) = oneshot::channel();
            let (tell, heard) = mpsc::channel(1);
            let (door, entered, count) = (stage.door.clone(), entered.clone(), count.clone());
            let orders = orders.clone();
            let work = move || async move {
                let ears = enter(&door, share, timed.is_some(), &entered).await?;
                let _ = tell_ready.send(()); // the crowd may have been left
                let listener = Listener::new(timed, count);
                serve(ears, &listener, orders, &tell).await
            };
            crowd.works.push(threads::begin("leitores", work)?);
            crowd.heard.push(heard);
            ready.push(is_ready);
        }
        let entering = crowd.all_ready(ready);
        let goal = sessions as u64;
        stage.watch.step("logins", goal, &entered, entering).await?;
        Ok(crowd)
    }

    async fn all_ready(&mut self, ready: Vec<oneshot::Receiver<()>>) -> Result<(), Failure> {
        for (index, is_ready) in ready.into_iter().enumerate() {
            if is_ready.await.is_err() {
                return Err(self.why(index).await);
            }
        }
        Ok(())
    }

    /// Why a thread of the crowd has ended.
    async fn why(&mut self, index: usize) -> Failure {
        match self.works.swap_remove(index).done().await {
            Err(failure) => failure,
            Ok(()) => Failure::new(sysexits::SOFTWARE, "the leitores have left"),
        }
    }

    /// Waits until each has heard `last`; what they heard since the last time.
    pub(super) async fn hear_up_to(&mut self, last: Seq) -> Result<Heard, Failure> {
        self.goal.send_replace(Some(last));
        let mut all = None;
        for index in 0..self.heard.len() {
            let Some(heard) = self.heard[index].recv().await else {
                return Err(self.why(index).await);
            };
            match &mut all {
                None => all = Some(heard),
                Some(all) => all.add(&heard),
            }
        }
        all.ok_or_else(|| Failure::new(sysexits::SOFTWARE, "nobody listens"))
    }
}

async fn enter(
    door: &Door,
    count: usize,
    whole_frames: bool,
    entered: &Count,
) -> Result<Vec<Ear>, Failure> {
    let sessions = door.enter_all(count, 0..1, entered).await?;
    let ears = sessions.into_iter().map(Ear::new);
    Ok(match whole_frames {
        true => ears.map(Ear::of_whole_frames).collect(),
        false => ears.collect(),
    })
}

/// Hears up to each goal, until nobody sets any more.
async fn serve(
    mut ears: Vec<Ear>,
    listener: &Listener,
    mut orders: watch::Receiver<Option<Seq>>,
    tell: &mpsc::Sender<Heard>,
) -> Result<(), Failure> {
    let buffer = Buffer::new();
    let mut before = 0;
    loop {
        let goal = async {
            let left = |_| Failure::new(sysexits::SOFTWARE, "the crowd was left");
            orders.changed().await.map_err(left)?;
            Ok(orders.borrow_and_update().unwrap_or(Seq::ZERO))
        };
        hear_up_to(&mut ears, &buffer, listener, goal).await?;
        let ended = Instant::now();
        let passed: u64 = ears.iter().map(Ear::passed).sum();
        let heard = listener.take(passed - before, ended);
        before = passed;
        if tell.send(heard).await.is_err() {
            return Ok(());
        }
    }
}

/// Counts what the ears of one thread hear.
struct Listener {
    messages: Cell<u64>,
    gaps: Cell<u64>,
    missed: Cell<u64>,
    timed: Option<Epoch>,
    latencies: RefCell<Latencies>,
    /// Messages of which the shared count knows.
    told: Cell<u64>,
    count: Count,
}

impl Listener {
    fn new(timed: Option<Epoch>, count: Count) -> Listener {
        Listener {
            messages: Cell::new(0),
            gaps: Cell::new(0),
            missed: Cell::new(0),
            timed,
            latencies: RefCell::new(Latencies::new()),
            told: Cell::new(0),
            count,
        }
    }

    fn take(&self, passed: u64, ended: Instant) -> Heard {
        self.read();
        self.told.set(0);
        Heard {
            messages: self.messages.take(),
            gaps: self.gaps.take(),
            missed: self.missed.take(),
            passed,
            latencies: self.latencies.replace(Latencies::new()),
            ended,
        }
    }
}

impl Hear for Listener {
    fn hear(&self, frame: ScannedFrame<'_>) {
        match frame {
            ScannedFrame::Message { frame, .. } => {
                self.messages.set(self.messages.get() + 1);
                if let Some(epoch) = self.timed
                    && let Some(took) = stamp::get(frame).and_then(|sent| epoch.since(sent))
                {
                    self.latencies.borrow_mut().record(took);
                }
            }
            ScannedFrame::Gap(gap) => {
                self.gaps.set(self.gaps.get() + 1);
                self.missed
                    .set(self.missed.get() + 1 + gap.to.0 - gap.from.0);
            }
            _ => {}
        }
    }

    fn read(&self) {
        let messages = self.messages.get();
        let new = messages - self.told.replace(messages);
        if new > 0 {
            self.count.add(new);
        }
    }
}

impl Heard {
    fn add(&mut self, other: &Heard) {
        self.messages += other.messages;
        self.gaps += other.gaps;
        self.missed += other.missed;
        self.passed += other.passed;
        self.latencies.add(&other.latencies);
        self.ended = self.ended.max(other.ended);
    }
}
