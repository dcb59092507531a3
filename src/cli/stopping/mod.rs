//! The main thread of a server process: handles signals until the exit, and never waits without
//! a deadline.
//!
//! The server runs on a second thread, which may block on a disk, a check of the database or the
//! console. The main thread counts the signals, passes them on, and enforces the time limit. It
//! ends the process by returning: the server's runtime is never dropped, because dropping it
//! would wait for its blocking threads.
//!
//! - [`count`]: the effect of the first, the second and the third signal;
//! - [`countdown`]: the time that a stop may take;
//! - [`background`]: blocking work that nothing waits for;
//! - [`notices`]: what the service manager is told;
//! - [`reloads`]: reloads of the settings, which a signal or an operator asks for;
//! - [`signals`]: the signals themselves;
//! - [`watchdog`]: the service manager's watchdog.

mod background;
mod count;
mod countdown;
mod notices;
mod reloads;
mod signals;
mod watchdog;

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use arauto::{Millis, Phase, ServerHandle, StopReason};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{MissedTickBehavior, interval_at};

use self::countdown::{Countdown, STEP};
use self::notices::ServiceNotices;
use self::reloads::{Budget, ReloadReply, Reloads};
pub(super) use self::reloads::{ReloadOutcome, ReloadWork};
use self::signals::{SignalAction, Signals};
use super::exit::{Failure, sysexits};
use super::os;
use crate::admin::Reloaded;

/// How much longer than its budget the main thread waits for a stop. The server enforces its own
/// deadlines, and is late on a busy machine.
const GRACE: Duration = Duration::from_millis(600);

/// The time left after a second signal: during the start, and for a server that serves and
/// enforces its own deadline of 1 s.
const INSISTED: Duration = Duration::from_secs(1);
const INSISTED_SERVING: Duration = Duration::from_millis(2200);

/// Receives the signals of this process.
pub(super) struct SignalReceiver {
    runtime: Runtime,
    signals: Signals,
}

/// A message of the server's thread to the main thread.
enum Progress<T> {
    /// The time that a stop may take.
    Budget(Duration),
    Serving(ServerHandle),
    /// What a reload does.
    ReloadBy(ReloadWork),
    /// An operator asks for a reload.
    Reload(ReloadReply),
    /// A line for people about the state of the server.
    Status(String),
    /// A phase of a stop is over. The end of the first one is the begin of the stop.
    PhaseOver(Phase),
    /// Ctrl-C was typed at the console, where it sends no signal.
    Interrupted,
    Finished(Result<T, Failure>),
}

/// Reports the progress of the server's thread to the main thread, and receives its order to
/// abandon the start.
pub(super) struct ProgressReporter<T> {
    progress: mpsc::UnboundedSender<Progress<T>>,
    abandoned: watch::Receiver<bool>,
}

/// How the server's thread ended.
#[derive(Debug)]
pub(super) enum ServerEnd<T> {
    /// It returned.
    Finished(Result<T, Failure>),
    /// It panicked.
    Panicked,
    /// It had not returned when the time was up.
    TimedOut {
        /// Whether the server had started to serve.
        was_serving: bool,
    },
}

impl<T> Clone for ProgressReporter<T> {
    fn clone(&self) -> Self {
        ProgressReporter {
            progress: self.progress.clone(),
            abandoned: self.abandoned.clone(),
        }
    }
}

impl<T> ProgressReporter<T> {
    /// Sets the time that a stop may take.
    pub(super) fn set_budget(&self, budget: Duration) {
        self.send(Progress::Budget(budget));
    }

    /// Sets what a reload does. Without it SIGHUP has no effect.
    pub(super) fn reload_by(&self, work: ReloadWork) {
        self.send(Progress::ReloadBy(work));
    }

    /// Reloads the settings, behind reloads that were asked for before. `None`: too many wait.
    ///
    /// Cancel safety: the settings are reloaded all the same.
    pub(super) fn reload(
        &self,
    ) -> impl Future<Output = Option<Result<Reloaded, Failure>>> + use<T> {
        let (reply, outcome) = oneshot::channel();
        self.send(Progress::Reload(reply));
        async { outcome.await.ok() }
    }

    /// Reports that the server serves. From now on signals stop it.
    pub(super) fn serving(&self, server: ServerHandle) {
        self.send(Progress::Serving(server));
    }

    /// Reports the state of the server, for people.
    pub(super) fn status(&self, status: String) {
        self.send(Progress::Status(status));
    }

    /// Reports that a phase of a stop is over.
    pub(super) fn phase_over(&self, phase: Phase) {
        self.send(Progress::PhaseOver(phase));
    }

    /// Reports that Ctrl-C was typed at the console; it counts as a signal.
    pub(super) fn interrupted(&self) {
        self.send(Progress::Interrupted);
    }

    /// Resolves once a signal asks to abandon the start. Cancel safe.
    pub(super) fn abandoned(&self) -> impl Future<Output = ()> + use<T> {
        let mut abandoned = self.abandoned.clone();
        async move {
            // The main thread holds the other end until the process ends.
            let _ = abandoned.wait_for(|is_abandoned| *is_abandoned).await;
        }
    }

    fn send(&self, progress: Progress<T>) {
        let _ = self.progress.send(progress); // the main thread may be returning
    }
}

impl SignalReceiver {
    /// Starts to receive signals; from now on they have no other effect.
    ///
    /// # Errors
    /// The system has no descriptors for it.
    pub(super) fn begin() -> Result<SignalReceiver, Failure> {
        let failed = |error: io::Error| {
            Failure::new(sysexits::OSERR, format!("cannot receive signals: {error}"))
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

    /// Runs a server on a new thread until it returns or the time for its stop is up. That time
    /// is `budget` until the thread sets another.
    pub(super) fn serve<T: Send + 'static>(
        &mut self,
        budget: Duration,
        serve: impl FnOnce(ProgressReporter<T>) -> Result<T, Failure> + Send + 'static,
    ) -> ServerEnd<T> {
        let (progress, received) = mpsc::unbounded_channel();
        let (abandon, abandoned) = watch::channel(false);
        let reporter = ProgressReporter {
            progress,
            abandoned,
        };
        let spawned = thread::Builder::new()
            .name("arauto-server".to_owned())
            .spawn(move || {
                let result = serve(reporter.clone());
                reporter.send(Progress::Finished(result));
            });
        if let Err(error) = spawned {
            let message = format!("cannot start a thread for the server: {error}");
            return ServerEnd::Finished(Err(Failure::new(sysexits::OSERR, message)));
        }
        let budget = Budget::new(budget);
        let supervised = SupervisedServer {
            signals: &mut self.signals,
            reloads: Reloads::begin(budget.clone()),
            budget,
            server: None,
            has_signal: false,
            countdown: Countdown::default(),
            abandon,
            stop_began: None,
            notices: ServiceNotices::begin(),
        };
        self.runtime.block_on(supervised.run(received))
    }

    /// Runs `work` on a new thread and waits for it, at most `limit`. A third signal ends the
    /// process meanwhile. `None`: the work was not done in time, panicked, or had no thread.
    pub(super) fn finish<T: Send + 'static>(
        &mut self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, outcome) = oneshot::channel();
        thread::Builder::new()
            .spawn(move || {
                let _ = done.send(work()); // the receiver may have timed out
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
                    // Nothing is left that a first or second signal could cut short.
                    _ = signals.next() => {}
                }
            }
        })
    }

    /// Returns when the first stop signal came.
    pub(super) fn first_signal(&self) -> Option<Millis> {
        self.signals.first()
    }

    /// Returns whether a second stop signal has come.
    pub(super) fn is_forced(&self) -> bool {
        self.signals.is_forced()
    }

    /// Restores the terminal's settings.
    pub(super) fn restore_terminal(&self) {
        self.signals.restore_terminal();
    }
}

/// A server on its own thread, as the main thread sees it.
struct SupervisedServer<'a> {
    signals: &'a mut Signals,
    budget: Budget,
    server: Option<ServerHandle>,
    has_signal: bool,
    countdown: Countdown,
    abandon: watch::Sender<bool>,
    stop_began: Option<Instant>,
    notices: ServiceNotices,
    reloads: Reloads,
}

impl SupervisedServer<'_> {
    /// Handles progress, signals and the countdown until the server's thread ends or the time is
    /// up.
    async fn run<T>(mut self, mut received: mpsc::UnboundedReceiver<Progress<T>>) -> ServerEnd<T> {
        let mut steps = interval_at(tokio::time::Instant::now() + STEP, STEP);
        steps.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                biased;
                progress = received.recv() => match progress {
                    None => return ServerEnd::Panicked,
                    Some(Progress::Finished(result)) => return ServerEnd::Finished(result),
                    Some(progress) => self.on_progress(progress),
                },
                action = self.signals.next() => self.on_signal(action),
                _ = steps.tick(), if self.countdown.is_running() => {
                    self.notices.flush();
                    if self.countdown.step() {
                        let was_serving = self.server.is_some();
                        return ServerEnd::TimedOut { was_serving };
                    }
                }
            }
        }
    }

    fn on_progress<T>(&mut self, progress: Progress<T>) {
        match progress {
            Progress::Budget(budget) => self.budget.set(budget),
            Progress::ReloadBy(work) => self.reloads.set_work(work),
            Progress::Reload(reply) => self.reload(Some(reply)),
            Progress::Serving(server) => {
                self.notices.ready();
                if let Some(limit) = os::watchdog_limit() {
                    let notices = self.notices.sender();
                    tokio::spawn(watchdog::feed(server.clone(), limit, notices));
                }
                self.server = Some(server);
                if self.has_signal {
                    self.stop_server();
                } else if self.reloads.take_due() {
                    self.reload(None);
                }
            }
            Progress::Status(status) => self.notices.status(status),
            Progress::PhaseOver(phase) => {
                if phase == Phase::Trigger {
                    self.stop_has_begun();
                }
                let elapsed = self
                    .stop_began
                    .map_or(Duration::ZERO, |began| began.elapsed());
                self.notices.phase_over(phase, self.budget.get(), elapsed);
            }
            Progress::Interrupted => {
                if let Some(action) = self.signals.count_one() {
                    self.on_signal(action);
                }
            }
            Progress::Finished(_) => {} // handled by `run`
        }
    }

    /// The server has begun to stop, for any reason.
    fn stop_has_begun(&mut self) {
        self.stop_began = Some(Instant::now());
        let budget = self.budget.get();
        self.notices.stopping(budget);
        self.countdown.begin(budget + GRACE);
        if self.signals.is_forced() {
            self.countdown.shorten(INSISTED_SERVING);
        }
    }

    fn on_signal(&mut self, action: SignalAction) {
        match action {
            SignalAction::Reload => self.reload(None),
            SignalAction::Stop | SignalAction::Insist => {
                self.has_signal = true;
                let _ = self.abandon.send(true); // the thread may have ended
                self.stop_server();
            }
        }
    }

    /// Stops the server as the signals so far ask for. The countdown runs even if the server's
    /// thread does not answer.
    fn stop_server(&mut self) {
        let (is_forced, budget) = (self.signals.is_forced(), self.budget.get());
        let Some(server) = self.server.clone() else {
            self.notices.stopping(budget);
            match is_forced {
                false => self.countdown.begin(budget),
                true => self.countdown.shorten(INSISTED),
            }
            return;
        };
        match is_forced {
            false => self.countdown.begin(budget + GRACE),
            true => self.countdown.shorten(INSISTED_SERVING),
        }
        tokio::spawn(async move {
            server.stop_for(StopReason::Signal).await;
            if is_forced {
                server.insist_for(StopReason::Signal).await;
            }
        });
    }

    /// Reloads the settings, as soon as the server serves.
    fn reload(&mut self, reply: Option<ReloadReply>) {
        match self.has_signal || self.stop_began.is_some() {
            true => self.reloads.refuse(reply),
            false => self.reloads.run(self.notices.sender(), reply),
        }
    }
}
