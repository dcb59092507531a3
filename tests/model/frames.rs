//! The frames that clients send.

use arauto::Body;
use arauto::wire::{
    Ack, AnswerError, AnswerFrame, ClientFrame, IdFrame, Login, Offer, Publish, PublishOptions,
    Request, RequestOptions, Resume, Seq, Shutdown, Subscribe, Withdraw,
};

use crate::driver::{Driver, STREAM, login_options, user};
use crate::services::SERVICE;
use crate::setting::Frame;

/// Returns the frame of a publish.
fn publish(id: u64, kind: Frame) -> Publish<'static> {
    let mut publish = Publish::new(id, Body::text(""));
    let options = PublishOptions::default();
    let options = match kind {
        Frame::Post(topic) => {
            publish.topic = Some(topic.name().into());
            None
        }
        Frame::Tell(to) => Some(PublishOptions {
            to: Some(user(to).as_str().to_owned().into()),
            ..options
        }),
        Frame::Numbered(n) => Some(PublishOptions {
            producer: Some("producer".into()),
            n: Some(n),
            ..options
        }),
        _ => None,
    };
    publish.options = options.map(Box::new);
    publish
}

/// Returns an offer of the service.
pub fn offer(id: u64, limit: u64) -> ClientFrame<'static> {
    ClientFrame::Offer(Offer {
        id,
        service: SERVICE.into(),
        limit: Some(limit),
    })
}

/// Returns a request to the service.
fn call(id: u64) -> ClientFrame<'static> {
    let options = RequestOptions {
        service: Some(SERVICE.into()),
        ..RequestOptions::default()
    };
    let mut request = Request::new(id, Body::text(""));
    request.options = Some(Box::new(options));
    ClientFrame::Request(request)
}

impl Driver<'_> {
    /// Returns a client's frame of this kind and number.
    pub fn frame(&self, kind: Frame, number: u8) -> ClientFrame<'static> {
        let id = number.into();
        let body = Body::text("");
        let read_to = self.outside.io.client.read_to;
        let client = &self.outside.setting.clients[self.outside.at];
        let login = |resume, has_cursor| {
            ClientFrame::Login(Box::new(Login {
                id,
                user: "ana".into(),
                password: "".into(),
                resume,
                options: login_options(client, has_cursor),
            }))
        };
        let shutdown = |now| ClientFrame::Shutdown(Shutdown { id, now });
        match kind {
            Frame::Login => login(None, false),
            Frame::LoginWithCursor => login(None, true),
            Frame::Resume(after) => {
                let (stream, after) = (STREAM.into(), Seq(after));
                let resume = Resume {
                    stream,
                    after,
                    term: None,
                };
                login(Some(resume), false)
            }
            Frame::Request => ClientFrame::Request(Request::new(id, body)),
            Frame::Publish | Frame::Post(_) | Frame::Tell(_) | Frame::Numbered(_) => {
                ClientFrame::Publish(publish(id, kind))
            }
            Frame::Subscribe(topic) => ClientFrame::Subscribe(Box::new(Subscribe {
                id,
                add: vec![topic.name().into()],
                remove: Vec::new(),
                kept: None,
            })),
            Frame::Offer => offer(id, 1),
            Frame::Withdraw => ClientFrame::Withdraw(Withdraw {
                id,
                service: SERVICE.into(),
            }),
            Frame::Call => call(id),
            Frame::Answer | Frame::Fail | Frame::AnswerTo(_) => self.answer(kind, number),
            Frame::Ping => ClientFrame::Ping(IdFrame { id }),
            Frame::Ack => ClientFrame::Ack(Ack { seq: Seq(read_to) }),
            Frame::AckAhead => ClientFrame::Ack(Ack {
                seq: Seq(self.outside.io.reached() + 1),
            }),
            Frame::Shutdown => shutdown(None),
            Frame::ShutdownNow => shutdown(Some(true)),
            Frame::Fim => ClientFrame::Fim(IdFrame { id }),
        }
    }

    /// Returns an answer to a call, which names its sender.
    fn answer(&self, kind: Frame, number: u8) -> ClientFrame<'static> {
        let at = self.outside.at;
        let frames = &self.outside.setting.clients[at].frames;
        let call = match kind {
            Frame::AnswerTo(call) => call,
            _ => self.outside.io.call_to_answer(frames, number),
        };
        let result = match kind {
            Frame::Fail => Err(AnswerError {
                code: "refused".into(),
                message: at.to_string().into(),
            }),
            _ => Ok((Body::text(&at.to_string()).into_owned(), None)),
        };
        ClientFrame::Answer(AnswerFrame { call, result })
    }
}
