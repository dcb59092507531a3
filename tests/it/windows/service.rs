//! The server as a service, by the system's service manager.
//!
//! The tests that install the service run under Wine only: on Windows they would change the services
//! of the machine.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arauto::{Endpoint, Report};
use tempfile::TempDir;
use windows_service::service::ServiceAccess;
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_sys::Win32::System::Services::{
    ControlService, SERVICE_CONTROL_PARAMCHANGE, SERVICE_STATUS,
};

use super::is_wine;
use crate::support::{
    CommandResult, FrameClient, arauto, finish, os, spawn, wait_until, watchdog, watchdog_for,
};

/// Each step starts programs of Wine.
const TIME_LIMIT: Duration = Duration::from_secs(240);

/// The service has one name, so that one test at a time can install it.
static INSTALLING: Mutex<()> = Mutex::new(());

/// An installed service in a folder; dropping it removes the service.
struct Service {
    folder: TempDir,
    endpoint: Endpoint,
    _alone: MutexGuard<'static, ()>,
}

impl Service {
    /// Installs the service. `None`: this system is not Wine.
    fn install() -> Option<Service> {
        let alone = without_service()?;
        let folder = tempfile::tempdir().expect("a folder can be made");
        let endpoint = os::endpoint(folder.path(), "service");
        let service = Service {
            folder,
            endpoint,
            _alone: alone,
        };
        service.configure("drain-timeout = '50s'\n");
        let install = run(&["install", "--config", &service.path("arauto.toml")]);
        assert!(install.err.contains("?access=everyone"), "{install:?}");
        install.expect_success();
        Some(service)
    }

    fn path(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        path.to_str().expect("it is text").to_owned()
    }

    /// Writes the config file.
    fn configure(&self, more: &str) {
        let (data, report) = (self.path("data"), self.path("report.json"));
        let endpoint = &self.endpoint;
        let text = format!("listen = ['{endpoint}']\ndata = '{data}'\nreport = '{report}'\n{more}");
        fs::write(self.path("arauto.toml"), text).expect("the folder is ours");
    }

    fn client(&self, user: &str) -> FrameClient {
        let stream = os::connect(&self.endpoint).expect("the service listens");
        let mut client = FrameClient::local(stream);
        client.expect("welcome");
        client.log_in(user);
        client
    }

    /// Returns the frame length that the server tells a new client.
    fn max_frame(&self) -> u64 {
        let stream = os::connect(&self.endpoint).expect("the service listens");
        FrameClient::local(stream)
            .expect("welcome")
            .num("max_frame")
    }

    fn report(&self) -> Report {
        let text = fs::read_to_string(self.path("report.json")).expect("the service writes it");
        serde_json::from_str(&text).expect("it is a report")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        run(&["remove"]);
    }
}

/// Returns once no service is installed, and keeps other tests from installing it. `None`: this
/// system is not Wine.
fn without_service() -> Option<MutexGuard<'static, ()>> {
    if !is_wine() {
        println!("not run: it would change the services of this machine");
        return None;
    }
    let alone = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    run(&["remove"]); // one that a killed test has left
    run(&["status"]).expect_failure(69, &["there is none; install it"]);
    Some(alone)
}

fn run(arguments: &[&str]) -> CommandResult {
    finish(arauto(&["service"]).args(arguments), "")
}

/// Sends the control PARAMCHANGE, as `sc control arauto paramchange` does on Windows. Wine's sc has
/// no controls.
#[expect(unsafe_code, reason = "no crate sends this control")]
fn send_paramchange() {
    let local = ServiceManager::local_computer(None::<&OsStr>, ServiceManagerAccess::CONNECT);
    let manager = local.expect("there is a service manager");
    let service = manager.open_service("arauto", ServiceAccess::PAUSE_CONTINUE);
    let service = service.expect("it is installed");
    let mut status = SERVICE_STATUS::default();
    let handle = service.raw_handle();
    // SAFETY: the service keeps its handle open, and the status is ours.
    let sent = unsafe { ControlService(handle, SERVICE_CONTROL_PARAMCHANGE, &mut status) };
    assert_ne!(sent, 0, "{}", io::Error::last_os_error());
}

/// Returns whether the event log's source is registered.
fn has_source() -> bool {
    let key = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\arauto";
    let mut query = Command::new("reg");
    query.args(["query", key, "/v", "EventMessageFile"]);
    let found = finish(&mut query, "");
    found.code == Some(0) && found.out.contains("EventCreate.exe")
}

#[test]
fn service_serves_and_stops_with_a_clean_report() {
    let _watchdog = watchdog_for(TIME_LIMIT);
    let Some(service) = Service::install() else {
        return;
    };
    assert!(has_source());
    let started = run(&["start"]).expect_success();
    assert!(started.contains("the service is running"), "{started}");
    run(&["start"]).expect_success();
    let mut ana = service.client("ana");
    ana.publish(1, "bom dia");
    ana.skip_to("published");

    let stop = spawn(&mut arauto(&["service", "stop"]));
    assert_eq!(ana.skip_to("stopping").text("reason"), "signal");
    // It waits for ana, who has not read that it closes.
    let state = run(&["status"]).expect_success();
    assert!(state.contains("the service is stopping: step "), "{state}");
    ana.until("closing");
    ana.expect_end();
    let stopped = stop.wait_with_output().expect("it is a child");
    assert_eq!(stopped.status.code(), Some(0), "{stopped:?}");
    let printed = String::from_utf8_lossy(&stopped.stdout);
    assert_eq!(printed.trim_end(), "the service has stopped");

    let report = service.report();
    assert_eq!(report.exit, 0, "{report:#?}");
    assert_eq!(run(&["status"]).code, Some(69));
    run(&["stop"]).expect_success();
    run(&["remove"]).expect_success();
    run(&["start"]).expect_failure(69, &["there is none; install it"]);
    assert!(!has_source());
    let data = service.folder.path().join("data");
    assert!(data.join("arauto.db").exists(), "the data stays");
}

#[test]
fn service_stopped_by_fim_tells_the_service_manager() {
    let _watchdog = watchdog_for(TIME_LIMIT);
    let Some(service) = Service::install() else {
        return;
    };
    run(&["start"]).expect_success();
    let mut fim = arauto(&["fim"]);
    fim.env("ARAUTO_ENDPOINT", service.endpoint.to_string());
    finish(fim.env("ARAUTO_USER", "ana"), "").expect_success();
    wait_until("the service has stopped", || {
        run(&["status"]).out.trim_end() == "the service has stopped"
    });
    assert_eq!(service.report().exit, 0);
}

#[test]
fn service_told_that_its_parameters_changed_reloads_them() {
    let _watchdog = watchdog_for(TIME_LIMIT);
    let Some(service) = Service::install() else {
        return;
    };
    service.configure("max-frame = '64KiB'\n");
    run(&["start"]).expect_success();
    assert_eq!(service.max_frame(), 64 << 10);
    let mut ana = service.client("ana");
    service.configure("max-frame = '2KiB'\nmax-frame-before-login = '2KiB'\n");
    send_paramchange();
    wait_until("new clients are told the new limit", || {
        service.max_frame() == 2 << 10
    });
    ana.ping();
    drop(ana);
    run(&["stop"]).expect_success();
    assert_eq!(service.report().exit, 0);
}

#[test]
fn service_that_refuses_to_start_reports_its_exit_code() {
    let _watchdog = watchdog_for(TIME_LIMIT);
    let Some(service) = Service::install() else {
        return;
    };
    service.configure("nada = 1\n");
    run(&["start"]).expect_failure(78, &["with exit code 78", "event log"]);
    let state = run(&["status"]);
    assert!(state.out.contains("exit code 78"), "{state:?}");
}

#[test]
fn service_with_an_unusable_config_is_not_installed() {
    let _watchdog = watchdog();
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("arauto.toml");
    for (text, problem) in [
        ("listen = ['pipe:a']\n", "it names no data folder"),
        (
            "data = 'data'\n",
            "data is data: a service needs an absolute path",
        ),
        (
            "data = 'none'\nreport = 'r'\n",
            "report is r: a service needs",
        ),
        (
            "data = 'none'\naudit = 'a'\n",
            "audit is a: a service needs",
        ),
        ("data = 'none'\nnada = 1\n", "nada"),
    ] {
        fs::write(&path, text).expect("the folder is ours");
        let path = path.to_str().expect("it is text");
        run(&["install", "--config", path]).expect_failure(78, &[problem]);
    }
}

#[test]
fn service_whose_data_folder_has_other_files_is_not_installed() {
    let _watchdog = watchdog_for(TIME_LIMIT);
    let Some(_alone) = without_service() else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("arauto.toml");
    let text = format!("data = '{}'\n", folder.path().display());
    fs::write(&path, text).expect("the folder is ours");
    let path = path.to_str().expect("it is text");
    let refused = run(&["install", "--config", path]);
    refused.expect_failure(73, &["it holds files of other programs"]);
    run(&["status"]).expect_failure(69, &["there is none"]);
}

#[test]
fn service_that_is_there_is_not_installed_again() {
    let _watchdog = watchdog_for(TIME_LIMIT);
    let Some(service) = Service::install() else {
        return;
    };
    let (other, path) = (service.path("other"), service.path("other.toml"));
    fs::write(&path, format!("data = '{other}'\n")).expect("the folder is ours");
    let refused = run(&["install", "--config", &path]);
    refused.expect_failure(73, &["installed already", "arauto service remove"]);
    assert!(fs::metadata(&other).is_err(), "nothing is made");
}

#[test]
fn service_flag_outside_of_a_service_is_refused() {
    let _watchdog = watchdog_for(TIME_LIMIT);
    // Under Wine it could take the place of a service that starts at the same time.
    let _alone = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut serve = arauto(&["serve", "--service", "--data", "none"]);
    finish(&mut serve, "").expect_failure(64, &["arauto service start"]);
}
