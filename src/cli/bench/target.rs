//! The server that is measured: one of the bench's own, or one that runs.

use arauto::{Endpoint, Trust};

use super::bench_server::BenchServer;
use super::connector::Connector;
use super::figures::ServerFigures;
use super::options::Common;
use super::process;
use super::progress::{Counter, Progress};
use crate::cli::connect;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::os;
use crate::load::clocks::Process;

/// Descriptors that are not sessions: those of the runtime, files and the terminal.
const OTHER_DESCRIPTORS: u64 = 64;

/// The password of the accounts of a server of the bench's own.
const PASSWORD: &str = "arauto-bench";

/// The server, and how the bench's clients log in there.
pub(super) struct Target {
    pub(super) own: Option<BenchServer>,
    pub(super) connector: Connector,
    pub(super) progress: Progress,
    is_own: bool,
    pid: Option<u32>,
    name: String,
    /// Its peak memory, noted while it ran.
    peak: Option<u64>,
    exit: Option<i32>,
}

impl Target {
    /// Starts the server or finds the one that runs, and registers `accounts`.
    pub(super) async fn start(
        common: &Common,
        sessions: usize,
        accounts: usize,
    ) -> Result<Target, Failure> {
        check_descriptors(sessions)?;
        let progress = Progress::new();
        let own = match common.endpoint {
            None => Some(BenchServer::start(&common.serve).await?),
            Some(_) => None,
        };
        let endpoint = match (&own, &common.endpoint) {
            (Some(own), _) => own.endpoint(),
            (None, Some(text)) => connect::endpoint(text)?,
            (None, None) => unreachable!("without an endpoint the bench has its own server"),
        };
        let password = match own {
            Some(_) => PASSWORD.to_owned(),
            None => {
                let prompt = format!("password of {}-1 and so on: ", common.user);
                common.password.password(&prompt)?
            }
        };
        let trust = common.tls.trust()?;
        let name = name(&endpoint, &trust).await?;
        let mut target = Target {
            is_own: own.is_some(),
            pid: own.as_ref().map(|own| own.process().0),
            own,
            connector: Connector {
                endpoint,
                trust,
                user: common.user.clone(),
                password,
                retries: Counter::default(),
            },
            progress,
            name,
            peak: None,
            exit: None,
        };
        target.register(accounts).await?;
        Ok(target)
    }

    /// Logs in to each account once, before any clock starts: the first login of an account
    /// takes a password hash.
    async fn register(&mut self, accounts: usize) -> Result<(), Failure> {
        let count = Counter::default();
        let connector = self.connector.clone();
        let registering = async {
            let first = connector.log_in(0).await?;
            count.add(1);
            let pid = first.who_am_i().server_pid;
            connector.log_in_all(accounts, 0..accounts, &count).await?;
            Ok(pid)
        };
        let goal = accounts as u64 + 1;
        let pid = self
            .progress
            .step("accounts", goal, &count, registering)
            .await?;
        self.pid = self.pid.or(pid.and_then(|pid| u32::try_from(pid).ok()));
        Ok(())
    }

    /// Returns the server's process, if it is known and of this machine.
    pub(super) fn process(&self) -> Option<Process> {
        self.pid.map(Process)
    }

    /// Notes the peak memory, which can only be read while the server runs.
    pub(super) fn note_peak(&mut self) {
        let peak = self.process().and_then(process::peak_memory);
        self.peak = peak.or(self.peak);
    }

    /// Notes the exit code of a server that the measurement has stopped.
    pub(super) fn note_exit(&mut self, exit: Option<i32>) {
        self.exit = exit;
    }

    /// Stops a server of the bench's own, and returns what is known of the server.
    pub(super) async fn finish(mut self) -> Result<ServerFigures, Failure> {
        self.note_peak();
        if let Some(mut own) = self.own.take() {
            self.exit = own.stop().await?.exit;
        }
        Ok(ServerFigures {
            endpoint: self.connector.endpoint.to_string(),
            name: self.name.clone(),
            is_own: self.is_own,
            pid: self.pid,
            peak_memory_bytes: self.peak,
            exit: self.exit,
        })
    }

    /// Stops a server of the bench's own, and starts it again with the same accounts.
    pub(super) async fn restart(&mut self) -> Result<(), Failure> {
        let Some(own) = &mut self.own else {
            let message = "only a server of the bench's own can be started again";
            return Err(Failure::new(sysexits::USAGE, message));
        };
        own.stop().await?;
        own.start_again().await?;
        self.pid = Some(own.process().0);
        Ok(())
    }
}

async fn name(endpoint: &Endpoint, trust: &Trust) -> Result<String, Failure> {
    let connected = arauto::Client::connect_with(endpoint, trust).await?;
    Ok(connected.server().to_owned())
}

fn check_descriptors(sessions: usize) -> Result<(), Failure> {
    let wanted = sessions as u64 + OTHER_DESCRIPTORS;
    match os::raise_descriptor_limit() {
        Some(limit) if limit < wanted => {
            let message = format!(
                "{sessions} sessions take {wanted} descriptors, and the limit is {limit}: \
                 raise it (ulimit -n), or give fewer --sessions"
            );
            Err(Failure::new(sysexits::OSERR, message))
        }
        _ => Ok(()),
    }
}
