//! Many askers on a few threads.

use std::cell::RefCell;
use std::time::Instant;

use futures_util::future::try_join_all;
use tokio::sync::{oneshot, watch};

use super::asker::{Asker, Until};
use super::door::Door;
use super::ear::Buffer;
use super::latency::Latencies;
use super::stage::Stage;
use super::threads::{self, Work};
use super::watch::Count;
use crate::cli::exit::{Failure, sysexits};

/// What each of them does.
#[derive(Debug, Clone)]
pub(super) struct Loops {
    pub(super) until: Until,
    pub(super) in_flight: usize,
    pub(super) size: usize,
    /// The account that they are logged in with.
    pub(super) account: usize,
}

/// What they found.
pub(super) struct Asked {
    pub(super) began: Instant,
    pub(super) ended: Instant,
    pub(super) latencies: Latencies,
}

/// Askers that are in, and wait for the word to begin.
pub(super) struct Askers {
    go: watch::Sender<bool>,
    works: Vec<Work<Asked>>,
    /// Answers, of all of them.
    pub(super) count: Count,
}

impl Askers {
    /// Lets them in.
    pub(super) async fn enter(
        stage: &mut Stage,
        sessions: usize,
        threads: usize,
        loops: &Loops,
    ) -> Result<Askers, Failure> {
        let (go, went) = watch::channel(false);
        let (count, entered) = (Count::default(), Count::default());
        let (mut works, mut ready) = (Vec::new(), Vec::new());
        for share in threads::shares(sessions, threads) {
            let (tell_ready, is_ready) = oneshot::channel();
            let (door, loops, went) = (stage.door.clone(), loops.clone(), went.clone());
            let (entered, count) = (entered.clone(), count.clone());
            let work = move || async move {
                let askers = enter(&door, share, &loops, &entered).await?;
                let _ = tell_ready.send(()); // nobody may wait any more
                ask(askers, &loops, went, &count).await
            };
            works.push(threads::begin("askers", work)?);
            ready.push(is_ready);
        }
        let entering = threads::ready(ready);
        let goal = sessions as u64;
        if !stage.watch.step("logins", goal, &entered, entering).await? {
            threads::all(works).await?;
            return Err(Failure::new(sysexits::SOFTWARE, "the askers have left"));
        }
        Ok(Askers { go, works, count })
    }

    /// They begin.
    pub(super) fn go(&self) {
        self.go.send_replace(true);
    }

    /// Waits until they have asked enough.
    pub(super) async fn done(self) -> Result<Asked, Failure> {
        let asked = threads::all(self.works).await?.into_iter();
        let all = asked.reduce(|mut all, asked| {
            all.latencies.add(&asked.latencies);
            all.began = all.began.min(asked.began);
            all.ended = all.ended.max(asked.ended);
            all
        });
        all.ok_or_else(|| Failure::new(sysexits::SOFTWARE, "nobody asks"))
    }
}

async fn enter(
    door: &Door,
    count: usize,
    loops: &Loops,
    entered: &Count,
) -> Result<Vec<Asker>, Failure> {
    let account = loops.account..loops.account + 1;
    let sessions = door.enter_all(count, account, entered).await?;
    let askers = sessions.into_iter().map(|raw| Asker::new(raw, loops.size));
    askers.collect()
}

async fn ask(
    mut askers: Vec<Asker>,
    loops: &Loops,
    mut went: watch::Receiver<bool>,
    count: &Count,
) -> Result<Asked, Failure> {
    let left = |_| Failure::new(sysexits::SOFTWARE, "the askers were left");
    went.wait_for(|went| *went).await.map_err(left)?;
    let (buffer, latencies) = (Buffer::new(), RefCell::new(Latencies::new()));
    let began = Instant::now();
    let asking = askers
        .iter_mut()
        .map(|asker| asker.ask(&loops.until, loops.in_flight, &buffer, &latencies, count));
    try_join_all(asking).await?;
    Ok(Asked {
        began,
        ended: Instant::now(),
        latencies: latencies.into_inner(),
    })
}
