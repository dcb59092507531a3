//! A server as a service of Windows.
//!
//! The service manager starts the program with `--service`. The process's main thread then belongs
//! to the system, which delivers the controls on it ([`on_control`]). The server runs as it does
//! elsewhere, on a thread that the system starts ([`service_main`]), and its notices become statuses
//! ([`notify`]). `service_state` decides each status.
//!
//! - [`event_log`]: the event log, and its source;
//! - [`manager`]: the service as its operator sees it;
//! - [`name`]: its name.

mod event_log;
mod manager;
mod name;

use std::io::Write;
use std::sync::OnceLock;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState as SystemState,
    ServiceStatus as SystemStatus, ServiceType,
};
use windows_service::service_control_handler::{
    ServiceControlHandlerResult, ServiceStatusHandle, register,
};
use windows_service::service_dispatcher;
use windows_sys::Win32::Foundation::{
    ERROR_FAILED_SERVICE_CONTROLLER_CONNECT, ERROR_SERVICE_CANNOT_ACCEPT_CTRL,
};

use self::event_log::{EventId, EventLogWriter, report};
pub(in crate::cli) use self::manager::{InstalledService, ServiceEnd, ServiceInstaller};
use self::manager::{cause, code_of};
use self::name::SERVICE_NAME;
use crate::cli::deadline::within;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::os::event_record::{Severity, of_end};
use crate::cli::os::server_signal::ServerSignal;
use crate::cli::os::service_notice::ServiceNotice;
use crate::cli::os::service_state::{ServiceProgress, ServiceState, ServiceStatus};

/// How long the event log may delay a service.
const REPORT_LIMIT: Duration = Duration::from_secs(1);

/// The flag with which the service manager starts a server.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(in crate::cli) struct ServiceFlag {
    /// Run as the service that `arauto service install` has installed; only Windows' service
    /// manager can start it so.
    #[arg(long, hide = true)]
    service: bool,
}

type Server = Box<dyn FnOnce() -> Result<u8, Failure> + Send>;

/// The server, from the main thread to that of the service.
static SERVER: Mutex<Option<Server>> = Mutex::new(None);

/// How the server ended, from the service's thread to the main thread.
static OUTCOME: Mutex<Option<Result<u8, Failure>>> = Mutex::new(None);

/// The service that this process runs, if it is one.
static SERVICE: OnceLock<RunningService> = OnceLock::new();

/// A service, seen from its process.
struct RunningService {
    handle: ServiceStatusHandle,
    /// Locked while a status is reported, so that statuses are reported in order. Only the last one
    /// needs no lock.
    progress: Mutex<ServiceProgress>,
    stop: Notify,
    reload: Notify,
}

impl RunningService {
    /// Registers the handler of controls, and reports that the service starts.
    fn begin() -> windows_service::Result<&'static RunningService> {
        // The crate frees a handler after the first stop, and the system may call it again. A
        // function has nothing that could be freed.
        let handle = register(SERVICE_NAME, on_control)?;
        let service = SERVICE.get_or_init(|| RunningService {
            handle,
            progress: Mutex::new(ServiceProgress::new()),
            stop: Notify::new(),
            reload: Notify::new(),
        });
        let progress = service.progress.lock();
        service.report(progress.status());
        drop(progress);
        Ok(service)
    }

    /// Begins a stop. The status is reported before the control returns, so that the service
    /// manager sends no second one.
    fn request_stop(&self) {
        let mut progress = self.progress.lock();
        if let Some(status) = progress.stop_requested() {
            // First: a service manager that does not take the status must not delay the stop.
            self.stop.notify_one();
            self.report(status);
        }
    }

    /// Reports a status. A failure is logged: nothing else can be done about it.
    fn report(&self, status: ServiceStatus) {
        let accepted = match status.accepts_controls() {
            // Not SHUTDOWN, whose time of some seconds is too short for a drain.
            true => {
                ServiceControlAccept::STOP
                    | ServiceControlAccept::PRESHUTDOWN
                    | ServiceControlAccept::PARAM_CHANGE
            }
            false => ServiceControlAccept::empty(),
        };
        let reported = self.handle.set_service_status(SystemStatus {
            service_type: ServiceType::OWN_PROCESS,
            current_state: match status.state {
                ServiceState::StartPending => SystemState::StartPending,
                ServiceState::Running => SystemState::Running,
                ServiceState::StopPending => SystemState::StopPending,
                ServiceState::Stopped => SystemState::Stopped,
            },
            controls_accepted: accepted,
            exit_code: match status.exit_code {
                0 => ServiceExitCode::NO_ERROR,
                code => ServiceExitCode::ServiceSpecific(code.into()),
            },
            checkpoint: status.checkpoint,
            wait_hint: status.wait_hint,
            process_id: None,
        });
        if let Err(error) = reported {
            tracing::warn!(error = %cause(&error), "service manager not told of the state");
        }
    }
}

/// Receives the controls of this process's service.
pub(in crate::cli) struct ServiceControls(&'static RunningService);

impl ServiceControls {
    /// Returns the controls, if this process is a service.
    pub(in crate::cli) fn of_this_process() -> Option<ServiceControls> {
        SERVICE.get().map(ServiceControls)
    }

    /// Waits for the next control. Controls of one kind that come before it is waited for count as
    /// one. Cancel safe.
    pub(in crate::cli) async fn next(&mut self) -> ServerSignal {
        tokio::select! {
            biased;
            () = self.0.stop.notified() => ServerSignal::Stop,
            () = self.0.reload.notified() => ServerSignal::Reload,
        }
    }
}

/// Runs a server: on this thread, or with the flag as a service.
///
/// # Errors
/// Those of the server, and with the flag: the service manager did not start this process.
pub(in crate::cli) fn run_server(
    flag: ServiceFlag,
    server: impl FnOnce() -> Result<u8, Failure> + Send + 'static,
) -> Result<u8, Failure> {
    if !flag.service {
        return server();
    }
    *SERVER.lock() = Some(Box::new(server));
    // Returns once the service has stopped.
    service_dispatcher::start(SERVICE_NAME, service_main).map_err(|error| not_started(&error))?;
    let outcome = OUTCOME.lock().take();
    outcome.unwrap_or_else(|| {
        let message = "the service manager has not started the service";
        Err(Failure::new(sysexits::OSERR, message))
    })
}

fn not_started(error: &windows_service::Error) -> Failure {
    match code_of(error) {
        Some(ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) => {
            let message = "--service is for the service manager, which has not started this \
                process: leave it out, or use `arauto service start`";
            Failure::new(sysexits::USAGE, message)
        }
        _ => {
            let message = format!("cannot run as a service: {}", cause(error));
            Failure::new(sysexits::OSERR, message)
        }
    }
}

/// Runs the server, on a thread of the system. The arguments are those of StartService, and none
/// are used.
extern "system" fn service_main(_count: u32, _arguments: *mut *mut u16) {
    let Some(server) = SERVER.lock().take() else {
        return;
    };
    let service = match RunningService::begin() {
        Ok(service) => service,
        Err(error) => {
            // No status can be reported, and the main thread would wait for one.
            let failure = not_started(&error);
            record(
                EventId::Ended,
                Severity::Error,
                failure.message().to_owned(),
            );
            std::process::exit(i32::from(failure.code()));
        }
    };
    let outcome = server();
    let code = match &outcome {
        Ok(code) => *code,
        Err(failure) => failure.code(),
    };
    let (severity, text) = of_end(&outcome);
    // Before the last status, after which the process may end at any moment.
    *OUTCOME.lock() = Some(outcome);
    record(EventId::Ended, severity, text);
    // Not under the lock, which a control may wait for: the system may wait for that control before
    // it takes this status. No other status follows.
    let status = service.progress.lock().end(code);
    service.report(status);
}

/// Takes a control, on the process's main thread.
fn on_control(control: ServiceControl) -> ServiceControlHandlerResult {
    match (control, SERVICE.get()) {
        (ServiceControl::Interrogate, _) => ServiceControlHandlerResult::NoError,
        (
            ServiceControl::Stop | ServiceControl::Shutdown | ServiceControl::Preshutdown,
            Some(service),
        ) => {
            service.request_stop();
            ServiceControlHandlerResult::NoError
        }
        (ServiceControl::ParamChange, Some(service)) => {
            service.reload.notify_one();
            ServiceControlHandlerResult::NoError
        }
        (_, Some(_)) => ServiceControlHandlerResult::NotImplemented,
        (_, None) => ServiceControlHandlerResult::Other(ERROR_SERVICE_CANNOT_ACCEPT_CTRL),
    }
}

/// Returns whether this process is a service.
pub(in crate::cli) fn has_service_manager() -> bool {
    SERVICE.get().is_some()
}

/// Notifies the service manager, if this process is a service; the event log gets the start. The
/// end is reported by the service's own thread.
pub(in crate::cli) fn notify(notice: &ServiceNotice) {
    let Some(service) = SERVICE.get() else { return };
    let mut progress = service.progress.lock();
    let Some(status) = progress.note(notice) else {
        return;
    };
    service.report(status);
    drop(progress);
    if status.state == ServiceState::Running {
        record(
            EventId::Started,
            Severity::Information,
            "the server has started".to_owned(),
        );
    }
}

/// Writes a record to the event log. One that is late or full delays nothing by more than the limit,
/// and a record that it does not take is lost.
fn record(id: EventId, severity: Severity, text: String) {
    let _ = within(REPORT_LIMIT, move || report(id, severity, &text));
}

/// Returns the writer of the server's log, if this process is a service, which has no stderr.
pub(in crate::cli) fn event_log_sink() -> Option<Box<dyn Write + Send>> {
    has_service_manager().then(|| Box::new(EventLogWriter) as Box<dyn Write + Send>)
}
