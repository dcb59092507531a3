//! The process's first thread: it hears signals to the very end, and waits for nothing
//! without a deadline.
//!
//! The server runs on a thread of its own. Whatever that one waits for (a disk, a look
//! through the database, a line of the console), this one counts the signals, passes them
//! on, and knows when the time is up. It ends the process by returning: the server's
//! runtime is never dropped, as that would wait for its blocking threads.
//!
//! - [`count`]: what the first, the second and the third signal ask for;
//! - [`countdown`]: when a stop is not waited for any more;
//! - [`background`]: work that may block and that nothing waits for;
//! - [`signals`]: the signals themselves.

mod background;
mod count;
mod countdown;
mod signals;

use std::io;
use std::thread;
use std::time::Duration;

use arauto::{Millis, ServerHandle, StopReason};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval_at};

use self::background::BackgroundTasks;
use self::countdown::{Countdown, STEP};
use self::signals::{SignalAction, Signals};
use super::exit::{Failure, sysexits};
use super::os;

/// How much longer than its budget a server's own stop is waited for: its deadlines are its
/// own, and a busy machine is late.
const GRACE: Duration = Duration::from_millis(600);

/// Time after a second signal: for a start, and for a server that has its own deadlines.
const INSISTED: Duration = Duration::from_secs(1);
const INSISTED_SERVING: Duration = Duration::from_millis(2200);

/// Receives the signals of this process.
pub(super) struct SignalReceiver {
    runtime: Runtime,
    signals: Signals,
}

/// A progress report of the server's thread.
enum Stage<T> {
    /// A stop may take so long.
    Budget(Duration),
    Serving(ServerHandle),
    /// A stop has begun, for whatever reason.
    Stopping,
    /// Ctrl-C was typed where it is no signal.
    Interrupted,
    Over(Result<T, Failure>),
}

/// The server's thread's way to tell of itself, and to hear that it must not start.
pub(super) struct Link<T> {
    stages: mpsc::UnboundedSender<Stage<T>>,
    abandoned: watch::Receiver<bool>,
}

/// How the server's thread ended.
#[derive(Debug)]
pub(super) enum End<T> {
    /// As it should, or for a reason that it tells.
    Over(Result<T, Failure>),
    /// It panicked.
    Crashed,
    /// It was not done when the time was up; whether it had come to serve.
    Overdue { was_serving: bool },
}

impl<T> Clone for Link<T> {
    fn clone(&self) -> Self {
        Link {
            stages: self.stages.clone(),
            abandoned: self.abandoned.clone(),
        }
    }
}

impl<T> Link<T> {
    /// A stop may take so long.
    pub(super) fn set_budget(&self, budget: Duration) {
        self.tell(Stage::Budget(budget));
    }

    /// The server serves: signals are for it from now on.
    pub(super) fn serving(&self, server: ServerHandle) {
        self.tell(Stage::Serving(server));
    }

    /// A stop has begun.
    pub(super) fn stopping(&self) {
        self.tell(Stage::Stopping);
    }

    /// Ctrl-C was typed: it counts as a signal.
    pub(super) fn interrupted(&self) {
        self.tell(Stage::Interrupted);
    }

    /// Resolves once a signal has come before the server served.
    pub(super) fn abandoned(&self) -> impl Future<Output = ()> + use<T> {
        let mut abandoned = self.abandoned.clone();
        async move {
            // The first thread holds the other end as long as there is a process.
            let _ = abandoned.wait_for(|is_abandoned| *is_abandoned).await;
        }
    }

    fn tell(&self, stage: Stage<T>) {
        let _ = self.stages.send(stage); // the first thread may be on its way out
    }
}

impl SignalReceiver {
    /// Hears signals from here on: they have no other effect any more.
    pub(super) fn begin() -> Result<SignalReceiver, Failure> {
        let failed = |error: io::Error| {
            Failure::new(
                sysexits::OSERR,
                format!("cannot listen for signals: {error}"),
            )
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(failed)?;
        let signals = {
            let _entered = runtime.enter();
            Signals::begin().map_err(failed)?
        };
        Ok(SignalReceiver { runtime, signals })
    }

    /// Runs a server on a thread of its own until it is over, or the time is. A stop has
    /// `budget` until the thread sets another.
    pub(super) fn serve<T: Send + 'static>(
        &mut self,
        budget: Duration,
        serve: impl FnOnce(Link<T>) -> Result<T, Failure> + Send + 'static,
    ) -> End<T> {
        let (stages, heard) = mpsc::unbounded_channel();
        let (abandon, abandoned) = watch::channel(false);
        let link = Link { stages, abandoned };
        let spawned = thread::Builder::new()
            .name("arauto-server".to_owned())
            .spawn(move || {
                let over = serve(link.clone());
                link.tell(Stage::Over(over));
            });
        if let Err(error) = spawned {
            let message = format!("no thread for the server: {error}");
            return End::Over(Err(Failure::new(sysexits::OSERR, message)));
        }
        let serving = Serving {
            signals: &mut self.signals,
            budget,
            server: None,
            has_signal: false,
            countdown: Countdown::default(),
            abandon,
            notifying: BackgroundTasks::begin("arauto-notify"),
            reloading: BackgroundTasks::begin("arauto-reload"),
        };
        self.runtime.block_on(serving.attend(heard))
    }

    /// Runs `work` on a thread of its own and waits for it, for `limit` at most; a third
    /// signal ends the process meanwhile. `None`: it was not done by then, or panicked.
    pub(super) fn finish<T: Send + 'static>(
        &mut self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, outcome) = oneshot::channel();
        thread::Builder::new()
            .spawn(move || {
                let _ = done.send(work()); // nobody may wait any more
            })
            .ok()?;
        let signals = &mut self.signals;
        self.runtime.block_on(async {
            let outcome = tokio::time::timeout(limit, outcome);
            let mut outcome = std::pin::pin!(outcome);
            loop {
                tokio::select! {
                    biased;
                    outcome = &mut outcome => return outcome.ok()?.ok(),
                    // The end is near: there is nothing left to cut short.
                    _ = signals.next() => {}
                }
            }
        })
    }

    /// When the first signal came.
    pub(super) fn first_signal(&self) -> Option<Millis> {
        self.signals.first()
    }

    /// Whether a second signal has come.
    pub(super) fn is_forced(&self) -> bool {
        self.signals.is_forced()
    }

    /// Puts the terminal back as it was found.
    pub(super) fn restore_terminal(&self) {
        self.signals.restore_terminal();
    }
}

/// A server that starts, serves or stops on its own thread.
struct Serving<'a> {
    signals: &'a mut Signals,
    budget: Duration,
    server: Option<ServerHandle>,
    has_signal: bool,
    countdown: Countdown,
    abandon: watch::Sender<bool>,
    notifying: BackgroundTasks,
    reloading: BackgroundTasks,
}

impl Serving<'_> {
    async fn attend<T>(mut self, mut heard: mpsc::UnboundedReceiver<Stage<T>>) -> End<T> {
        let mut steps = interval_at(tokio::time::Instant::now() + STEP, STEP);
        steps.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                stage = heard.recv() => match stage {
                    None => return End::Crashed,
                    Some(Stage::Over(over)) => return End::Over(over),
                    Some(stage) => self.note(stage),
                },
                action = self.signals.next() => self.act(action),
                _ = steps.tick(), if self.countdown.is_running() => {
                    if self.countdown.step() {
                        let was_serving = self.server.is_some();
                        return End::Overdue { was_serving };
                    }
                }
            }
        }
    }

    fn note<T>(&mut self, stage: Stage<T>) {
        match stage {
            Stage::Budget(budget) => self.budget = budget,
            Stage::Serving(server) => {
                self.notifying.run(os::notify_ready);
                self.server = Some(server);
                if self.has_signal {
                    self.stop_server();
                }
            }
            Stage::Stopping => {
                self.notifying.run(os::notify_stopping);
                self.countdown.begin(self.budget + GRACE);
                if self.signals.is_forced() {
                    self.countdown.shorten(INSISTED_SERVING);
                }
            }
            Stage::Interrupted => {
                if let Some(action) = self.signals.count_one() {
                    self.act(action);
                }
            }
            Stage::Over(_) => {} // reported already
        }
    }

    fn act(&mut self, action: SignalAction) {
        match action {
            SignalAction::Reload => self.reload(),
            SignalAction::Stop | SignalAction::Insist => {
                self.has_signal = true;
                let _ = self.abandon.send(true); // or its thread has ended
                self.stop_server();
            }
        }
    }

    /// Passes on what the signals ask for. The server's thread may not answer: the time
    /// runs all the same.
    fn stop_server(&mut self) {
        let is_forced = self.signals.is_forced();
        let Some(server) = self.server.clone() else {
            match is_forced {
                false => self.countdown.begin(self.budget),
                true => self.countdown.shorten(INSISTED),
            }
            return;
        };
        match is_forced {
            false => self.countdown.begin(self.budget + GRACE),
            true => self.countdown.shorten(INSISTED_SERVING),
        }
        tokio::spawn(async move {
            server.stop(StopReason::Signal).await;
            if is_forced {
                server.insist(StopReason::Signal).await;
            }
        });
    }

    /// New handshakes get the new certificate; one that cannot be loaded changes nothing.
    fn reload(&self) {
        if let Some(server) = self.server.clone() {
            self.reloading.run(move || reload(&server));
        }
    }
}

fn reload(server: &ServerHandle) {
    match server.reload_certificates() {
        Ok(Some(fingerprint)) => tracing::info!(%fingerprint, "certificate loaded again"),
        Ok(None) => tracing::debug!("nothing to load again: there are no tls endpoints"),
        Err(error) => tracing::error!(%error, "the old certificate stays"),
    }
}
