//! The event log: records of the source `arauto`, and the source itself.
//!
//! The texts of records come from EventCreate.exe, which every Windows has: its messages 1 to 1000
//! are the record's own text. So no library with messages has to be installed.

use std::ffi::c_void;
use std::io::{self, Write};
use std::ptr;

use windows_sys::Win32::Foundation::ERROR_FILE_NOT_FOUND;
use windows_sys::Win32::System::EventLog::{
    DeregisterEventSource, EVENTLOG_ERROR_TYPE, EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE,
    RegisterEventSourceW, ReportEventW,
};
use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, REG_DWORD, REG_EXPAND_SZ, RegDeleteTreeW, RegSetKeyValueW,
};

use crate::cli::os::event_record::{Severity, parse, wide};

/// The source of the records.
const SOURCE: &str = "arauto";

/// The registry key of the source.
const SOURCE_KEY: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application\arauto";

/// The file with the texts of the records.
const MESSAGES: &str = r"%SystemRoot%\System32\EventCreate.exe";

/// The subject of a record, as its event id. EventCreate.exe has the ids from 1 to 1000.
#[derive(Debug, Clone, Copy)]
pub(super) enum EventId {
    /// The server serves.
    Started = 1,
    /// The server has ended.
    Ended = 2,
    /// A record of the server's log.
    Log = 3,
}

/// Writes a record.
///
/// # Errors
/// The event log does not take it.
#[expect(unsafe_code, reason = "no crate writes to the event log")]
pub(super) fn report(id: EventId, severity: Severity, text: &str) -> io::Result<()> {
    let (source, text) = (wide(SOURCE), wide(text));
    let kind = match severity {
        Severity::Error => EVENTLOG_ERROR_TYPE,
        Severity::Warning => EVENTLOG_WARNING_TYPE,
        Severity::Information => EVENTLOG_INFORMATION_TYPE,
    };
    let texts = [text.as_ptr()];
    // SAFETY: the names and the text end in NUL and outlive the calls. There is one text, no user
    // and no data. The handle is closed once, after its last use.
    unsafe {
        let log = RegisterEventSourceW(ptr::null(), source.as_ptr());
        if log.is_null() {
            return Err(io::Error::last_os_error());
        }
        let (user, data) = (ptr::null_mut(), ptr::null());
        let written = ReportEventW(log, kind, 0, id as u32, user, 1, 0, texts.as_ptr(), data);
        let error = io::Error::last_os_error();
        DeregisterEventSource(log);
        match written {
            0 => Err(error),
            _ => Ok(()),
        }
    }
}

/// Takes the records of the server's log, each in one write and with its priority, and writes the
/// warnings and errors.
#[derive(Debug)]
pub(super) struct EventLogWriter;

impl Write for EventLogWriter {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        if let Some((severity, text)) = parse(record) {
            report(EventId::Log, severity, &text)?;
        }
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Registers the source.
///
/// # Errors
/// The registry may not be changed.
pub(super) fn add_source() -> io::Result<()> {
    let messages: Vec<u8> = wide(MESSAGES)
        .into_iter()
        .flat_map(u16::to_le_bytes)
        .collect();
    set_value("EventMessageFile", REG_EXPAND_SZ, &messages)?;
    let kinds = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    set_value("TypesSupported", REG_DWORD, &u32::from(kinds).to_le_bytes())
}

/// Removes the source, if there is one. Records that are in the log stay there.
///
/// # Errors
/// The registry may not be changed.
#[expect(unsafe_code, reason = "std does not know the registry")]
pub(super) fn remove_source() -> io::Result<()> {
    let key = wide(SOURCE_KEY);
    // SAFETY: the name ends in NUL and outlives the call.
    match unsafe { RegDeleteTreeW(HKEY_LOCAL_MACHINE, key.as_ptr()) } {
        0 | ERROR_FILE_NOT_FOUND => Ok(()),
        error => Err(io::Error::from_raw_os_error(error.cast_signed())),
    }
}

/// Sets a value of the source's key, and makes the key if there is none.
#[expect(unsafe_code, reason = "std does not know the registry")]
fn set_value(name: &str, kind: u32, data: &[u8]) -> io::Result<()> {
    let (key, name) = (wide(SOURCE_KEY), wide(name));
    let length = u32::try_from(data.len()).expect("it is short");
    let data: *const c_void = data.as_ptr().cast();
    // SAFETY: the names end in NUL, and there are `length` bytes of data. All outlive the call.
    let error = unsafe {
        RegSetKeyValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            kind,
            data,
            length,
        )
    };
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error.cast_signed())),
    }
}
