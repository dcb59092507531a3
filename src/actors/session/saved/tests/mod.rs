//! A session that is written down at any moment goes on from the copy as the original does.

mod effects;
mod hostile;
mod services;
mod session;

use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_oneof, proptest};

use self::session::{Session, link};
use crate::actors::session::core::Setup;
use crate::actors::session::core::effects::{Ask, Done};
use crate::actors::session::core::hears::Hears;
use crate::actors::session::core::policy::{FeatureLimits, Policy, SlowPolicy};
use crate::actors::session::core::testing::{Effect, LIMITS, entry, status, user};
use crate::close::{Evidence, Micros, Phase};
use crate::framing::Framing;
use crate::log::{Appender, BackpressureLimits, Content, Log, LogLimits};
use crate::wire::raw::{Direction, RawDialect, Terminator};
use crate::wire::{Body, Charset, Dialect, Millis, Seq, SessionId, cbor};

/// One input of a session, or one change of its outside.
#[derive(Debug, Clone)]
enum Step {
    /// The client sends a frame, in pieces of at most this length.
    Send(Frame, usize),
    /// The client takes so many bytes.
    Take(usize),
    /// Messages of this length are broadcast.
    Broadcast(usize, usize),
    /// The oldest piece of work is done.
    Finish,
    Pass(Duration),
    /// The system tells how far the client has read.
    Prove,
    CloseInput,
    Announce,
    Drain,
    Close,
}

#[derive(Debug, Clone, Copy)]
enum Frame {
    Login,
    Request,
    Publish,
    Ping,
    Who,
    Ack(u64),
    Fim,
    /// A part of a frame, the rest of which never comes.
    Part,
    Bad,
}

const DIALECTS: [(Dialect, Framing); 6] = {
    const fn raw(direction: Direction) -> Dialect {
        Dialect::Raw(RawDialect {
            charset: Charset::Utf8,
            direction,
            terminator: Terminator::None,
        })
    }
    [
        (Dialect::Cbor, Framing::Stream),
        (Dialect::Cbor, Framing::Messages),
        (Dialect::Text(Charset::Utf8), Framing::Stream),
        (Dialect::Text(Charset::Utf16Le), Framing::Stream),
        (raw(Direction::Duplex), Framing::Stream),
        (raw(Direction::Outbound), Framing::Messages),
    ]
};

/// The bytes of a frame in this dialect. `id` is the frame's own.
fn bytes_of(frame: Frame, id: u64, dialect: Dialect) -> Vec<u8> {
    use crate::wire::{Ack, ClientFrame, IdFrame, Login, Publish, Request};
    let (asked, body) = (IdFrame { id }, Body::text("bom dia"));
    let (client_frame, line) = match frame {
        Frame::Login => (
            ClientFrame::Login(Box::new(Login {
                id,
                user: "ana".into(),
                password: "segredo".into(),
                resume: None,
                options: None,
            })),
            "/login ana segredo\n".to_owned(),
        ),
        Frame::Request => (
            ClientFrame::Request(Request::new(id, body)),
            format!("bom dia {id}\n"),
        ),
        Frame::Publish => (
            ClientFrame::Publish(Publish::new(id, body)),
            format!("/publish bom dia {id}\n"),
        ),
        Frame::Ping => (ClientFrame::Ping(asked), "/ping\n".to_owned()),
        Frame::Who => (ClientFrame::Who(asked), "/who\n".to_owned()),
        Frame::Ack(seq) => (ClientFrame::Ack(Ack { seq: Seq(seq) }), "\n".to_owned()),
        Frame::Fim => (ClientFrame::Fim(asked), "fim\n".to_owned()),
        Frame::Part => (ClientFrame::Ping(asked), "bom ".to_owned()),
        Frame::Bad => return vec![0xff; 9],
    };
    let charset = match dialect {
        Dialect::Cbor => {
            let mut bytes = Vec::new();
            cbor::encode(&client_frame, &mut bytes);
            if matches!(frame, Frame::Part) {
                bytes.truncate(7);
            }
            return bytes;
        }
        Dialect::Text(charset) => charset,
        Dialect::Raw(raw) => raw.charset,
    };
    match charset {
        Charset::Utf16Le => line.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => line.into_bytes(),
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let frame = prop_oneof![
        2 => any::<()>().prop_map(|()| Frame::Login),
        4 => any::<()>().prop_map(|()| Frame::Request),
        4 => any::<()>().prop_map(|()| Frame::Publish),
        2 => any::<()>().prop_map(|()| Frame::Ping),
        2 => any::<()>().prop_map(|()| Frame::Who),
        2 => (0_u64..6).prop_map(Frame::Ack),
        1 => any::<()>().prop_map(|()| Frame::Part),
    ];
    let last = prop_oneof![
        any::<()>().prop_map(|()| Step::Send(Frame::Fim, 99)),
        any::<()>().prop_map(|()| Step::Send(Frame::Bad, 99)),
        any::<()>().prop_map(|()| Step::CloseInput),
        any::<()>().prop_map(|()| Step::Announce),
        any::<()>().prop_map(|()| Step::Drain),
        any::<()>().prop_map(|()| Step::Close),
    ];
    let step = prop_oneof![
        20 => (frame, 1_usize..60).prop_map(|(frame, piece)| Step::Send(frame, piece)),
        12 => (0_usize..400).prop_map(Step::Take),
        8 => (1_usize..4, 0_usize..300).prop_map(|(count, length)| Step::Broadcast(count, length)),
        12 => any::<()>().prop_map(|()| Step::Finish),
        4 => (0_u32..18).prop_map(|power| Step::Pass(Duration::from_millis(1 << power))),
        1 => any::<()>().prop_map(|()| Step::Prove),
        2 => last,
    ];
    vec(step, 1..60)
}

/// A log, and the session or sessions that read it.
struct Bench {
    appender: Appender,
    sessions: Vec<Session>,
    dialect: Dialect,
    next_id: u64,
    /// The work that the sessions wait for.
    work: Vec<Effect>,
}

impl Bench {
    fn new(kind: usize, slow: SlowPolicy) -> Bench {
        let limits = LogLimits {
            bytes: 1500, // so that readers fall off it
            backpressure: BackpressureLimits::default(),
        };
        let (log, appender) = Log::new("0123456789abcdef".to_owned(), limits, 1);
        let (dialect, framing) = DIALECTS[kind % DIALECTS.len()];
        let mut limits = LIMITS;
        limits.slow = slow;
        let setup = Setup {
            session: SessionId(7),
            policy: Policy::of(dialect),
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
            is_journaled: kind >= DIALECTS.len(),
            server: "arauto",
            head: log.head(),
            hears: &Hears::EVERYTHING,
            refusal: None,
        };
        let session = Session::begin(setup, dialect, link(framing), &log);
        Bench {
            appender,
            sessions: vec![session],
            dialect,
            next_id: 1,
            work: Vec::new(),
        }
    }

    /// Saves the session where that can be done: from then on the copy goes on beside it.
    fn fork(&mut self) -> bool {
        let Ok(saved) = self.sessions[0].save() else {
            return false;
        };
        let copy = self.sessions[0].restore(&saved.encode());
        assert_eq!(copy.save(), Ok(saved));
        self.sessions.push(copy);
        true
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Broadcast(count, length) => self.broadcast(*count, *length),
            Step::Send(..) => self.next_id += 1,
            _ => {}
        }
        let is_work = |effect: &Effect| {
            matches!(
                effect,
                Effect::LogIn(_) | Effect::Publish(..) | Effect::Ask(_) | Effect::Request(_)
            )
        };
        let work = matches!(step, Step::Finish)
            .then(|| self.work.pop())
            .flatten();
        if let Some(Effect::Publish(_, frames)) = &work {
            self.broadcast(*frames, 7);
        }
        let (id, dialect, head) = (self.next_id, self.dialect, self.appender_head());
        for session in &mut self.sessions {
            take(session, step, work.as_ref(), (id, dialect, head));
            session.go_round();
        }
        let effects = self.sessions[0].io.others.effects.clone();
        self.compare();
        for effect in effects.into_iter().filter(is_work) {
            self.work.insert(0, effect);
        }
        for session in &mut self.sessions {
            session.io.others.effects.clear();
        }
    }

    fn appender_head(&self) -> Seq {
        use crate::actors::session::core::effects::Effects;
        self.sessions[0].io.head()
    }

    fn broadcast(&mut self, count: usize, length: usize) {
        let mut body = Vec::new();
        cbor::encode_body(&Body::text(&"x".repeat(length)), &mut body);
        let messages = std::iter::repeat_n(Content::body(&body), count);
        let pushed = self.appender.push_messages(Millis(0), "rui", messages);
        pushed.expect("the log is not sealed");
        self.appender.commit();
    }

    /// Asserts that all sessions have done the same.
    fn compare(&self) {
        let [session, copies @ ..] = &self.sessions[..] else {
            return;
        };
        for copy in copies {
            assert_eq!(
                copy.io.link.written, session.io.link.written,
                "the bytes on the wire"
            );
            assert_eq!(copy.io.others, session.io.others, "the effects");
            assert_eq!(copy.record(), session.record());
            assert_eq!(copy.core, session.core);
            assert_eq!(copy.io.link.is_shut, session.io.link.is_shut);
        }
    }
}

fn take(
    session: &mut Session,
    step: &Step,
    work: Option<&Effect>,
    (id, dialect, head): (u64, Dialect, Seq),
) {
    let (core, io, now) = (&mut session.core, &mut session.io, session.now);
    match step {
        Step::Broadcast(..) => {}
        Step::Send(frame, piece) => {
            let bytes = bytes_of(*frame, id, dialect);
            let count = bytes.chunks(*piece).count();
            let pieces = bytes.chunks(*piece).enumerate();
            let is_part = matches!(frame, Frame::Part);
            let pieces = pieces.map(|(at, piece)| (piece.to_vec(), at + 1 == count && !is_part));
            io.link.input.extend(pieces);
        }
        Step::Take(bytes) => io.link.takes = *bytes,
        Step::Finish => {
            if let Some(work) = work {
                let done = match work {
                    Effect::LogIn(_) => Done::Login(Ok(entry(head))),
                    Effect::Publish(_, frames) => {
                        Done::Published(Ok(Seq(head.0 + 1 - *frames as u64)))
                    }
                    Effect::Ask(Ask::Users) => Done::Users(vec![user()]),
                    _ => Done::Replied(Ok("sim".into())),
                };
                if core.has_work() {
                    core.done(done, now, io);
                }
            }
        }
        Step::Pass(time) => session.now += *time,
        Step::Prove => io.others.evidence = Evidence::Read,
        Step::CloseInput => io.link.is_input_over = true,
        Step::Announce => {
            io.others.stop_time = Some(Micros(1));
            core.announce(status(Phase::Announce), io);
        }
        Step::Drain => drop(core.drain(head, now, io)),
        Step::Close => drop(core.close(Duration::from_secs(1), now)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn session_goes_on_from_its_saved_state_as_if_nothing_had_been(
        kind in 0..2 * DIALECTS.len(),
        disconnects in any::<bool>(),
        is_member in any::<bool>(),
        steps in steps(),
        moment in 0_usize..40,
    ) {
        let slow = if disconnects { SlowPolicy::Disconnect } else { SlowPolicy::Gap };
        let mut bench = Bench::new(kind, slow);
        if is_member {
            bench.step(&Step::Take(1000));
            bench.step(&Step::Send(Frame::Login, 99));
            bench.step(&Step::Finish);
        }
        for (at, step) in steps.iter().enumerate() {
            // Where it cannot be saved it is saved as soon as it can.
            if at >= moment && bench.sessions.len() == 1 {
                bench.fork();
            }
            bench.step(step);
        }
        // The rest of the output is the same too.
        bench.step(&Step::CloseInput);
        for _ in 0..4 {
            bench.step(&Step::Finish);
            bench.step(&Step::Take(1 << 20));
        }
    }
}
