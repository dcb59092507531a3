//! Threads of clients, each with a runtime of its own: their work never waits for the
//! thread that shows the progress.

use arauto::RawSession;
use futures_util::future::try_join_all;
use tokio::sync::oneshot;

use super::progress::Counter;
use super::target::Target;
use crate::cli::exit::{Failure, sysexits};

/// A thread at work, which will return a `T`.
pub(super) struct Worker<T>(oneshot::Receiver<Result<T, Failure>>);

/// Combines the results of several threads.
pub(super) trait Merge {
    /// Adds what another thread has found.
    fn merge(&mut self, other: Self);
}

impl<T> Worker<T> {
    /// Waits for its end.
    ///
    /// # Errors
    /// The work's own, or its thread panicked.
    pub(super) async fn done(&mut self) -> Result<T, Failure> {
        let panicked = |_| Failure::new(sysexits::SOFTWARE, "a thread of clients panicked");
        (&mut self.0).await.map_err(panicked)?
    }
}

/// Starts a work on a thread of its own. The future is made there, and so it need
/// not be one that can change threads.
pub(super) fn spawn<T, F>(
    name: &str,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<Worker<T>, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>>,
{
    let failed = |error| Failure::new(sysexits::OSERR, format!("no thread: {error}"));
    let (done, outcome) = oneshot::channel();
    let body = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let outcome = match runtime {
            // The futures yield by themselves.
            Ok(runtime) => runtime.block_on(tokio::task::unconstrained(work())),
            Err(error) => Err(failed(error)),
        };
        let _ = done.send(outcome); // the receiver is gone after an interruption
    };
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(body).map_err(failed)?;
    Ok(Worker(outcome))
}

/// Logs `sessions` clients of one account in, spread over threads, and returns once all
/// are in. Each thread then goes on with `work`.
pub(super) async fn log_in_and<T, F>(
    target: &mut Target,
    (name, account): (&'static str, usize),
    (sessions, threads): (usize, usize),
    work: impl Fn(Vec<RawSession>) -> F + Clone + Send + 'static,
) -> Result<Vec<Worker<T>>, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>>,
{
    let logged_in = Counter::default();
    let (mut workers, mut ready) = (Vec::new(), Vec::new());
    for share in shares(sessions, threads) {
        let (tell_ready, is_ready) = oneshot::channel();
        let (connector, logged_in) = (target.connector.clone(), logged_in.clone());
        let work = work.clone();
        let enter = move || async move {
            let accounts = account..account + 1;
            let sessions = connector.log_in_all(share, accounts, &logged_in).await?;
            let _ = tell_ready.send(()); // the receiver is gone after an interruption
            work(sessions).await
        };
        workers.push(spawn(name, enter)?);
        ready.push(is_ready);
    }
    let all_ready = async { Ok(try_join_all(ready).await.is_ok()) };
    let goal = sessions as u64;
    let step = target.progress.step("logins", goal, &logged_in, all_ready);
    if !step.await? {
        all(&mut workers).await?;
        return Err(Failure::new(sysexits::SOFTWARE, "the clients have ended"));
    }
    Ok(workers)
}

/// Waits for all of them.
pub(super) async fn all<T>(workers: &mut [Worker<T>]) -> Result<Vec<T>, Failure> {
    try_join_all(workers.iter_mut().map(Worker::done)).await
}

/// Waits for all of them, and merges what they return.
pub(super) async fn merged<T: Merge>(mut workers: Vec<Worker<T>>) -> Result<T, Failure> {
    let found = all(&mut workers).await?.into_iter();
    let merged = found.reduce(|mut all, other| {
        all.merge(other);
        all
    });
    merged.ok_or_else(|| Failure::new(sysexits::SOFTWARE, "there are no clients"))
}

/// Returns each thread's share of `count`; the first shares are larger by one where it is
/// uneven.
pub(super) fn shares(count: usize, threads: usize) -> impl Iterator<Item = usize> {
    (0..threads)
        .map(move |thread| count / threads + usize::from(thread < count % threads))
        .filter(|share| *share > 0)
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn core_shares_add_up() {
        assert_eq!(shares(7, 3).collect::<Vec<_>>(), [3, 2, 2]);
        assert_eq!(shares(2, 3).collect::<Vec<_>>(), [1, 1]);
    }
}
