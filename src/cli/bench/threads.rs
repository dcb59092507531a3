//! Threads of clients, each with a runtime of its own: their work never waits for
//! that of the thread that watches.

use tokio::sync::oneshot;

use crate::cli::exit::{Failure, sysexits};

/// What a thread will have found.
pub(super) struct Work<T>(oneshot::Receiver<Result<T, Failure>>);

impl<T> Work<T> {
    /// Waits for it.
    ///
    /// # Errors
    /// The work's own, or its thread panicked.
    pub(super) async fn done(self) -> Result<T, Failure> {
        let gone = |_| Failure::new(sysexits::SOFTWARE, "a thread of clients panicked");
        self.0.await.map_err(gone)?
    }
}

/// Begins a work on a thread of its own. The future is made there, and so it need
/// not be one that can change threads.
pub(super) fn begin<T, F>(
    name: &str,
    work: impl FnOnce() -> F + Send + 'static,
) -> Result<Work<T>, Failure>
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
            // Each future here gives way by itself.
            Ok(runtime) => runtime.block_on(tokio::task::unconstrained(work())),
            Err(error) => Err(failed(error)),
        };
        let _ = done.send(outcome); // whoever waits may have been interrupted
    };
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread.spawn(body).map_err(failed)?;
    Ok(Work(outcome))
}

/// Waits for all of them.
pub(super) async fn all<T>(works: Vec<Work<T>>) -> Result<Vec<T>, Failure> {
    futures_util::future::try_join_all(works.into_iter().map(Work::done)).await
}

/// Waits until all have said that they are ready; `false` where one has ended.
pub(super) async fn ready(threads: Vec<oneshot::Receiver<()>>) -> Result<bool, Failure> {
    for thread in threads {
        if thread.await.is_err() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Each thread's share of `count`, the first ones' one larger where it is uneven.
pub(super) fn shares(count: usize, threads: usize) -> impl Iterator<Item = usize> {
    (0..threads)
        .map(move |thread| count / threads + usize::from(thread < count % threads))
        .filter(|share| *share > 0)
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn shares_add_up() {
        assert_eq!(shares(7, 3).collect::<Vec<_>>(), [3, 2, 2]);
        assert_eq!(shares(2, 3).collect::<Vec<_>>(), [1, 1]);
    }
}
