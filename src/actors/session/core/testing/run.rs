//! A core that tests lead through a session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::effect::Effect;
#[cfg(test)]
use super::frames::describe;
use super::outside::Outside;
use crate::accounts::UserName;
#[cfg(test)]
use crate::actors::session::core::Served;
use crate::actors::session::core::effects::{Done, Entry};
use crate::actors::session::core::hears::Hears;
use crate::actors::session::core::policy::{
    ConnectRefusal, FeatureLimits, Policy, SessionLimits, SlowPolicy,
};
use crate::actors::session::core::{Core, Setup};
use crate::actors::supervisor::Status;
use crate::close::{Phase, SessionRecord, StopReason};
use crate::rate::Rate;
#[cfg(test)]
use crate::wire::ClientFrame;
use crate::wire::{Role, Seq, SessionId, Term};

pub const LIMITS: SessionLimits = SessionLimits {
    max_frame: 1 << 20,
    max_frame_before_login: 16 * 1024,
    frames_in_work: 32_768,
    patterns: 1_000,
    request_rate: None,
    rate_before_login: Rate::per_seconds(10, 1),
    login_timeout: Duration::from_secs(10),
    idle_timeout: Some(Duration::from_secs(60)),
    drain_timeout: Duration::from_secs(20),
    slow: SlowPolicy::Gap,
};

/// A core, its outside, and the time.
#[derive(Debug, Clone)]
pub struct Run {
    pub core: Core,
    pub out: Outside,
    pub now: Instant,
    /// Whether a whole frame that was received waits to be served.
    pub holds_frame: bool,
}

/// The values that differ between runs.
#[derive(Debug, Clone)]
pub struct Beginning {
    pub policy: Policy,
    pub limits: SessionLimits,
    pub is_journaled: bool,
    pub refusal: Option<ConnectRefusal>,
    pub out: Outside,
}

impl Default for Beginning {
    fn default() -> Self {
        Beginning {
            policy: Policy::Dialogue,
            limits: LIMITS,
            is_journaled: false,
            refusal: None,
            out: Outside::default(),
        }
    }
}

impl Run {
    /// Begins a session that differs from others by `change`.
    pub fn with(change: impl FnOnce(&mut Beginning)) -> Run {
        let mut beginning = Beginning::default();
        change(&mut beginning);
        let Beginning {
            policy,
            limits,
            is_journaled,
            refusal,
            mut out,
        } = beginning;
        let setup = Setup {
            session: SessionId(7),
            policy,
            limits: Arc::new(limits),
            feature_limits: FeatureLimits {
                patterns: 8,
                kept_topics: 2,
                kept_bytes: 1024,
                producers: 2,
                cursors: 2,
                offers: 4,
                calls: 4,
                waiting_calls: 4,
            },
            is_journaled,
            server: "arauto",
            head: out.head,
            hears: &Hears::EVERYTHING,
            refusal,
        };
        let now = Instant::now();
        let core = Core::begin(setup, now, &mut out);
        Run {
            core,
            out,
            now,
            holds_frame: false,
        }
    }

    pub fn done(&mut self, done: Done) -> &mut Run {
        self.core.done(done, self.now, &mut self.out);
        self
    }

    /// Takes the steps of an ending that can be taken now.
    pub fn advance(&mut self) -> &mut Run {
        for _ in 0..100 {
            if !self.core.advance(self.holds_frame, self.now, &mut self.out) {
                return self;
            }
        }
        panic!("an ending has few steps: {:?}", self.core);
    }

    /// The other effects since this was asked last.
    pub fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.out.effects)
    }

    pub fn record(&self) -> SessionRecord {
        self.core.record(&self.out)
    }

    /// How long the core can go without being called.
    pub fn sleep(&self) -> Option<Duration> {
        let at = self.core.wake_at()?;
        Some(at.saturating_duration_since(self.now))
    }
}

/// Methods that only tests of single rules use.
#[cfg(test)]
impl Run {
    /// A session whose client has been greeted and has read that.
    pub fn new() -> Run {
        let mut run = Run::with(|_| {});
        run.clear();
        run
    }

    /// A session of the user ana.
    pub fn member() -> Run {
        Run::member_with(|_| {})
    }

    pub fn member_with(change: impl FnOnce(&mut Beginning)) -> Run {
        let mut run = Run::with(change);
        run.frame(super::frames::login(1));
        run.done(Done::Login(Ok(entry(run.out.head))));
        run.clear();
        run
    }

    /// The client takes what is queued; what has happened so far is forgotten.
    pub fn clear(&mut self) -> &mut Run {
        self.out.answers.clear();
        self.out.effects.clear();
        self.out.write_all();
        self
    }

    /// The frames arrive in one pass. Returns how the core served each that it was given:
    /// behind the first that must wait none is.
    pub fn frames(
        &mut self,
        frames: impl IntoIterator<Item = ClientFrame<'static>>,
    ) -> Vec<Served> {
        let mut served = Vec::new();
        self.core.begin_pass();
        for frame in frames {
            if !self.core.takes_frames(&self.out) {
                served.push(Served::Later);
                break;
            }
            let result = self.core.frame(frame, self.now, &mut self.out);
            served.push(result);
            if result == Served::Later {
                break;
            }
        }
        let has_served = served.iter().any(|served| *served != Served::Later);
        self.core.end_pass(has_served, self.now, &mut self.out);
        served
    }

    pub fn frame(&mut self, frame: ClientFrame<'static>) -> Served {
        self.frames([frame])[0]
    }

    /// The client reads all that it is sent, as often as there is something.
    pub fn advance_and_write(&mut self) -> &mut Run {
        for _ in 0..10 {
            self.advance();
            self.out.write_all();
        }
        self
    }

    /// Time passes, and is judged.
    pub fn pass(&mut self, time: Duration) -> bool {
        self.now += time;
        self.core.tick(self.now, &mut self.out)
    }

    /// Time passes until the core wants to be called, and `late` more.
    pub fn pass_until_woken(&mut self, late: Duration) -> bool {
        let at = self.core.wake_at().expect("it waits for a moment");
        self.now = self.now.max(at) + late;
        self.core.tick(self.now, &mut self.out)
    }

    /// The answers since this was asked last, each in a few words.
    pub fn answers(&mut self) -> Vec<String> {
        let answers = std::mem::take(&mut self.out.answers);
        answers.iter().map(|answer| describe(answer)).collect()
    }

    pub fn takes_frames(&self) -> bool {
        self.core.takes_frames(&self.out)
    }

    pub fn reason(&self) -> String {
        self.record().reason.to_string()
    }
}

pub fn user() -> UserName {
    UserName::parse("ana").expect("it is a name")
}

/// A login of ana, whose broadcasts begin behind `after`.
pub fn entry(after: Seq) -> Entry {
    Entry {
        user: user(),
        role: Role::Escritor,
        registered: false,
        stream: "0123456789abcdef".to_owned(),
        term: Term(1),
        after,
        gap: None,
        hears: Hears::EVERYTHING,
        kept_until: None,
        cursor_new: false,
    }
}

pub fn status(phase: Phase) -> Status {
    Status {
        reason: StopReason::Admin,
        phase,
        remaining: Duration::from_secs(10),
    }
}
