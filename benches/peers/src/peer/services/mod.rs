//! Services: a caller's request goes to one of several responders, and the answer back to the
//! caller.
//!
//! The body of a request names its caller and its call, and the answer has the same body. So a
//! caller knows its reply by comparing bytes, in every system alike.

pub mod framing;
pub mod numbered;
mod systems;

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};

use framing::{Framing, Length, PREFIX};
use numbered::{DIGITS, Numbered};

/// The bytes behind the prefix by which a caller tells replies from other frames.
const HEAD: usize = 4;

/// The service of one run. Each run has a name of its own, as a server may not have noticed yet
/// that the responders of the run before have gone.
#[derive(Debug)]
pub struct Service {
    run: u32,
    name: String,
    size: usize,
}

impl Service {
    /// Names a new service whose requests and answers have bodies of `size` bytes.
    pub fn new(size: usize) -> Service {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        Service {
            run,
            name: format!("service-{run:05}"),
            size,
        }
    }

    /// Returns the template of the bodies of one caller.
    fn body(&self, caller: usize) -> String {
        let mut body = format!("{caller:04}{DIGITS}");
        body.extend(std::iter::repeat_n('x', self.size - body.len()));
        body
    }
}

/// How frames of a system are told from one another.
#[derive(Debug, Clone, Copy)]
struct Kind {
    /// Whether each frame begins with its length.
    is_prefixed: bool,
    /// See [`Framing::skipped`].
    skipped: Option<&'static [u8]>,
}

impl Kind {
    fn begin(self) -> usize {
        match self.is_prefixed {
            true => PREFIX,
            false => 0,
        }
    }

    fn framing(self, sample: &[u8], head: &[u8]) -> Framing {
        Framing {
            length: match self.is_prefixed {
                true => Length::Prefixed,
                false => Length::Same(sample.len()),
            },
            head: head.to_vec(),
            skipped: self.skipped,
        }
    }
}

/// A connection that sends requests.
#[derive(Debug)]
pub struct Caller {
    /// How replies follow one another.
    pub framing: Framing,
    /// The bytes that it writes for a call.
    pub request: Numbered,
    /// The reply to that call.
    pub reply: Numbered,
}

impl Caller {
    fn new(kind: Kind, request: Vec<u8>, reply: Vec<u8>) -> Caller {
        Caller {
            framing: kind.framing(&reply, &reply[kind.begin()..][..HEAD]),
            request: Numbered::new(request),
            reply: Numbered::new(reply),
        }
    }
}

/// A connection that answers requests.
#[derive(Debug)]
pub struct Responder {
    /// How calls follow one another.
    pub framing: Framing,
    /// How they are answered.
    pub answers: Answers,
}

/// Makes the answer to a call: copies the call's body, and the key by which the server knows
/// the call or its caller. The key's length may vary, and the call's length with it.
#[derive(Debug)]
pub struct Answers {
    /// Where the key begins.
    key: usize,
    /// The bytes of a call behind its key.
    behind_key: usize,
    /// The bytes of a call from its body to its end.
    from_body: usize,
    size: usize,
    /// The bytes of an answer before its key, between key and body, and behind its body.
    parts: [Vec<u8>; 3],
    is_prefixed: bool,
}

impl Responder {
    /// Learns from a call and its answer, which both have this key and this body.
    fn new(kind: Kind, call: &[u8], answer: &[u8], key: &[u8], body: &str) -> Result<Responder> {
        let body = body.as_bytes();
        let place = |frame: &[u8], wanted: &[u8]| {
            let mut windows = frame.windows(wanted.len());
            windows.position(|window| window == wanted)
        };
        let key_in_call = place(call, key).context("a call without its key")?;
        let body_in_call = place(call, body).context("a call without its body")?;
        let key_in_answer = place(answer, key).context("an answer without its key")?;
        let body_in_answer = place(answer, body).context("an answer without its body")?;
        Ok(Responder {
            framing: kind.framing(call, &call[kind.begin()..key_in_call]),
            answers: Answers {
                key: key_in_call,
                behind_key: call.len() - key_in_call - key.len(),
                from_body: call.len() - body_in_call,
                size: body.len(),
                parts: [
                    answer[..key_in_answer].to_vec(),
                    answer[key_in_answer + key.len()..body_in_answer].to_vec(),
                    answer[body_in_answer + body.len()..].to_vec(),
                ],
                is_prefixed: kind.is_prefixed,
            },
        })
    }
}

impl Answers {
    /// Appends the answer to a call.
    ///
    /// # Errors
    /// The call is shorter than it must be.
    pub fn answer(&self, call: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let key_end = call.len().checked_sub(self.behind_key);
        let key = key_end.and_then(|end| call.get(self.key..end));
        let key = key.context("a call without its key")?;
        let body = &call[call.len() - self.from_body..][..self.size];
        let [before_key, before_body, behind_body] = &self.parts;
        let begin = out.len();
        out.extend_from_slice(before_key);
        out.extend_from_slice(key);
        out.extend_from_slice(before_body);
        out.extend_from_slice(body);
        out.extend_from_slice(behind_body);
        if self.is_prefixed {
            let length = (out.len() - begin - PREFIX) as u32;
            out[begin..][..PREFIX].copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }
}
