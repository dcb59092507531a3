//! Some escritores on a thread, that publish a run of messages.

use std::cell::Cell;
use std::pin::pin;
use std::time::Instant;

use arauto::Seq;
use futures_util::future::{Either, select, try_join_all};
use tokio::sync::Notify;

use super::door::Door;
use super::ear::Buffer;
use super::escritor::{Escritor, Manner};
use super::pace::Pace;
use super::stamp::Epoch;
use super::threads::{self, Work};
use super::watch::Count;
use crate::cli::exit::Failure;

/// What is to be published, by all escritores together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) escritores: usize,
    pub(super) messages: u64,
    pub(super) size: usize,
    pub(super) manner: Manner,
    /// Messages a second, with the time in each; `None`: as fast as it goes.
    pub(super) rate: Option<(f64, Epoch)>,
}

/// When a run began and ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Published {
    pub(super) began: Instant,
    /// When the last was answered.
    pub(super) ended: Instant,
    /// The seq of the last.
    pub(super) last: Seq,
}

/// Begins the run; `answered` counts what the server has published.
pub(super) fn begin(door: &Door, run: Run, answered: &Count) -> Result<Work<Published>, Failure> {
    let (door, answered) = (door.clone(), answered.clone());
    threads::begin("escritores", move || publish(door, run, answered))
}

async fn publish(door: Door, run: Run, answered: Count) -> Result<Published, Failure> {
    let sessions = door
        .enter_all(run.escritores, 0..1, &Count::default())
        .await?;
    let escritores = sessions.into_iter().map(|raw| Escritor::new(raw, run.size));
    let mut escritores = escritores.collect::<Result<Vec<_>, _>>()?;
    let buffer = Buffer::new();
    let began = Instant::now();
    let shares = threads::shares(as_count(run.messages), run.escritores);
    let left = Cell::new(run.escritores);
    let all_published = Notify::new();
    let publishing = escritores.iter_mut().zip(shares).map(|(escritor, share)| {
        let (buffer, answered, left, all_published) = (&buffer, &answered, &left, &all_published);
        async move {
            let share = share as u64;
            let last = match run.rate {
                None => {
                    let publishing = escritor.publish(share, run.manner, buffer, answered);
                    publishing.await?
                }
                Some((rate, epoch)) => {
                    let pace = Pace::new(rate / run.escritores as f64);
                    let publishing = escritor.publish_paced(share, pace, epoch, buffer, answered);
                    publishing.await?
                }
            };
            left.set(left.get() - 1);
            if left.get() == 0 {
                all_published.notify_waiters();
                return Ok(last);
            }
            let (hearing, over) = (escritor.hear_on(buffer), all_published.notified());
            match select(pin!(hearing), pin!(over)).await {
                Either::Left((Err(failure), _)) => Err(failure),
                _ => Ok(last),
            }
        }
    });
    let lasts = try_join_all(publishing).await?;
    Ok(Published {
        began,
        ended: Instant::now(),
        last: lasts.into_iter().max().unwrap_or_default(),
    })
}

fn as_count(messages: u64) -> usize {
    usize::try_from(messages).unwrap_or(usize::MAX)
}
