//! Every frame has the same bytes as with another codec, ciborium, so serde_cbor can be replaced
//! without a change on the wire.

use std::borrow::Cow;

use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::framed;
use super::same_as_serde::{bodies, numbers};
use crate::wire::cbor::{encode, encode_server};
use crate::wire::{
    Ack, BodyFrame, ClientFrame, Closing, ErrorCode, ErrorFrame, Gap, IdFrame, LoggedIn, Login,
    Message, Millis, Presence, Present, Published, Resume, Role, Seq, ServerFrame, SessionId,
    SessionLine, SessionList, Shutdown, Stopping, Term, Welcome,
};

fn ids() -> impl Strategy<Value = u64> {
    numbers()
}

fn seqs() -> impl Strategy<Value = Seq> {
    numbers().prop_map(Seq)
}

fn times() -> impl Strategy<Value = Millis> {
    numbers().prop_map(Millis)
}

fn texts() -> impl Strategy<Value = Cow<'static, str>> {
    any::<String>().prop_map(Cow::Owned)
}

fn roles() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Leitor, Role::Escritor, Role::Admin])
}

fn id_frames() -> impl Strategy<Value = IdFrame> {
    ids().prop_map(|id| IdFrame { id })
}

fn body_frame() -> impl Strategy<Value = BodyFrame<'static>> {
    (ids(), bodies()).prop_map(|(id, body)| BodyFrame { id, body })
}

fn logins() -> impl Strategy<Value = Login<'static>> {
    let resume = (texts(), seqs(), terms()).prop_map(|(stream, after, term)| Resume {
        stream,
        after,
        term,
    });
    let parts = (ids(), texts(), texts(), prop::option::of(resume));
    parts.prop_map(|(id, user, password, resume)| Login {
        id,
        user,
        password,
        resume,
    })
}

fn client_frames() -> impl Strategy<Value = ClientFrame<'static>> {
    let now = prop::option::of(any::<bool>());
    prop_oneof![
        logins().prop_map(ClientFrame::Login),
        body_frame().prop_map(ClientFrame::Request),
        body_frame().prop_map(ClientFrame::Publish),
        id_frames().prop_map(ClientFrame::Who),
        id_frames().prop_map(ClientFrame::Ping),
        seqs().prop_map(|seq| ClientFrame::Ack(Ack { seq })),
        id_frames().prop_map(ClientFrame::Fim),
        (ids(), now).prop_map(|(id, now)| ClientFrame::Shutdown(Shutdown { id, now })),
        id_frames().prop_map(ClientFrame::Sessions),
    ]
}

fn welcomes() -> impl Strategy<Value = Welcome<'static>> {
    let features = prop::collection::vec(texts(), 0..4);
    let limits = prop::option::of(prop::collection::btree_map(texts(), numbers(), 0..4));
    let max_body = prop::option::of(numbers());
    let parts = (
        numbers(),
        texts(),
        numbers(),
        numbers(),
        max_body,
        prop::option::of(numbers()),
        features,
        limits,
    );
    parts.prop_map(
        |(version, server, session, max_frame, max_body, idle_timeout, features, limits)| Welcome {
            version,
            server,
            session: SessionId(session),
            max_frame,
            max_body,
            idle_timeout,
            features,
            limits,
        },
    )
}

fn terms() -> impl Strategy<Value = Option<Term>> {
    prop::option::of(numbers().prop_map(Term))
}

fn logged_in() -> impl Strategy<Value = LoggedIn<'static>> {
    let rate = prop::option::of(texts());
    let parts = (
        ids(),
        texts(),
        roles(),
        any::<bool>(),
        texts(),
        seqs(),
        terms(),
        rate,
    );
    parts.prop_map(
        |(id, user, role, registered, stream, seq, term, request_rate)| LoggedIn {
            id,
            user,
            role,
            registered,
            stream,
            seq,
            term,
            request_rate,
        },
    )
}

fn messages() -> impl Strategy<Value = Message<'static>> {
    let parts = (seqs(), texts(), times(), bodies());
    parts.prop_map(|(seq, from, at, body)| Message {
        seq,
        from,
        at,
        body,
    })
}

fn presence() -> impl Strategy<Value = Presence<'static>> {
    (seqs(), texts(), times()).prop_map(|(seq, user, at)| Presence { seq, user, at })
}

fn errors() -> impl Strategy<Value = ErrorFrame<'static>> {
    let codes = prop_oneof![Just(ErrorCode::BadFrame), Just(ErrorCode::TooManySessions)];
    let retry_after = prop::option::of(numbers());
    let parts = (prop::option::of(ids()), codes, texts(), retry_after);
    parts.prop_map(|(id, code, message, retry_after)| ErrorFrame {
        id,
        code,
        message,
        retry_after,
    })
}

fn stoppings() -> impl Strategy<Value = Stopping<'static>> {
    let parts = (prop::option::of(ids()), texts(), texts(), numbers());
    parts.prop_map(|(id, reason, phase, remaining)| Stopping {
        id,
        reason,
        phase,
        remaining,
    })
}

fn closings() -> impl Strategy<Value = Closing<'static>> {
    let parts = (texts(), seqs(), numbers(), numbers());
    parts.prop_map(|(reason, last_seq, accepted, refused)| Closing {
        reason,
        last_seq,
        accepted,
        refused,
    })
}

fn session_lines() -> impl Strategy<Value = SessionLine<'static>> {
    let parts = (
        numbers(),
        prop::option::of(texts()),
        texts(),
        texts(),
        times(),
        seqs(),
    );
    parts.prop_map(|(session, user, endpoint, peer, since, sent)| SessionLine {
        session: SessionId(session),
        user,
        endpoint,
        peer,
        since,
        sent,
    })
}

fn server_frames() -> impl Strategy<Value = ServerFrame<'static>> {
    let published = (ids(), seqs()).prop_map(|(id, seq)| Published { id, seq });
    let users = prop::collection::vec(texts(), 0..30);
    let present = (ids(), users).prop_map(|(id, users)| Present { id, users });
    let gap = (seqs(), seqs()).prop_map(|(from, to)| Gap { from, to });
    let sessions = prop::collection::vec(session_lines(), 0..4);
    let sessions = (ids(), sessions).prop_map(|(id, sessions)| SessionList { id, sessions });
    prop_oneof![
        welcomes().prop_map(ServerFrame::Welcome),
        logged_in().prop_map(ServerFrame::LoggedIn),
        body_frame().prop_map(ServerFrame::Reply),
        published.prop_map(ServerFrame::Published),
        present.prop_map(ServerFrame::Present),
        id_frames().prop_map(ServerFrame::Pong),
        messages().prop_map(ServerFrame::Message),
        presence().prop_map(ServerFrame::Joined),
        presence().prop_map(ServerFrame::Left),
        gap.prop_map(ServerFrame::Gap),
        errors().prop_map(ServerFrame::Error),
        stoppings().prop_map(ServerFrame::Stopping),
        closings().prop_map(ServerFrame::Closing),
        sessions.prop_map(ServerFrame::Sessions),
    ]
}

fn by_ciborium(frame: &impl serde::Serialize) -> Vec<u8> {
    let mut item = Vec::new();
    ciborium::into_writer(frame, &mut item).expect("a Vec takes every byte");
    framed(&item)
}

proptest! {
    #[test]
    fn client_frames_equal_the_encoding_of_ciborium(frame in client_frames()) {
        let mut bytes = Vec::new();
        encode(&frame, &mut bytes);
        prop_assert_eq!(bytes, by_ciborium(&frame));
    }

    #[test]
    fn server_frames_equal_the_encoding_of_ciborium(frame in server_frames()) {
        let mut bytes = Vec::new();
        encode_server(&frame, &mut bytes);
        prop_assert_eq!(bytes, by_ciborium(&frame));
    }
}
