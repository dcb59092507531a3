//! Chromium without a window, driven by its DevTools protocol.
//!
//! The protocol comes over two pipes, descriptors 3 and 4 of the browser, as JSON texts that each end in
//! a zero byte. A shell opens them from named pipes, so that this needs neither a WebSocket nor code
//! between fork and exec. <https://chromedevtools.github.io/devtools-protocol/>

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::wait_until;

/// A key that the tests press.
#[derive(Debug, Clone, Copy)]
pub enum Key {
    Enter,
    Escape,
    Tab,
}

/// A browser with one page. Dropping the value ends the browser.
pub struct Browser {
    process: Child,
    commands: File,
    answers: BufReader<File>,
    last_id: u64,
    session: Option<String>,
    /// Exceptions of scripts, and errors that the browser has logged.
    faults: Vec<Value>,
    _folder: TempDir,
}

impl Browser {
    /// Starts Chromium with an empty page.
    pub fn start() -> Browser {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let [commands, answers] = ["commands", "answers"].map(|name| folder.path().join(name));
        let made = Command::new("mkfifo").args([&commands, &answers]).status();
        assert!(made.is_ok_and(|status| status.success()));
        // The other ends are opened below in the same order: each open waits for its other side.
        let shell = "commands=$1 answers=$2; shift 2; exec \"$@\" 3<\"$commands\" 4>\"$answers\"";
        let process = Command::new("sh")
            .args(["-c", shell, "sh"])
            .args([&commands, &answers])
            .args(["chromium", "--headless", "--remote-debugging-pipe"])
            // A container's root has no sandbox to give, and the page is ours.
            .args(["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-first-run", "--disable-background-networking"])
            .arg(format!(
                "--user-data-dir={}",
                folder.path().join("profile").display()
            ))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let open_commands = OpenOptions::new().write(true).open(&commands);
        let mut browser = Browser {
            process,
            commands: open_commands.expect("the shell reads it"),
            answers: BufReader::new(File::open(&answers).expect("the shell writes it")),
            last_id: 0,
            session: None,
            faults: Vec::new(),
            _folder: folder,
        };
        let made = browser.call("Target.createTarget", json!({"url": "about:blank"}));
        let target = json!({"targetId": made["targetId"], "flatten": true});
        let attached = browser.call("Target.attachToTarget", target);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        // As in a window that a person looks at.
        browser.call(
            "Emulation.setFocusEmulationEnabled",
            json!({"enabled": true}),
        );
        browser
    }

    /// Sends a command, and returns its result.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let mut command = json!({"id": self.last_id, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        let text = format!("{command}\0");
        let written = self.commands.write_all(text.as_bytes());
        written.expect("the browser reads it");
        loop {
            let mut answer = self.read();
            if answer["id"] == self.last_id {
                assert!(answer.get("error").is_none(), "{method}: {answer}");
                return answer["result"].take();
            }
            self.note(answer);
        }
    }

    fn read(&mut self) -> Value {
        let mut text = Vec::new();
        let read = self.answers.read_until(0, &mut text);
        read.expect("the pipe can be read");
        assert_eq!(text.pop(), Some(0), "the browser has ended");
        serde_json::from_slice(&text).expect("it is json")
    }

    fn note(&mut self, event: Value) {
        let entry = &event["params"]["entry"];
        // A login with a wrong token is refused, which a browser logs.
        let is_login = entry["url"]
            .as_str()
            .is_some_and(|url| url.ends_with("/login"));
        let is_fault = match event["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Runtime.consoleAPICalled") => true,
            Some("Log.entryAdded") => entry["level"] == "error" && !is_login,
            _ => false,
        };
        if is_fault {
            self.faults.push(event);
        }
    }

    /// Opens a page.
    pub fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
    }

    /// Evaluates a script in the page, and returns its value, which JSON can represent.
    #[track_caller]
    pub fn run(&mut self, script: &str) -> Value {
        let parameters = json!({
            "expression": script,
            "awaitPromise": true,
            "returnByValue": true,
        });
        let mut result = self.call("Runtime.evaluate", parameters);
        assert!(
            result.get("exceptionDetails").is_none(),
            "{script}: {result}"
        );
        result["result"]["value"].take()
    }

    /// Waits until a script's value is true. A page that is being opened may lack an element.
    pub fn wait_until(&mut self, script: &str) {
        let script =
            format!("(() => {{ try {{ return {script}; }} catch {{ return false; }} }})()");
        wait_until(&script, || self.run(&script) == true);
    }

    /// Shows the page as a window of this size does, in a color scheme.
    pub fn show_as(&mut self, width: u32, height: u32, scheme: &str) {
        let size = json!({
            "width": width,
            "height": height,
            "deviceScaleFactor": 1,
            "mobile": width < 600,
        });
        self.call("Emulation.setDeviceMetricsOverride", size);
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.call("Emulation.setEmulatedMedia", json!({"features": [feature]}));
    }

    /// Types a text where the focus is.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Presses and releases a key.
    pub fn press(&mut self, key: Key) {
        // The code of Windows for it, and the text that it types.
        let (name, code, text) = match key {
            Key::Enter => ("Enter", 13, "\r"),
            Key::Escape => ("Escape", 27, ""),
            Key::Tab => ("Tab", 9, ""),
        };
        let mut event = json!({
            "type": if text.is_empty() { "rawKeyDown" } else { "keyDown" },
            "key": name,
            "code": name,
            "text": text,
            "windowsVirtualKeyCode": code,
        });
        self.call("Input.dispatchKeyEvent", event.clone());
        event["type"] = "keyUp".into();
        event["text"] = "".into();
        self.call("Input.dispatchKeyEvent", event);
    }

    /// Returns the controls that a screen reader has no name for.
    pub fn nameless_controls(&mut self) -> Vec<Value> {
        const ROLES: [&str; 6] = ["button", "dialog", "link", "meter", "region", "textbox"];
        let mut tree = self.call("Accessibility.getFullAXTree", json!({}));
        let mut nodes = tree["nodes"].take();
        let nodes = nodes.as_array_mut().map(std::mem::take).unwrap_or_default();
        assert!(nodes.len() > 1, "there is no page");
        let controls = nodes.into_iter().filter(|node| {
            let role = node["role"]["value"].as_str();
            role.is_some_and(|role| ROLES.contains(&role)) && node["ignored"] != true
        });
        controls
            .filter(|node| node["name"]["value"].as_str().is_none_or(str::is_empty))
            .collect()
    }

    /// Asserts that no script has failed, the content security policy has stopped nothing, and
    /// everything that the page asked for has come.
    #[track_caller]
    pub fn expect_no_faults(&mut self) {
        self.run("1"); // events that came before its answer are read
        assert!(self.faults.is_empty(), "{:?}", self.faults);
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill(); // or it has ended
        let _ = self.process.wait();
    }
}
