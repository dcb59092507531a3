//! The thread that writes the database.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::{Db, StoreError, WaitLimit};

type Work = Box<dyn FnOnce(&mut Db) + Send>;

enum Job {
    Run(Work),
    End(Sender<Result<(), StoreError>>),
}

/// Sends jobs to the thread that writes the database. The thread runs them in order.
#[derive(Debug, Clone)]
pub struct Store {
    jobs: Sender<Job>,
}

/// Owns the thread that writes the database. Dropping it closes the database and waits for the
/// thread's end.
#[derive(Debug)]
pub struct StoreThread {
    path: PathBuf,
    limit: WaitLimit,
    jobs: Sender<Job>,
    thread: Option<JoinHandle<()>>,
    panicked: Option<oneshot::Receiver<()>>,
}

impl Store {
    /// Starts the thread, which owns the database.
    ///
    /// # Errors
    /// The system cannot create a thread.
    pub fn start(mut db: Db) -> io::Result<(Store, StoreThread)> {
        let (jobs, receiver) = channel();
        let (path, limit) = (db.path().to_owned(), db.limit().clone());
        let (on_panic, panicked) = oneshot::channel();
        let thread_limit = limit.clone();
        let thread = std::thread::Builder::new()
            .name("arauto-store".to_owned())
            .spawn(move || {
                let _on_panic = OnPanic(Some(on_panic));
                thread_limit.enter();
                run_jobs(&mut db, &receiver);
            })?;
        let store = Store { jobs: jobs.clone() };
        let thread = StoreThread {
            path,
            limit,
            jobs,
            thread: Some(thread),
            panicked: Some(panicked),
        };
        Ok((store, thread))
    }

    /// Queues `work` and returns a receiver of its result. The receiver fails if the thread has
    /// ended. Does not block.
    pub fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move |db: &mut Db| {
            let _ = reply.send(work(db)); // fails if the caller dropped the receiver
        });
        let _ = self.jobs.send(Job::Run(job)); // a failure drops `reply`, which `answer` reports
        answer
    }

    /// Like [`Store::ask`], but blocks until the work is done. Returns `None` if the thread has
    /// ended.
    pub fn wait<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = channel();
        let job = Box::new(move |db: &mut Db| {
            let _ = reply.send(work(db)); // cannot fail: the receiver waits below
        });
        self.jobs.send(Job::Run(job)).ok()?;
        answer.recv().ok()
    }
}

impl StoreThread {
    /// Returns the limit of the thread's waits for other processes.
    pub fn limit(&self) -> &WaitLimit {
        &self.limit
    }

    /// Returns an address of the thread, for jobs.
    pub fn store(&self) -> Store {
        Store {
            jobs: self.jobs.clone(),
        }
    }

    /// Returns a receiver that resolves to `Ok` when the thread panics, and to an error when it
    /// ends otherwise. The second call returns `None`.
    pub fn panicked(&mut self) -> Option<oneshot::Receiver<()>> {
        self.panicked.take()
    }

    /// Runs the queued jobs, makes a last checkpoint and ends the thread. Blocks for as long as
    /// the disk does.
    ///
    /// # Errors
    /// The checkpoint failed; the write-ahead log beside the file then still has all data. Or
    /// the thread has panicked.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), StoreError> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        let (reply, answer) = channel();
        let _ = self.jobs.send(Job::End(reply)); // fails if the thread has ended
        let closed = answer.recv();
        if thread.join().is_err() {
            let path = self.path.clone();
            return Err(StoreError::Panicked { path });
        }
        closed.unwrap_or(Ok(()))
    }
}

impl Drop for StoreThread {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "database checkpoint failed");
        }
    }
}

/// Reports a panic of the thread that holds it.
struct OnPanic(Option<oneshot::Sender<()>>);

impl Drop for OnPanic {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take().filter(|_| std::thread::panicking()) {
            let _ = sender.send(()); // fails if the receiver was dropped
        }
    }
}

fn run_jobs(db: &mut Db, jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Run(work) => work(db),
            Job::End(reply) => {
                let _ = reply.send(db.final_checkpoint()); // `end` waits for it
                return;
            }
        }
    }
}
