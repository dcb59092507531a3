//! The service as its operator sees it: installs, starts, stops, asks and removes it by the service
//! manager.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::time::Duration;

use windows_service::Error;
use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl, ServiceExitCode,
    ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo, ServiceStartType,
    ServiceState as SystemState, ServiceStatus as SystemStatus, ServiceType,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_SERVICE_ALREADY_RUNNING, ERROR_SERVICE_CANNOT_ACCEPT_CTRL,
    ERROR_SERVICE_DOES_NOT_EXIST, ERROR_SERVICE_EXISTS, ERROR_SERVICE_MARKED_FOR_DELETE,
    ERROR_SERVICE_NEVER_STARTED, ERROR_SERVICE_NOT_ACTIVE, ERROR_SERVICE_REQUEST_TIMEOUT,
};

use super::event_log::{add_source, remove_source};
use super::name::SERVICE_NAME;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::os::service_state::ServiceState;

/// The virtual account of the service. It has no password, and no rights but its own.
const ACCOUNT: &str = r"NT SERVICE\arauto";

const DESCRIPTION: &str = "Message server for the programs of this machine (arauto serve)";

/// After a crash the service is started again, after this time.
const RESTART_DELAY: Duration = Duration::from_secs(5);

/// How often, and within which time the crashes are counted.
const RESTARTS: usize = 3;
const RESTARTS_WITHIN: Duration = Duration::from_secs(300);

/// The state of the installed service.
#[derive(Debug)]
pub(in crate::cli) struct InstalledState {
    /// The state.
    pub(in crate::cli) state: ServiceState,
    /// Counts the steps of a start or a stop.
    pub(in crate::cli) checkpoint: u32,
    /// How long the next step may take.
    pub(in crate::cli) wait_hint: Duration,
    /// The process, while the service runs.
    pub(in crate::cli) process: Option<u32>,
    /// How it has ended, once it has stopped.
    pub(in crate::cli) end: ServiceEnd,
}

/// How the service has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum ServiceEnd {
    /// With exit code 0.
    Clean,
    /// It was not started since the system was.
    NeverStarted,
    /// With this exit code of the server.
    ExitCode(u32),
    /// With this error of the system.
    SystemError(u32),
}

/// The right to install the service.
pub(in crate::cli) struct ServiceInstaller(ServiceManager);

impl ServiceInstaller {
    /// Asks for the right.
    ///
    /// # Errors
    /// This user is no administrator, or the service is installed already.
    pub(in crate::cli) fn open() -> Result<ServiceInstaller, Failure> {
        let access = ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE;
        let manager = ServiceManager::local_computer(None::<&OsStr>, access);
        let manager = manager.map_err(|error| not_installed(&error))?;
        match manager.open_service(SERVICE_NAME, ServiceAccess::QUERY_STATUS) {
            Ok(_) => Err(installed_already()),
            Err(_) => Ok(ServiceInstaller(manager)), // none, or one that `install` names
        }
    }

    /// Installs the service: this program, with the config file. `stop_limit` is the time that it
    /// gets when the system shuts down.
    ///
    /// # Errors
    /// The service is there already, or the system refuses. Nothing is left of a service that could
    /// not be installed whole.
    pub(in crate::cli) fn install(
        &self,
        program: &Path,
        config: &Path,
        stop_limit: Duration,
    ) -> Result<(), Failure> {
        let arguments = ["serve", "--service", "--config"].map(OsString::from);
        let info = ServiceInfo {
            name: SERVICE_NAME.into(),
            display_name: SERVICE_NAME.into(),
            service_type: ServiceType::OWN_PROCESS,
            start_type: ServiceStartType::AutoStart,
            error_control: ServiceErrorControl::Normal,
            executable_path: program.to_owned(),
            launch_arguments: arguments.into_iter().chain([config.into()]).collect(),
            dependencies: Vec::new(),
            account_name: Some(ACCOUNT.into()),
            account_password: None,
        };
        // A restart after a crash needs the right to start.
        let access = ServiceAccess::CHANGE_CONFIG | ServiceAccess::START | ServiceAccess::DELETE;
        let service = self.0.create_service(&info, access);
        let service = service.map_err(|error| not_installed(&error))?;
        let configured = configure(&service, stop_limit).map_err(|error| not_installed(&error));
        let configured =
            configured.and_then(|()| add_source().map_err(|error| source_failed(&error)));
        if configured.is_err() {
            let _ = service.delete(); // the first error is the one to tell
            let _ = remove_source();
        }
        configured
    }
}

const NOT_INSTALLED: &str = "cannot install the service";

fn not_installed(error: &Error) -> Failure {
    match code_of(error) {
        Some(ERROR_SERVICE_EXISTS) => installed_already(),
        _ => failure(NOT_INSTALLED, error),
    }
}

fn installed_already() -> Failure {
    let remedy = "it is installed already; remove it first with `arauto service remove`";
    Failure::new(sysexits::CANTCREAT, format!("{NOT_INSTALLED}: {remedy}"))
}

fn configure(service: &Service, stop_limit: Duration) -> Result<(), Error> {
    service.set_description(DESCRIPTION)?;
    service.set_preshutdown_timeout(stop_limit)?;
    let action = |action_type| ServiceAction {
        action_type,
        delay: RESTART_DELAY,
    };
    // The last action is that for every further crash. An end with an exit code is no crash.
    let mut actions = vec![action(ServiceActionType::Restart); RESTARTS];
    actions.push(action(ServiceActionType::None));
    service.update_failure_actions(ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(RESTARTS_WITHIN),
        reboot_msg: None,
        command: None,
        actions: Some(actions),
    })
}

/// The installed service.
pub(in crate::cli) struct InstalledService(Service);

impl InstalledService {
    /// Opens the service to ask for its state.
    ///
    /// # Errors
    /// There is no service.
    pub(in crate::cli) fn open() -> Result<InstalledService, Failure> {
        InstalledService::open_for(ServiceAccess::empty())
    }

    /// Opens the service to start and stop it.
    ///
    /// # Errors
    /// There is no service, or this user may not control it.
    pub(in crate::cli) fn open_to_control() -> Result<InstalledService, Failure> {
        InstalledService::open_for(ServiceAccess::START | ServiceAccess::STOP)
    }

    /// Opens the service to stop and remove it.
    ///
    /// # Errors
    /// There is no service, or this user may not remove it.
    pub(in crate::cli) fn open_to_remove() -> Result<InstalledService, Failure> {
        InstalledService::open_for(ServiceAccess::STOP | ServiceAccess::DELETE)
    }

    fn open_for(access: ServiceAccess) -> Result<InstalledService, Failure> {
        let failed = |error: Error| failure("cannot open the service", &error);
        let connect = ServiceManagerAccess::CONNECT;
        let manager = ServiceManager::local_computer(None::<&OsStr>, connect).map_err(failed)?;
        let service = manager.open_service(SERVICE_NAME, ServiceAccess::QUERY_STATUS | access);
        service.map(InstalledService).map_err(failed)
    }

    /// Asks for the state.
    ///
    /// # Errors
    /// The service manager does not tell it.
    pub(in crate::cli) fn state(&self) -> Result<InstalledState, Failure> {
        let status = self.0.query_status();
        let status = status.map_err(|error| failure("cannot ask for the service", &error))?;
        Ok(installed_state(&status))
    }

    /// Starts the service, if it does not run. It may still start when this returns.
    ///
    /// # Errors
    /// The service manager refuses.
    pub(in crate::cli) fn start(&self) -> Result<(), Failure> {
        match self.0.start::<&OsStr>(&[]) {
            Err(error) if code_of(&error) == Some(ERROR_SERVICE_ALREADY_RUNNING) => Ok(()),
            // It is not this user's access: that was checked when the service was opened.
            Err(error) if code_of(&error) == Some(ERROR_ACCESS_DENIED) => {
                let message = format!(
                    "cannot start the service: the account {ACCOUNT} may not read the program; \
                     move it to a folder such as C:\\Program Files\\arauto, and install the \
                     service again"
                );
                Err(Failure::new(sysexits::NOPERM, message))
            }
            // The service has ended already. Only Wine tells it so.
            Err(error) if code_of(&error) == Some(ERROR_SERVICE_REQUEST_TIMEOUT) => {
                let found = self.state()?;
                match (found.state, found.end) {
                    (ServiceState::Stopped, ServiceEnd::ExitCode(_)) => Ok(()),
                    _ => Err(failure("cannot start the service", &error)),
                }
            }
            started => started.map_err(|error| failure("cannot start the service", &error)),
        }
    }

    /// Begins a stop, if the service runs.
    ///
    /// # Errors
    /// The service is still starting, or the service manager refuses.
    pub(in crate::cli) fn stop(&self) -> Result<(), Failure> {
        let Err(error) = self.0.stop() else {
            return Ok(());
        };
        match code_of(&error) {
            Some(ERROR_SERVICE_NOT_ACTIVE) => Ok(()),
            Some(ERROR_SERVICE_CANNOT_ACCEPT_CTRL) => match self.state()?.state {
                ServiceState::StopPending | ServiceState::Stopped => Ok(()),
                ServiceState::StartPending | ServiceState::Running => {
                    let message = "the service is still starting: try again later";
                    Err(Failure::new(sysexits::TEMPFAIL, message))
                }
            },
            _ => Err(failure("cannot stop the service", &error)),
        }
    }

    /// Removes the service, which should have stopped, and the source of its records.
    ///
    /// # Errors
    /// The service manager or the registry refuses.
    pub(in crate::cli) fn remove(self) -> Result<(), Failure> {
        let removed = self.0.delete();
        removed.map_err(|error| failure("cannot remove the service", &error))?;
        remove_source().map_err(|error| source_failed(&error))
    }
}

fn installed_state(status: &SystemStatus) -> InstalledState {
    InstalledState {
        state: match status.current_state {
            SystemState::StartPending => ServiceState::StartPending,
            SystemState::StopPending => ServiceState::StopPending,
            SystemState::Stopped => ServiceState::Stopped,
            // The others are those of a service that can pause, which this one cannot.
            _ => ServiceState::Running,
        },
        checkpoint: status.checkpoint,
        wait_hint: status.wait_hint,
        process: status.process_id,
        end: match status.exit_code {
            ServiceExitCode::Win32(0) => ServiceEnd::Clean,
            ServiceExitCode::Win32(ERROR_SERVICE_NEVER_STARTED) => ServiceEnd::NeverStarted,
            ServiceExitCode::Win32(code) => ServiceEnd::SystemError(code),
            ServiceExitCode::ServiceSpecific(code) => ServiceEnd::ExitCode(code),
        },
    }
}

fn source_failed(error: &io::Error) -> Failure {
    let message = format!("cannot change the registry for the event log: {error}");
    Failure::new(sysexits::OSERR, message)
}

/// Returns the failure of a call of the service manager.
fn failure(problem: &str, error: &Error) -> Failure {
    let (code, remedy) = match code_of(error) {
        Some(ERROR_ACCESS_DENIED) => (
            sysexits::NOPERM,
            "access is denied; run the command as an administrator",
        ),
        Some(ERROR_SERVICE_DOES_NOT_EXIST) => (
            sysexits::UNAVAILABLE,
            "there is none; install it with `arauto service install --config FILE`",
        ),
        Some(ERROR_SERVICE_MARKED_FOR_DELETE) => (
            sysexits::TEMPFAIL,
            "it is being removed; close the programs that show services, and try again",
        ),
        _ => return Failure::new(sysexits::OSERR, format!("{problem}: {}", cause(error))),
    };
    Failure::new(code, format!("{problem}: {remedy}"))
}

/// Returns the system's code of an error, if it has one.
pub(super) fn code_of(error: &Error) -> Option<u32> {
    match error {
        Error::Winapi(error) => error.raw_os_error().map(i32::cast_unsigned),
        _ => None,
    }
}

/// Returns the cause of an error, in words.
pub(super) fn cause(error: &Error) -> String {
    match error {
        Error::Winapi(error) => error.to_string(),
        other => other.to_string(),
    }
}
