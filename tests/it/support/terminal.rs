//! Runs a command at a pseudo-terminal (pty(7)), and types at it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::{run_by, wait_until};

/// A terminal, and the command whose controlling terminal it is.
pub struct TerminalSession {
    pub child: Child,
    keyboard: File,
    /// Kept open: the terminal's settings outlive the command.
    terminal: File,
    shown: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl TerminalSession {
    /// Starts a command with setsid(1), which makes stdin its controlling terminal.
    pub fn start(command: Command) -> TerminalSession {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let master = openpt(flags).expect("the system has terminals");
        grantpt(&master).expect("it is new");
        unlockpt(&master).expect("it is new");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let name = name.into_string().expect("it is ascii");
        let open = || OpenOptions::new().read(true).write(true).open(&name);
        let terminal = open().expect("it is unlocked");
        let end = || Stdio::from(terminal.try_clone().expect("there are descriptors"));
        let child = run_by(&["setsid", "--ctty"], command)
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .expect("setsid(1) is there");
        let keyboard = File::from(master);
        let mut screen = keyboard.try_clone().expect("there are descriptors");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&shown);
        let reader = std::thread::spawn(move || {
            let mut part = [0; 4096];
            // The end of a terminal is an error (EIO).
            while let Ok(length @ 1..) = screen.read(&mut part) {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.extend_from_slice(&part[..length]);
            }
        });
        TerminalSession {
            child,
            keyboard,
            terminal,
            shown,
            reader: Some(reader),
        }
    }

    /// Returns the text that the terminal has shown so far.
    pub fn shown(&self) -> String {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&shown).into_owned()
    }

    pub fn wait_for(&self, text: &str) {
        wait_until(text, || self.shown().contains(text));
    }

    pub fn type_keys(&mut self, keys: &str) {
        self.keyboard
            .write_all(keys.as_bytes())
            .expect("it is open");
    }

    /// Returns whether the terminal echoes typed characters.
    pub fn echoes(&self) -> bool {
        let settings = tcgetattr(&self.terminal).expect("it is a terminal");
        settings.local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the command's end, and returns its status and everything that was shown.
    pub fn end(mut self) -> (std::process::ExitStatus, String) {
        let status = self.child.wait().expect("it is a child");
        // A mark after the last output, because the terminal stays open and has no end.
        let mut terminal = self.terminal.try_clone().expect("there are descriptors");
        terminal.write_all(b"\n-- the end --").expect("it is open");
        self.wait_for("-- the end --");
        let shown = self.shown();
        (status, shown)
    }
}

impl Drop for TerminalSession {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it may have ended
        let _ = self.child.wait();
        drop(self.reader.take()); // it ends with the terminal
    }
}
