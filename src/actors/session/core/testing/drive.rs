//! A session of any steps, and what must hold behind each.
//!
//! A [`Step`] is one input of the core, or one change of its outside. [`Drive`] takes steps, does
//! between them what the driver does, and asserts:
//!
//! - each admitted frame is answered once, in the order of the frames, and `closing` counts them
//!   right;
//! - nothing follows `closing`;
//! - a session that waits for time says for how long;
//! - its filter has no pattern twice, and no more of them than its limit;
//! - whenever the core can be saved, what is read back is the same core; the copy goes on in the
//!   place of the original. When it cannot be saved, something is under way.
//!
//! The property test makes steps at random, and the fuzz target `core` makes them of its input.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use super::effect::Effect;
use super::frames::{Answer, read};
use super::run::{Run, status};
use super::steps::{Kind, Step, choose, done, frame};
use crate::accounts::RevocationReason;
use crate::actors::session::core::policy::Policy;
use crate::actors::session::core::saved::SavedCore;
use crate::actors::session::core::state::State;
use crate::actors::session::core::{Core, Served};
use crate::actors::session::saved::error::SaveError;
use crate::actors::session::saved::{decode, encode};
use crate::close::{Evidence, Micros, Phase};
use crate::topic::{self, Pattern, RuleKind};
use crate::wire::{ClientFrame, ErrorCode, Gap, Role, Seq, WireError};

/// Takes all steps.
///
/// # Panics
/// If something that must hold does not.
pub fn drive(kind: Kind, steps: &[Step]) {
    let mut drive = Drive::new(kind);
    for step in steps {
        drive.step(*step);
    }
    drive.end();
}

/// A frame that is to be answered.
#[derive(Debug, Clone, Copy)]
struct Question {
    id: u64,
    is_login: bool,
}

struct Drive {
    run: Run,
    next_id: u64,
    input: VecDeque<ClientFrame<'static>>,
    is_bad: bool,
    /// Frames that were admitted or refused, and are not answered.
    questions: VecDeque<Question>,
    /// The work that is under way, by the effect that began it.
    work: VecDeque<Effect>,
    is_member: bool,
    /// Answers that `closing` counts.
    accepted: u64,
    refused: u64,
    /// The queue was dropped, or work was forgotten: not every frame has its answer.
    is_cut_short: bool,
    is_over: bool,
}

impl Drive {
    fn new(kind: Kind) -> Drive {
        let run = Run::with(|beginning| choose(beginning, kind));
        let is_member = run.core.policy != Policy::Dialogue;
        let mut drive = Drive {
            run,
            next_id: 1,
            input: VecDeque::new(),
            is_bad: false,
            questions: VecDeque::new(),
            work: VecDeque::new(),
            is_member,
            accepted: 0,
            refused: 0,
            is_cut_short: false,
            is_over: false,
        };
        drive.go_round();
        drive
    }

    fn step(&mut self, step: Step) {
        let run = &mut self.run;
        match step {
            Step::Send(choice) => self.send(choice),
            Step::SendBad => self.is_bad = true,
            Step::Finish(choice) => self.finish(choice),
            Step::Pass(choice) => {
                run.now += Duration::from_millis(1 << (choice % 17));
            }
            Step::Wake(choice) => {
                if let Some(sleep) = run.sleep() {
                    let late = Duration::from_secs(u64::from(choice % 8 / 7) * 5);
                    run.now += sleep + late;
                }
            }
            Step::Read => {
                run.out.write_all();
                run.out.has_room = true;
            }
            Step::Grow => run.out.head = run.out.head.next(),
            Step::HangUp(choice) => match choice % 3 {
                0 => run.core.hang_up(),
                1 => run.out.is_hung_up = true,
                _ => run.core.input_failed(&mut run.out),
            },
            Step::Break(choice) => {
                run.out.break_output(!choice.is_multiple_of(2));
                self.is_cut_short = true;
            }
            Step::Change(choice) => self.change(choice),
            Step::Order(choice) => self.order(choice),
            Step::End(choice) => self.end_for(choice),
        }
        self.go_round();
    }

    fn send(&mut self, choice: u8) {
        if self.run.core.is_input_over() || self.run.core.is_outbound() {
            return;
        }
        let id = self.next_id;
        self.next_id += 1;
        self.input.push_back(frame(choice, id));
    }

    fn finish(&mut self, choice: u8) {
        let Some(work) = self.work.pop_front() else {
            return;
        };
        let done = done(work, choice, &mut self.run.out);
        self.run.done(done);
    }

    fn change(&mut self, choice: u8) {
        let out = &mut self.run.out;
        match choice % 8 {
            0 => out.has_room = !out.has_room,
            1 => out.evidence = Evidence::Read,
            2 => {
                out.account_role = [Role::Leitor, Role::Admin][usize::from(choice / 8 % 2)];
                let (allow, deny) = (topic::Effect::Allow, topic::Effect::Deny);
                let rules = [None, None, Some(deny), Some(allow)];
                let kinds = [RuleKind::Publish, RuleKind::Subscribe];
                let kind = kinds[usize::from(choice / 64 % 2)];
                out.set_rule(kind, rules[usize::from(choice / 16 % 4)]);
            }
            3 => out.publish_wait = (choice > 127).then_some(Duration::from_millis(50)),
            4 => out.reply = (choice > 127).then(|| Ok("sim".into())),
            5 => out.is_too_long = choice > 127,
            6 => out.has_input = choice > 127,
            _ => out.list_wait = (choice > 127).then_some(Duration::from_secs(1)),
        }
    }

    fn order(&mut self, choice: u8) {
        let (run, linger) = (&mut self.run, Duration::from_secs(1));
        run.out.stop_time = Some(Micros(u64::from(choice)));
        match choice % 5 {
            0 | 1 => run.core.announce(status(Phase::Announce), &mut run.out),
            2 => {
                let _ = run.core.drain(run.out.head, run.now, &mut run.out);
            }
            3 => {
                let _ = run.core.close(linger, run.now);
            }
            _ if choice > 200 => {
                self.is_cut_short = true;
                run.core.finish(&mut run.out);
            }
            _ => {}
        }
    }

    fn end_for(&mut self, choice: u8) {
        let run = &mut self.run;
        match choice % 5 {
            0 => {
                self.is_cut_short = true;
                self.work.clear();
                run.core.panicked(&mut run.out);
            }
            1 if run.core.ends_on_gap() => {
                let to = run.out.head;
                run.core.fell_off(Gap { from: Seq(1), to }, &mut run.out);
            }
            2 if !run.core.has_said_closing() => run.core.journal_unreadable(&mut run.out),
            3 => {
                run.out.revoked = Some(RevocationReason::AccountRemoved);
                run.core.check_standing(&mut run.out);
            }
            4 if !run.core.is_permit_withdrawn() && !self.is_member => {
                run.core.withdraw_permit(run.now, &mut run.out);
            }
            _ => {}
        }
    }

    /// Does what the driver does between two inputs, and asserts what must hold.
    fn go_round(&mut self) {
        for _ in 0..8 {
            self.serve();
            let holds_frame = !self.input.is_empty() || self.is_bad;
            let run = &mut self.run;
            run.holds_frame = holds_frame;
            let has_ended = run.core.end_of_input(holds_frame, &mut run.out);
            run.advance();
            let is_changed = run.core.tick(run.now, &mut run.out);
            self.hear();
            self.copy();
            if !has_ended && !is_changed {
                break;
            }
        }
        self.assert_woken();
        self.assert_filter();
        let record = self.run.record();
        assert!(record.answered <= record.accepted, "{record:?}");
    }

    fn serve(&mut self) {
        let run = &mut self.run;
        let mut has_served = false;
        run.core.begin_pass();
        while run.core.takes_frames(&run.out) {
            let Some(frame) = self.input.front() else {
                break;
            };
            let is_answered = !run.core.has_said_closing();
            let result = run.core.frame(frame.clone(), run.now, &mut run.out);
            if result == Served::Later {
                break;
            }
            has_served = true;
            let is_login = match frame {
                ClientFrame::Login(_) => true,
                ClientFrame::Unserved(unserved) => unserved.is_login,
                _ => false,
            };
            let id = frame.id().filter(|_| !matches!(frame, ClientFrame::Fim(_)));
            if let Some(id) = id.filter(|_| is_answered) {
                self.questions.push_back(Question { id, is_login });
            }
            if result == Served::Gathered {
                assert_eq!(run.core.save(run.now), Err(SaveError::PassOpen));
            }
            self.input.pop_front();
        }
        if self.input.is_empty() && self.is_bad && run.core.takes_frames(&run.out) {
            let error = WireError {
                code: ErrorCode::BadFrame,
                message: "no frame".to_owned(),
            };
            self.is_bad = !run.core.bad_input(&error, &mut run.out);
        }
        run.core.end_pass(has_served, run.now, &mut run.out);
    }

    /// Looks at what the session has said and done.
    fn hear(&mut self) {
        for effect in self.run.effects() {
            let is_work = match &effect {
                Effect::LogIn(_)
                | Effect::Publish(..)
                | Effect::PublishJudged(..)
                | Effect::Ask(_) => true,
                Effect::Request(_) => self.run.out.reply.is_none(),
                _ => false,
            };
            if is_work {
                self.work.push_back(effect);
            }
        }
        if self.run.core.is_closed() {
            self.work.clear();
        }
        for answer in std::mem::take(&mut self.run.out.answers) {
            let answer = read(&answer);
            assert!(!self.is_over, "it follows closing: {answer:?}");
            self.check(answer);
        }
    }

    fn check(&mut self, answer: Answer) {
        match answer {
            Answer::Notice => {}
            Answer::To { id, code, enters } => {
                let question = self.questions.pop_front();
                let question = question.expect("it answers a frame");
                assert_eq!(question.id, id, "answers come in the order of the frames");
                if self.is_member && !question.is_login {
                    match code {
                        Some(ErrorCode::Stopping) => self.refused += 1,
                        _ => self.accepted += 1,
                    }
                }
                self.is_member |= enters;
            }
            Answer::Closing { accepted, refused } => {
                self.is_over = true;
                let is_answered = self.questions.is_empty() || self.is_cut_short;
                assert!(is_answered, "without an answer: {:?}", self.questions);
                if !self.is_cut_short {
                    assert_eq!((accepted, refused), (self.accepted, self.refused));
                }
            }
        }
    }

    /// Saves the core where that can be done, and goes on with the copy.
    fn copy(&mut self) {
        let (core, now) = (&self.run.core, self.run.now);
        let saved = match core.save(now) {
            Ok(saved) => saved,
            Err(why) => {
                assert!(core.has_work(), "{why}: {core:?}");
                let is_login = matches!(core.state, State::LoggingIn { .. });
                let expected = match is_login {
                    true => SaveError::LoginPending,
                    false => SaveError::WorkPending,
                };
                assert_eq!(why, expected);
                return;
            }
        };
        let bytes = encode(&saved);
        let read: SavedCore = decode(&bytes).expect("it was written");
        assert_eq!(read, saved);
        let later = now + Duration::from_secs(3600);
        let moved = Core::restore(read.clone(), later).expect("it was written");
        assert_eq!(
            moved.save(later),
            Ok(saved),
            "the time between has not passed"
        );
        let copy = Core::restore(read, now).expect("it was written");
        assert_eq!(&copy, core);
        self.run.core = copy;
    }

    fn assert_woken(&self) {
        let core = &self.run.core;
        let waits = match &core.state {
            State::Greeting | State::LoggingIn { .. } => true,
            State::Ready(_) => {
                core.timers.is_held() || core.policy.idle_timeout(&core.limits).is_some()
            }
            State::Ending(ending) => !ending.is_ordered(),
            State::Closed(_) => false,
        };
        assert!(!waits || core.wake_at().is_some(), "nothing calls {core:?}");
        assert!(
            !core.is_left_open() || core.is_outbound() || !self.input.is_empty() || self.is_bad
        );
    }

    fn assert_filter(&self) {
        let filter = self.run.out.hears.filter.as_deref().unwrap_or_default();
        let distinct: HashSet<&str> = filter.iter().map(Pattern::as_str).collect();
        assert_eq!(distinct.len(), filter.len(), "{filter:?}");
        let most = self.run.core.limits.patterns;
        assert!(filter.len() <= most, "{filter:?}");
    }

    /// Brings the session to its end: whatever happened before, it ends when its client reads
    /// all, closes and all work is done.
    fn end(mut self) {
        self.run.out.has_room = true;
        self.run.out.publish_wait = None;
        self.step(Step::HangUp(0));
        self.run.out.evidence = Evidence::Read;
        self.run.out.is_hung_up = true;
        for _ in 0..200 {
            self.step(Step::Finish(4));
            self.step(Step::Read);
            self.step(Step::Order(2));
            self.step(Step::Order(3));
            self.step(Step::Wake(0));
            if self.run.core.is_closed() {
                return;
            }
        }
        panic!("it does not end: {:?}", self.run.core);
    }
}
