//! `arauto offer --exec`: runs a command for each call.

use std::process::{ExitStatus, Stdio};

use arauto::wire::TraceParent;
use arauto::{Call, CallError, CallReply};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

use super::last_line::LastLine;
use super::process::{GroupProcess, Program};
use crate::cli::input::body;

/// The bytes that one read of a pipe takes.
const READ: usize = 16 << 10;

/// Runs the command of a call: the request on its stdin, the reply from its stdout. A call that is
/// given up is dropped, which kills the command.
///
/// # Errors
/// The command cannot be started, fails, or prints more than `longest` bytes.
pub(super) async fn run(
    program: &Program,
    call: &Call,
    longest: usize,
) -> Result<CallReply, CallError> {
    let mut command = program.command();
    command
        .stderr(Stdio::piped())
        .env("ARAUTO_SERVICE", &call.service)
        .env("ARAUTO_FROM", &call.from);
    // OpenTelemetry's convention for a process that takes part in a trace. Any other text of a client
    // stays out of the environment.
    if TraceParent::of(&call.headers).is_some()
        && let Some(value) = call.headers.get(TraceParent::HEADER)
    {
        command.env("TRACEPARENT", value);
    } else {
        command.env_remove("TRACEPARENT");
    }
    let mut process = GroupProcess::start(&mut command).map_err(|error| not_started(&error))?;
    let child = process.child();
    let (mut stdin, stdout, stderr) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feeding = async {
        if let Some(mut stdin) = stdin.take() {
            // A command that does not read its input may end first.
            let _ = stdin.write_all(call.body.as_bytes()).await;
        }
    };
    let reading = async {
        let output = read_within(stdout, longest).await;
        if output.is_err() {
            process.kill(); // nobody reads the rest, which would block it
        }
        output
    };
    let ((), output, last_line) = tokio::join!(feeding, reading, read_last_line(stderr));
    let output = output?;
    // Waited for behind the outputs: until then the group's number is not given to another.
    let status = process.child().wait().await.map_err(|error| {
        let problem = format!("the command cannot be waited for: {error}");
        CallError::new("not-waited-for", problem)
    })?;
    match status.success() {
        true => Ok(CallReply::new(body(output))),
        false => Err(failed(status, last_line)),
    }
}

pub(super) fn not_started(error: &std::io::Error) -> CallError {
    CallError::new(
        "not-started",
        format!("the command cannot be started: {error}"),
    )
}

fn failed(status: ExitStatus, last_line: String) -> CallError {
    let code = match status.code() {
        Some(code) => format!("exit-{code}"),
        None => "killed".to_owned(),
    };
    let message = match last_line.is_empty() {
        true => format!("the command ended with {status}"),
        false => last_line,
    };
    CallError::new(code, message)
}

/// Reads an output to its end.
async fn read_within(
    output: Option<impl AsyncRead + Unpin>,
    longest: usize,
) -> Result<Vec<u8>, CallError> {
    let mut bytes = Vec::new();
    let Some(output) = output else {
        return Ok(bytes);
    };
    let most = u64::try_from(longest).unwrap_or(u64::MAX).saturating_add(1);
    let read = output.take(most).read_to_end(&mut bytes).await;
    read.map_err(|error| {
        let problem = format!("the command's output cannot be read: {error}");
        CallError::new("output-unreadable", problem)
    })?;
    if bytes.len() > longest {
        return Err(too_long(longest));
    }
    Ok(bytes)
}

pub(super) fn too_long(longest: usize) -> CallError {
    let problem = format!("the output is longer than {longest} bytes, the server's limit");
    CallError::new("output-too-long", problem)
}

async fn read_last_line(output: Option<impl AsyncRead + Unpin>) -> String {
    let mut line = LastLine::default();
    let mut bytes = vec![0; READ];
    if let Some(mut output) = output {
        while let Ok(length @ 1..) = output.read(&mut bytes).await {
            line.push(&bytes[..length]);
        }
    }
    line.finish()
}
