//! The loop of a session: it receives, serves, writes and checks its client, as
//! `src/actors/session/driver.rs` does.
//!
//! The shipped core makes the decisions. One run is one poll of the actor: the loop repeats until
//! nothing moves.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use arauto::internal::session::effects::{Done, Entry, LoginFailure};
use arauto::internal::session::ending::Sending;
use arauto::internal::session::hears::Hears;
use arauto::internal::session::policy::{ConnectRefusal, FeatureLimits, Policy, SessionLimits};
use arauto::internal::session::{Core, LoginRefusal, NotPublished, Served, Setup};
use arauto::wire::{Gap, Login, LoginOptions, Seq, Term};
use arauto::{Body, Rate, UserName};

use crate::broken::Broken;
use crate::connection::{Job, Wait, WriteOutcome};
use crate::outside::Outside;
use crate::reader::View;
use crate::routes::Topics;
use crate::setting::{Client, Frame, Setting};
use crate::state::{Answer, SlotId, id};
use crate::witness::Fate;

/// The name of the stream.
pub const STREAM: &str = "stream";

/// The result of a session's oldest piece of work.
pub struct Finished {
    pub done: Done,
    /// The number of the work's frames that are in the count of frames in work.
    pub counted: usize,
}

/// A session during one run.
pub struct Driver<'a> {
    pub core: &'a mut Core,
    pub outside: Outside<'a>,
    /// The session's clock during the run.
    pub now: Instant,
    /// The number of frames that arrive in the run.
    pub incoming: u8,
}

fn limits(setting: &Setting) -> SessionLimits {
    SessionLimits {
        max_frame: 1 << 20,
        max_frame_before_login: 1 << 12,
        frames_in_work: 1000,
        patterns: 1000,
        request_rate: None,
        rate_before_login: Rate::a_minute(1_000_000),
        login_timeout: Duration::from_secs(10),
        idle_timeout: None,
        drain_timeout: Duration::from_secs(5),
        slow: setting.slow,
    }
}

/// Creates the core of a session.
pub fn begin(outside: &mut Outside<'_>, now: Instant, is_stopping: bool) -> Core {
    let setup = Setup {
        session: id(outside.at),
        policy: Policy::Dialogue,
        limits: Arc::new(limits(outside.setting)),
        feature_limits: FeatureLimits {
            patterns: 1,
            kept_topics: 1,
            kept_bytes: 1024,
            producers: 1,
            cursors: 1,
            offers: 4,
            calls: 4,
            waiting_calls: 4,
        },
        is_journaled: outside.setting.is_journaled,
        server: "",
        head: outside.world.head(),
        hears: &Hears::EVERYTHING,
        refusal: is_stopping.then_some(ConnectRefusal::Stopping),
    };
    Core::begin(setup, now, outside)
}

/// Returns the result of a piece of work; `None` if the work is not done.
pub fn finished(setting: &Setting, job: Job, at: SlotId) -> Option<Finished> {
    let answer = match job.wait {
        Wait::Handler => None,
        Wait::Answered(answer) => Some(answer),
        Wait::Auth | Wait::Hub | Wait::Journal | Wait::Supervisor => return None,
    };
    let is_login = job.frames == 0;
    let refused = |refusal| Done::Login(Err(LoginFailure::Refused(refusal)));
    let not_published = |why| match job.is_judged {
        true => Done::Judged(Err(why)),
        false => Done::Published(Err(why)),
    };
    let done = match answer {
        None => Done::Replied(Ok(Body::text(""))),
        Some(Answer::Published(first)) => Done::Published(Ok(Seq(first))),
        Some(Answer::Judged(verdicts)) => {
            Done::Judged(Ok(verdicts.into_iter().flatten().collect()))
        }
        Some(Answer::LogSealed) => not_published(NotPublished::Sealed),
        Some(Answer::CommitFailed) if is_login => Done::Login(Err(LoginFailure::Unannounced)),
        Some(Answer::CommitFailed) => not_published(NotPublished::Unwritten),
        Some(Answer::Joined { before, head }) => {
            Done::Login(Ok(entry(setting, at, job.resume, before, head)))
        }
        Some(Answer::Opened { begin, is_new }) => Done::Login(Ok(Entry {
            cursor_new: is_new,
            ..entry(setting, at, Some(begin), begin, begin)
        })),
        Some(Answer::LoginRefused) => refused(LoginRefusal::Stopping),
        Some(Answer::StopStatus(status)) => Done::Stopping(status),
        Some(Answer::ActorEnded) if is_login => refused(LoginRefusal::Internal),
        Some(Answer::ActorEnded) => Done::Gone,
    };
    let counted = job.counted;
    Some(Finished { done, counted })
}

/// Returns the user of a slot.
pub fn user(at: SlotId) -> UserName {
    static USERS: LazyLock<[UserName; 4]> = LazyLock::new(|| {
        ["ana", "bia", "caio", "davi"]
            .map(|name| UserName::parse(name).expect("the text is a user name"))
    });
    USERS[at].clone()
}

/// Returns the entry of a login, as `src/actors/session/entrance.rs` does. `before` and `head` are
/// the last seqs before and after the login's `joined`.
pub fn entry(setting: &Setting, at: SlotId, resume: Option<u64>, before: u64, head: u64) -> Entry {
    let (after, gap) = match resume {
        None => (head, None),
        Some(after) if after <= before => (after, None),
        Some(_) => (head, Some(head)),
    };
    Entry {
        user: user(setting.user(at)),
        role: arauto::Role::Escritor,
        registered: false,
        stream: STREAM.to_owned(),
        term: Term(1),
        after: Seq(after),
        gap: gap.map(Seq),
        hears: hears(&setting.clients[at]),
        kept_until: None,
        cursor_new: false,
    }
}

/// Returns what a client wants to hear.
fn hears(client: &Client) -> Hears {
    let options = login_options(client, false);
    Hears::of(&Login {
        id: 0,
        user: "".into(),
        password: "".into(),
        resume: None,
        options,
    })
}

/// Returns the options of a client's login.
pub fn login_options(client: &Client, has_cursor: bool) -> Option<Box<LoginOptions<'static>>> {
    if client.filter.is_none() && !has_cursor {
        return None;
    }
    let names = |topics: Topics| topics.iter().map(|topic| topic.name().into()).collect();
    Some(Box::new(LoginOptions {
        filter: client.filter.map(names),
        presence: None,
        kept: None,
        cursor: has_cursor.then(|| "cursor".into()),
    }))
}

impl Driver<'_> {
    /// Repeats the loop until nothing moves. Returns whether anything moved.
    pub fn run(&mut self, finished: Option<Finished>) -> bool {
        let mut has_moved = finished.is_some();
        if let Some(Finished { done, counted }) = finished {
            self.core.done(done, self.now, &mut self.outside);
            self.outside.world.in_work -= counted;
        }
        loop {
            let has_read = self.poll_input();
            let has_told = self.poll_services();
            let has_written = self.poll_output();
            let holds_frame = self.outside.io.holds_frame();
            let moves = self.core.advance(holds_frame, self.now, &mut self.outside);
            has_moved |= has_told || has_read || has_written || moves;
            if has_told || has_read || has_written || moves {
                continue;
            }
            if !self.core.tick(self.now, &mut self.outside) {
                self.outside.io.wants_input = self.wants_input();
                return has_moved || self.outside.has_acted;
            }
        }
    }

    fn may_serve(&self) -> bool {
        self.core.takes_frames(&self.outside)
    }

    fn wants_input(&self) -> bool {
        self.may_serve() && self.core.wants_input() && !self.outside.io.holds_frame()
    }

    fn poll_input(&mut self) -> bool {
        let mut is_any = self.outside.io.holds_frame() && self.may_serve() && self.serve();
        if self.wants_input() {
            let incoming = std::mem::take(&mut self.incoming);
            self.outside.io.received += incoming;
            is_any |= incoming > 0;
            if incoming > 0 {
                self.serve();
            } else if self.outside.io.client.is_gone {
                self.core.hang_up();
                self.outside.io.give_up();
            } else if self.outside.io.client.has_ended {
                self.core.hang_up();
            }
        }
        is_any | self.end_of_input()
    }

    fn end_of_input(&mut self) -> bool {
        let holds_frame = self.outside.io.holds_frame();
        let has_ended = self.core.end_of_input(holds_frame, &mut self.outside);
        if has_ended {
            let head = self.outside.world.hub.head;
            self.outside.io.witness.end_by_itself(head);
        }
        has_ended
    }

    /// Serves received frames while the core takes them. Returns whether a frame was served.
    fn serve(&mut self) -> bool {
        let mut has_served = false;
        self.core.begin_pass();
        while self.may_serve() && self.outside.io.holds_frame() {
            let number = self.outside.io.served;
            self.outside.serving = number;
            let kind = self.outside.setting.clients[self.outside.at].frames[usize::from(number)];
            let was_cut = self.outside.io.witness.is_cut;
            let is_dropped = was_cut
                && kind.is_answer()
                && self.outside.setting.is(Broken::AnswersBehindTheCutDropped);
            let served = match is_dropped {
                true => Served::Done,
                false => {
                    let frame = self.frame(kind, number);
                    self.core.frame(frame, self.now, &mut self.outside)
                }
            };
            match served {
                Served::Later => break,
                Served::Gathered => self.outside.gathered.push(number),
                Served::Done => {}
            }
            self.outside.io.served += 1;
            has_served = true;
            self.note_served(kind, number, was_cut);
        }
        self.core.end_pass(has_served, self.now, &mut self.outside);
        has_served
    }

    fn note_served(&mut self, kind: Frame, number: u8, was_cut: bool) {
        let head = self.outside.world.hub.head;
        let witness = &mut self.outside.io.witness;
        if kind.is_uncounted() {
            witness.fates[usize::from(number)] = Fate::Uncounted;
        }
        if kind == Frame::Fim && !was_cut {
            witness.end_by_itself(head);
        }
    }

    fn poll_output(&mut self) -> bool {
        let Sending::UpTo(until) = self.core.sending() else {
            return false;
        };
        let until = until.map(|until| until.0);
        let ends_on_gap = self.core.ends_on_gap();
        let had_room = self.outside.io.has_room();
        let before = self.outside.io.sent();
        let mut has_written = false;
        loop {
            let Outside {
                setting,
                world,
                io,
                at,
                ..
            } = &mut self.outside;
            let view = View {
                setting,
                world,
                user: setting.user(*at),
            };
            match io.write(view, until, ends_on_gap) {
                WriteOutcome::FrameWritten => has_written = true,
                WriteOutcome::NothingWritten => break,
                WriteOutcome::FellOffTail(from, to) => {
                    let reached = io.reached();
                    io.witness.end_by_itself(reached);
                    let (from, to) = (Seq(from), Seq(to));
                    self.core.fell_off(Gap { from, to }, &mut self.outside);
                    return true;
                }
            }
        }
        if has_written && !had_room {
            self.core.note_room(self.now);
        }
        if self.outside.io.sent() != before {
            self.core.note_broadcast(&self.outside);
        }
        has_written
    }
}
