//! Where a work takes place: the server, the way in, and who watches.

use arauto::{Endpoint, Trust};

use super::Common;
use super::door::Door;
use super::figures::ServerFigures;
use super::own::OwnServer;
use super::process::Process;
use super::watch::{Count, Watch};
use crate::cli::connect;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::os;

/// Descriptors that are not sessions: the runtime's, the files', the terminal's.
const OTHERS: u64 = 64;

/// Accounts of a server of the bench's own have this password.
const PASSWORD: &str = "arauto-bench";

/// A server that can be measured.
pub(super) struct Stage {
    pub(super) own: Option<OwnServer>,
    pub(super) door: Door,
    pub(super) watch: Watch,
    is_own: bool,
    pid: Option<u32>,
    name: String,
    /// What was noted while the server was there.
    peak: Option<u64>,
    exit: Option<i32>,
}

impl Stage {
    /// Starts the server or looks for the one that runs, and registers `accounts`.
    pub(super) async fn set(
        common: &Common,
        sessions: usize,
        accounts: usize,
    ) -> Result<Stage, Failure> {
        check_descriptors(sessions)?;
        let watch = Watch::new();
        let own = match common.endpoint {
            None => Some(OwnServer::start(&common.serve).await?),
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
        let mut stage = Stage {
            is_own: own.is_some(),
            pid: own.as_ref().map(|own| own.process().0),
            own,
            door: Door {
                endpoint,
                trust,
                user: common.user.clone(),
                password,
                again: Count::default(),
            },
            watch,
            name,
            peak: None,
            exit: None,
        };
        stage.register(accounts).await?;
        Ok(stage)
    }

    /// The first login of each account takes a password hash: before the clock runs.
    async fn register(&mut self, accounts: usize) -> Result<(), Failure> {
        let count = Count::default();
        let door = self.door.clone();
        let registering = async {
            let first = door.enter(0).await?;
            count.add(1);
            let pid = first.who_am_i().server_pid;
            door.register(accounts, &count).await?;
            Ok(pid)
        };
        let goal = accounts as u64 + 1;
        let pid = self
            .watch
            .step("accounts", goal, &count, registering)
            .await?;
        self.pid = self.pid.or(pid.and_then(|pid| u32::try_from(pid).ok()));
        Ok(())
    }

    /// The server's process, where it is one of this machine that we may look at.
    pub(super) fn process(&self) -> Option<Process> {
        self.pid.map(Process)
    }

    /// CPU seconds that the server has used so far.
    pub(super) fn server_cpu(&self) -> Option<f64> {
        self.process()?.cpu_seconds()
    }

    /// Notes what can only be seen while the server runs.
    pub(super) fn look(&mut self) {
        let peak = self.process().and_then(Process::peak_memory);
        self.peak = peak.or(self.peak);
    }

    /// The server's exit code, where a work has stopped it.
    pub(super) fn ended(&mut self, exit: Option<i32>) {
        self.exit = exit;
    }

    /// Stops a server of our own, and says what there is to say of it.
    pub(super) async fn strike(mut self) -> Result<ServerFigures, Failure> {
        self.look();
        if let Some(mut own) = self.own.take() {
            self.exit = own.stop().await?.exit;
        }
        Ok(ServerFigures {
            endpoint: self.door.endpoint.to_string(),
            name: self.name.clone(),
            is_own: self.is_own,
            pid: self.pid,
            peak_memory_bytes: self.peak,
            exit: self.exit,
        })
    }

    /// Stops a server of our own, and starts it again with the same accounts.
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
    let visitor = arauto::Client::connect_with(endpoint, trust).await?;
    Ok(visitor.server().to_owned())
}

fn check_descriptors(sessions: usize) -> Result<(), Failure> {
    let wanted = sessions as u64 + OTHERS;
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
