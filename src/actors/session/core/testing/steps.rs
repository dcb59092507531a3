//! The steps of a session that are taken in any order, chosen by numbers.

use super::effect::Effect;
use super::frames::{
    ack, addressed, answer, fim, login, login_with_filter, numbered, ping, publish, request,
    sessions, shutdown, subscribe, unserved, who,
};
use super::outside::Outside;
use super::run::{Beginning, LIMITS, entry, status, user};
use crate::accounts::LoginRefusal;
use crate::actors::handler::HandlerError;
use crate::actors::hub::{NotPublished, Verdict};
use crate::actors::session::core::effects::{Ask, Done, LoginFailure};
use crate::actors::session::core::policy::{ConnectRefusal, Policy, SlowPolicy};
use crate::close::{Micros, Phase};
use crate::log::KeptLimit;
use crate::rate::Rate;
use crate::wire::{ClientFrame, Seq};

/// The kind of a session.
#[derive(Debug, Clone, Copy)]
pub struct Kind(pub u8, pub u8);

/// One input of a session, or one change of its outside; the numbers choose among variants.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// The client sends a frame.
    Send(u8),
    /// Its bytes are no frame.
    SendBad,
    /// The oldest piece of work is done.
    Finish(u8),
    /// Time passes, in steps that grow.
    Pass(u8),
    /// Time passes until the session wants to be called.
    Wake(u8),
    /// The client reads what it was sent.
    Read,
    /// The log grows.
    Grow,
    /// The client closes its side, is gone, or cannot be read from.
    HangUp(u8),
    /// The connection breaks; on the client's side, or on this one.
    Break(u8),
    /// The outside changes: room, evidence, role, waits.
    Change(u8),
    /// The supervisor orders something.
    Order(u8),
    /// Something happens that ends a session.
    End(u8),
}

impl Step {
    /// Returns the step that these bytes choose.
    pub fn of(kind: u8, choice: u8) -> Step {
        match kind % 16 {
            0..=4 => Step::Send(choice),
            5..=7 => Step::Finish(choice),
            8 => Step::Pass(choice),
            9 => Step::Wake(choice),
            10 => Step::Read,
            11 => Step::Grow,
            12 => Step::Change(choice),
            13 => Step::Order(choice),
            14 if choice.is_multiple_of(4) => Step::HangUp(choice / 4),
            14 if choice % 4 == 1 => Step::Break(choice / 4),
            14 if choice % 4 == 2 => Step::End(choice / 4),
            14 if choice % 8 == 3 => Step::SendBad,
            _ => Step::Send(choice),
        }
    }

    /// Reads a session's kind and its steps from bytes, two bytes each.
    #[cfg(fuzzing)]
    pub fn script(bytes: &[u8]) -> (Kind, Vec<Step>) {
        let (pairs, _) = bytes.as_chunks::<2>();
        let Some(([kind, rates], steps)) = pairs.split_first() else {
            return (Kind(0, 0), Vec::new());
        };
        let steps = steps.iter().map(|[kind, choice]| Step::of(*kind, *choice));
        (Kind(*kind, *rates), steps.collect())
    }
}

/// Returns the frame that this number chooses.
pub(super) fn frame(choice: u8, id: u64) -> ClientFrame<'static> {
    match choice % 16 {
        0 | 1 if choice > 15 => login_with_filter(id, choice / 16),
        0 | 1 => login(id),
        2 => ping(id),
        3 | 4 => request(id),
        5 | 6 if choice > 15 => addressed(id, choice / 16),
        5 | 6 => publish(id),
        7 | 8 => numbered(id, u64::from(choice / 16)),
        9 => who(id),
        10 => ack(u64::from(choice / 16)),
        11 => sessions(id),
        12 => shutdown(id, choice > 127),
        13 => unserved(id, choice > 127),
        14 if choice > 200 => fim(id),
        15 => subscribe(id, choice / 16),
        _ => answer(id),
    }
}

/// Returns the result of a piece of work that this number chooses.
pub(super) fn done(work: Effect, choice: u8, out: &mut Outside) -> Done {
    let head = out.head;
    match (work, choice % 8) {
        (_, 7) => Done::Gone,
        (Effect::LogIn(_), 0) => {
            let refusal = LoginRefusal::BadCredentials;
            Done::Login(Err(LoginFailure::Refused(refusal)))
        }
        (Effect::LogIn(_), 1) => Done::Login(Err(LoginFailure::Unannounced)),
        (Effect::LogIn(_), 2) => Done::Login(Err(LoginFailure::TooManySessions)),
        (Effect::LogIn(_), gap) => {
            let mut entry = entry(head);
            entry.gap = (gap == 3).then_some(head);
            entry.hears = out.hears.clone();
            entry.kept_until = entry.hears.is_told.then_some(head);
            Done::Login(Ok(entry))
        }
        (Effect::Publish(..), 0) => Done::Published(Err(NotPublished::Sealed)),
        (Effect::Publish(..), 1) => Done::Published(Err(NotPublished::Unwritten)),
        (Effect::Publish(_, frames), _) => {
            out.head = Seq(head.0 + frames as u64);
            Done::Published(Ok(head.next()))
        }
        (Effect::PublishJudged(..), 0) => Done::Judged(Err(NotPublished::Sealed)),
        (Effect::PublishJudged(..), 1) => Done::Judged(Err(NotPublished::Unwritten)),
        (Effect::PublishJudged(_, frames, bytes), _) => {
            Done::Judged(Ok(verdicts(frames, bytes, choice, out)))
        }
        (Effect::Request(_), 0) => Done::Replied(Err(HandlerError::NotText)),
        (Effect::Request(_), _) => Done::Replied(Ok("sim".into())),
        (Effect::Ask(Ask::Users), _) => Done::Users(vec![user()]),
        (Effect::Ask(Ask::Sessions), _) => Done::Sessions(Vec::new()),
        (Effect::Ask(Ask::Stop { .. }), _) => {
            out.stop_time.get_or_insert(Micros(1));
            Done::Stopping(status(Phase::Trigger))
        }
        (other, _) => panic!("it is no work: {other:?}"),
    }
}

/// Returns verdicts on this many messages. Where their contents are of no length, all of them are
/// such that must not be published.
fn verdicts(frames: usize, bytes: usize, choice: u8, out: &mut Outside) -> Vec<Verdict> {
    let verdict = |number: usize| match (usize::from(choice) + number) % 4 {
        0 => Verdict::Repeated(Seq(number as u64)),
        1 if bytes == 0 => Verdict::Refused,
        1 => {
            out.head = out.head.next();
            Verdict::Published(out.head)
        }
        2 => Verdict::NotKept(KeptLimit::Topics(2)),
        _ => Verdict::OutOfOrder { highest: 7 },
    };
    (0..frames).map(verdict).collect()
}

/// Chooses the kind of a session.
pub(super) fn choose(beginning: &mut Beginning, Kind(kind, limits): Kind) {
    beginning.policy = match kind % 8 {
        0 => Policy::RawOutbound,
        1 => Policy::RawDuplex,
        _ => Policy::Dialogue,
    };
    beginning.refusal = match kind / 8 % 16 {
        0 => Some(ConnectRefusal::Full),
        1 => Some(ConnectRefusal::FullBriefly),
        2 => Some(ConnectRefusal::Stopping),
        _ => None,
    };
    beginning.is_journaled = kind > 127;
    beginning.out.half_closes = limits % 2 == 0;
    beginning.out.is_own_user = limits / 2 % 2 == 1;
    beginning.out.head = Seq(u64::from(limits / 4 % 4));
    let limits = limits / 16;
    beginning.limits.request_rate = (limits % 2 == 1).then_some(Rate::per_seconds(3, 60));
    beginning.limits.idle_timeout = LIMITS.idle_timeout.filter(|_| limits / 2 % 2 == 0);
    if limits / 4 % 2 == 1 {
        beginning.limits.slow = SlowPolicy::Disconnect;
        beginning.limits.frames_in_work = 3;
        beginning.limits.patterns = 2;
    }
    if limits / 8 == 1 {
        beginning.limits.rate_before_login = Rate::per_seconds(2, 1);
    }
}
