//! Compares the server's output in the cbor dialect with the client's input.

use arauto::Seq;
use arauto::fuzzing::{Conversation, Framing};
use arauto::wire::cbor::decode_server;
use arauto::wire::{Closing, Decoded, ErrorCode, ServerFrame};

use crate::asked::{Asked, Question};
use crate::script::Choices;

#[derive(Default)]
struct Said {
    is_greeted: bool,
    is_member: bool,
    answers: usize,
    /// Which of the client's frames have their answers.
    is_answered: Vec<bool>,
    /// The number of the last call.
    called: u64,
    accepted: u64,
    refused: u64,
    /// The last broadcast that was heard, lost, or passed over.
    last: Seq,
    /// The seq of the last answer that kept values may follow.
    kept_at: Option<Seq>,
    /// The last one of its own.
    published: Seq,
    /// It was told of bytes that are no frame: nothing but `closing` follows.
    is_failed: bool,
    is_over: bool,
}

pub fn judge(outcome: &Conversation, asked: &Asked, choices: &Choices<'_>) {
    let mut said = Said::default();
    for written in &outcome.written {
        let mut rest = &written[..];
        while !rest.is_empty() {
            match decode_server(rest, usize::MAX) {
                Ok(Decoded::Frame(frame, used)) => {
                    assert!(choices.framing == Framing::Stream || used == written.len());
                    assert!(used <= choices.max_frame + 4, "{frame:?}");
                    said.hear(&frame, asked);
                    rest = &rest[used..];
                }
                Ok(Decoded::Partial) if choices.gone_after.is_some() => return,
                other => panic!("no frame: {other:?}"),
            }
        }
    }
    assert!(
        said.is_over || choices.gone_after.is_some(),
        "there is no closing"
    );
}

impl Said {
    fn hear(&mut self, frame: &ServerFrame<'_>, asked: &Asked) {
        assert!(!self.is_over, "closing is the last frame");
        assert_eq!(self.is_greeted, !matches!(frame, ServerFrame::Welcome(_)));
        let is_last = matches!(frame, ServerFrame::Closing(_));
        assert!(!self.is_failed || is_last, "it comes too late: {frame:?}");
        match frame {
            ServerFrame::Welcome(welcome) => {
                assert_eq!(welcome.version, 1);
                self.is_greeted = true;
            }
            ServerFrame::LoggedIn(login) => {
                self.answer(login.id, None, asked);
                assert!(!self.is_member);
                (self.is_member, self.last) = (true, login.seq);
                self.kept_at = Some(login.seq);
            }
            ServerFrame::Reply(reply) => self.answer(reply.id, None, asked),
            ServerFrame::Published(published) => {
                self.answer(published.id, None, asked);
                if published.repeated {
                    assert!(published.seq <= self.published, "it was published before");
                } else {
                    assert!(published.seq > self.published);
                    self.published = published.seq;
                }
            }
            ServerFrame::Present(present) => self.answer(present.id, None, asked),
            ServerFrame::Pong(pong) => self.answer(pong.id, None, asked),
            ServerFrame::Sessions(list) => self.answer(list.id, None, asked),
            ServerFrame::Topics(list) => self.answer(list.id, None, asked),
            ServerFrame::Cursors(list) => self.answer(list.id, None, asked),
            ServerFrame::CursorRemoved(removed) => self.answer(removed.id, None, asked),
            ServerFrame::Stopping(stopping) => {
                stopping
                    .id
                    .into_iter()
                    .for_each(|id| self.answer(id, None, asked));
            }
            ServerFrame::Error(error) => {
                let code = Some(error.code);
                let is_of_bytes = matches!(
                    error.code,
                    ErrorCode::BadFrame | ErrorCode::Unsupported | ErrorCode::FrameTooLarge
                );
                self.is_failed = is_of_bytes && error.id.is_none();
                error
                    .id
                    .into_iter()
                    .for_each(|id| self.answer(id, code, asked));
            }
            ServerFrame::Message(message) => {
                assert!(asked.may_hear(message), "it is not for it: {message:?}");
                self.broadcast(message.seq, asked);
            }
            ServerFrame::Joined(presence) | ServerFrame::Left(presence) => {
                self.broadcast(presence.seq, asked);
            }
            ServerFrame::Gap(gap) => {
                assert!(asked.may_use_topics || gap.from <= self.last.next());
                assert!(gap.from <= gap.to && gap.to >= self.last);
                self.last = gap.to;
            }
            ServerFrame::Passed(passed) => {
                assert!(asked.may_use_topics, "it knows nothing of topics");
                assert!(self.is_member && passed.to > self.last, "{passed:?}");
                self.last = passed.to;
            }
            ServerFrame::Subscribed(subscribed) => {
                self.answer(subscribed.id, None, asked);
                assert!(subscribed.seq >= self.last, "it holds for what follows");
                self.kept_at = Some(subscribed.seq);
            }
            ServerFrame::Kept(kept) => {
                assert!(asked.may_use_topics && asked.may_hear(kept), "{kept:?}");
                assert!(kept.topic.is_some() && kept.to.is_none(), "{kept:?}");
                let at = self.kept_at.expect("they follow an answer");
                assert!(kept.seq <= at, "it is newer than {at}: {kept:?}");
            }
            ServerFrame::Closing(closing) => self.close(closing, asked),
            ServerFrame::Offered(offered) => self.answer(offered.id, None, asked),
            ServerFrame::Withdrawn(withdrawn) => {
                withdrawn
                    .id
                    .into_iter()
                    .for_each(|id| self.answer(id, None, asked));
            }
            ServerFrame::Services(list) => self.answer(list.id, None, asked),
            ServerFrame::Call(call) => {
                assert!(call.call > self.called, "{call:?}");
                self.called = call.call;
            }
            ServerFrame::Cancelled(cancelled) => {
                assert!(cancelled.call <= self.called, "{cancelled:?}");
            }
        }
    }

    fn answer(&mut self, id: u64, error: Option<ErrorCode>, asked: &Asked) {
        let question = self.question(id, asked);
        self.answers += 1;
        if self.is_member && !question.is_login {
            match error {
                Some(ErrorCode::Stopping) => self.refused += 1,
                _ => self.accepted += 1,
            }
        }
    }

    /// Returns the frame that an answer with this id answers: the first one without an answer whose
    /// answers come in their order, or another one whose answer may come at any time.
    fn question(&mut self, id: u64, asked: &Asked) -> Question {
        self.is_answered.resize(asked.frames.len(), false);
        let open = |(at, _): &(usize, &Question)| !self.is_answered[*at];
        let mut open = asked.frames.iter().enumerate().filter(open);
        let mut in_order = open.clone().filter(|(_, question)| !question.is_any_order);
        let next = in_order.next().filter(|(_, question)| question.id == id);
        let any = || open.find(|(_, question)| question.is_any_order && question.id == id);
        let (at, question) = next.or_else(any).expect("answers come in their order");
        let question = *question;
        self.is_answered[at] = true;
        question
    }

    fn broadcast(&mut self, seq: Seq, asked: &Asked) {
        assert!(self.is_member, "only members hear broadcasts");
        if asked.may_use_topics {
            assert!(seq > self.last, "seqs rise");
        } else {
            assert_eq!(seq, self.last.next(), "no broadcast is missing");
        }
        self.last = seq;
    }

    fn close(&mut self, closing: &Closing, asked: &Asked) {
        self.is_over = true;
        let counts = (closing.accepted, closing.refused);
        assert_eq!(counts, (self.accepted, self.refused), "{asked:?}");
        assert_eq!(closing.last_seq, self.last);
        if let Some(answers) = asked.answers_until(closing.reason.as_str()) {
            assert_eq!(self.answers, answers, "each frame has its answer");
        }
        if matches!(closing.reason.as_str(), "fim" | "disconnected" | "shutdown") && !asked.hurries
        {
            assert!(
                self.published <= self.last,
                "its own broadcasts are heard too"
            );
        }
    }
}
