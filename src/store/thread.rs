//! The one thread that writes.

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

/// Asks the thread that writes. What it is asked is done in order.
#[derive(Debug, Clone)]
pub struct Store {
    jobs: Sender<Job>,
}

/// The thread itself; dropping it waits for its end.
#[derive(Debug)]
pub struct StoreThread {
    path: PathBuf,
    limit: WaitLimit,
    jobs: Sender<Job>,
    thread: Option<JoinHandle<()>>,
    panicked: Option<oneshot::Receiver<()>>,
}

impl Store {
    /// Gives the database to a thread of its own.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn start(mut db: Db) -> io::Result<(Store, StoreThread)> {
        let (jobs, receiver) = channel();
        let (path, limit) = (db.path().to_owned(), db.limit().clone());
        let (on_panic, panicked) = oneshot::channel();
        let its_limit = limit.clone();
        let thread = std::thread::Builder::new()
            .name("arauto-store".to_owned())
            .spawn(move || {
                let _on_panic = OnPanic(Some(on_panic));
                its_limit.enter();
                work(&mut db, &receiver);
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

    /// Has work done with the database; what comes of it. The receiver fails where
    /// the thread has ended.
    pub fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(move |db: &mut Db| {
            let _ = reply.send(work(db)); // whoever asked may have gone
        });
        let _ = self.jobs.send(Job::Run(job)); // then the reply is dropped with it
        answer
    }

    /// As [`Store::ask`], and blocks until it is done. `None`: the thread has ended.
    pub fn wait<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = channel();
        let job = Box::new(move |db: &mut Db| {
            let _ = reply.send(work(db)); // it waits below
        });
        self.jobs.send(Job::Run(job)).ok()?;
        answer.recv().ok()
    }
}

impl StoreThread {
    /// Bounds how long the thread waits for other processes.
    pub fn limit(&self) -> &WaitLimit {
        &self.limit
    }

    /// Resolves to `Ok` when the thread panics, and to an error when it ends otherwise.
    /// There is one such receiver: the second call returns `None`.
    pub fn panicked(&mut self) -> Option<oneshot::Receiver<()>> {
        self.panicked.take()
    }

    /// Does what it was asked until now, moves everything into the database file
    /// and ends the thread. It blocks, for as long as the disk does.
    ///
    /// # Errors
    /// The last step failed; the write-ahead log beside the file still has it all. Or the
    /// thread has panicked.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), StoreError> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        let (reply, answer) = channel();
        let _ = self.jobs.send(Job::End(reply)); // or it has ended
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
            tracing::error!(%error, "the database could not be tidied up");
        }
    }
}

/// Tells when the thread that holds it panics.
struct OnPanic(Option<oneshot::Sender<()>>);

impl Drop for OnPanic {
    fn drop(&mut self) {
        if let Some(told) = self.0.take().filter(|_| std::thread::panicking()) {
            let _ = told.send(()); // nobody may listen
        }
    }
}

fn work(db: &mut Db, jobs: &Receiver<Job>) {
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Run(work) => work(db),
            Job::End(reply) => {
                let _ = reply.send(db.tidy_up()); // it waits for the thread all the same
                return;
            }
        }
    }
}
