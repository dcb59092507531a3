//! Every frame has the same bytes as with another codec, ciborium, so serde_cbor can be replaced
//! without a change on the wire.

use std::borrow::Cow;
use std::fmt::Debug;
use std::str::FromStr;

use proptest::prelude::{Just, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use super::cursors::{cursor_keys, cursor_lists};
use super::same_as_serde::{bodies, numbers};
use super::{framed, services};
use crate::wire::cbor::{decode_client, decode_server, encode, encode_server};
use crate::wire::{
    Ack, ClientFrame, CloseReason, Closing, CursorRemoved, Cursors, Decoded, ErrorCode, ErrorFrame,
    Gap, Headers, IdFrame, LoggedIn, Login, LoginOptions, Message, Millis, Named, Passed, Phase,
    Presence, Present, Publish, PublishOptions, Published, RemoveCursor, Resume, Role, Seq,
    ServerFrame, SessionId, SessionLine, SessionList, Shutdown, StopReason, Stopping, Subscribe,
    Subscribed, Term, TopicLine, TopicList, TopicQuery, Welcome,
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

/// One of the `known` values, or an unknown name.
fn names<T: FromStr + Copy + Debug + 'static>(
    known: impl Into<Vec<T>>,
) -> impl Strategy<Value = Named<T>> {
    let known = prop::sample::select(known.into()).prop_map(Named::Known);
    prop_oneof![known, any::<String>().prop_map(|name| Named::from(&*name))]
}

fn roles() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Leitor, Role::Escritor, Role::Admin])
}

fn id_frames() -> impl Strategy<Value = IdFrame> {
    ids().prop_map(|id| IdFrame { id })
}

fn flags() -> impl Strategy<Value = Option<bool>> {
    prop::option::of(any::<bool>())
}

fn text_lists() -> impl Strategy<Value = Vec<Cow<'static, str>>> {
    prop::collection::vec(texts(), 0..30)
}

/// Generates headers with different names.
pub(super) fn headers() -> impl Strategy<Value = Option<Headers<'static>>> {
    let entries = prop::collection::btree_map(any::<String>(), any::<String>(), 0..30);
    let headers = entries.prop_map(|entries| {
        let mut headers = Headers::default();
        let mut push = |(name, value): (String, String)| headers.push(name, value);
        entries.into_iter().for_each(&mut push);
        headers
    });
    prop::option::of(headers)
}

/// Generates publishes with any of their keys.
pub(super) fn publishes() -> impl Strategy<Value = Publish<'static>> {
    let options = (
        headers(),
        flags(),
        prop::option::of(texts()),
        prop::option::of(texts()),
        prop::option::of(numbers()),
    );
    let options = options.prop_map(|(headers, keep, to, producer, n)| PublishOptions {
        headers,
        keep,
        to,
        producer,
        n,
    });
    let options = prop::option::of(options.prop_map(Box::new));
    let parts = (ids(), bodies(), prop::option::of(texts()), options);
    parts.prop_map(|(id, body, topic, options)| Publish {
        id,
        body,
        topic,
        options: options.filter(|options| **options != PublishOptions::default()),
    })
}

fn login_options() -> impl Strategy<Value = Option<Box<LoginOptions<'static>>>> {
    let filter = prop::option::of(text_lists());
    let cursor = prop::option::of(texts());
    let parts = (filter, flags(), flags(), cursor);
    let options = parts.prop_map(|(filter, presence, kept, cursor)| LoginOptions {
        filter,
        presence,
        kept,
        cursor,
    });
    prop::option::of(options.prop_map(Box::new))
        .prop_map(|options| options.filter(|options| **options != LoginOptions::default()))
}

fn subscribes() -> impl Strategy<Value = Subscribe<'static>> {
    let parts = (ids(), text_lists(), text_lists(), flags());
    parts.prop_map(|(id, add, remove, kept)| Subscribe {
        id,
        add,
        remove,
        kept,
    })
}

fn logins() -> impl Strategy<Value = Login<'static>> {
    let resume = (texts(), seqs(), terms()).prop_map(|(stream, after, term)| Resume {
        stream,
        after,
        term,
    });
    let parts = (
        ids(),
        texts(),
        texts(),
        prop::option::of(resume),
        login_options(),
    );
    parts.prop_map(|(id, user, password, resume, options)| Login {
        id,
        user,
        password,
        resume,
        options,
    })
}

fn client_frames() -> impl Strategy<Value = ClientFrame<'static>> {
    let now = prop::option::of(any::<bool>());
    prop_oneof![
        logins().prop_map(|login| ClientFrame::Login(Box::new(login))),
        publishes().prop_map(ClientFrame::Publish),
        subscribes().prop_map(|frame| ClientFrame::Subscribe(Box::new(frame))),
        id_frames().prop_map(ClientFrame::Who),
        id_frames().prop_map(ClientFrame::Ping),
        seqs().prop_map(|seq| ClientFrame::Ack(Ack { seq })),
        id_frames().prop_map(ClientFrame::Fim),
        (ids(), now).prop_map(|(id, now)| ClientFrame::Shutdown(Shutdown { id, now })),
        id_frames().prop_map(ClientFrame::Sessions),
        topic_queries().prop_map(|query| ClientFrame::Topics(Box::new(query))),
        (ids(), prop::option::of(cursor_keys()))
            .prop_map(|(id, after)| { ClientFrame::Cursors(Box::new(Cursors { id, after })) }),
        (ids(), texts(), texts()).prop_map(|(id, account, name)| {
            ClientFrame::RemoveCursor(Box::new(RemoveCursor { id, account, name }))
        }),
        services::client_frames(),
    ]
}

fn topic_queries() -> impl Strategy<Value = TopicQuery<'static>> {
    let text = || prop::option::of(texts());
    (ids(), text(), text()).prop_map(|(id, pattern, after)| TopicQuery { id, pattern, after })
}

fn topic_lists() -> impl Strategy<Value = TopicList<'static>> {
    let line = (texts(), seqs(), numbers(), prop::option::of(seqs()));
    let line = line.prop_map(|(topic, seq, held, kept)| TopicLine {
        topic,
        seq,
        held,
        kept,
    });
    let lines = prop::collection::vec(line, 0..4);
    let parts = (ids(), lines, any::<bool>());
    parts.prop_map(|(id, topics, more)| TopicList { id, topics, more })
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
        (prop::option::of(text_lists()), any::<bool>()),
    );
    parts.prop_map(
        |(id, user, role, registered, stream, seq, term, request_rate, topics)| LoggedIn {
            id,
            user,
            role,
            registered,
            stream,
            seq,
            term,
            request_rate,
            filter: topics.0,
            cursor_new: topics.1,
        },
    )
}

fn messages() -> impl Strategy<Value = Message<'static>> {
    let topic = prop::option::of(texts());
    let keys = (topic, headers(), any::<bool>(), prop::option::of(texts()));
    let parts = (seqs(), texts(), times(), bodies(), keys);
    parts.prop_map(
        |(seq, from, at, body, (topic, headers, keep, to))| Message {
            seq,
            from,
            at,
            body,
            topic,
            headers,
            keep,
            to,
        },
    )
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

fn stoppings() -> impl Strategy<Value = Stopping> {
    let parts = (
        prop::option::of(ids()),
        names(StopReason::ALL),
        names(Phase::ALL),
        numbers(),
    );
    parts.prop_map(|(id, reason, phase, remaining)| Stopping {
        id,
        reason,
        phase,
        remaining,
    })
}

fn closings() -> impl Strategy<Value = Closing> {
    let reasons = [CloseReason::Fim, CloseReason::Error(ErrorCode::BadFrame)];
    let parts = (names(reasons), seqs(), numbers(), numbers());
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
    let published = (ids(), seqs(), any::<bool>());
    let published = published.prop_map(|(id, seq, repeated)| Published { id, seq, repeated });
    let filter = prop::option::of(text_lists());
    let subscribed = (ids(), seqs(), filter);
    let subscribed = subscribed.prop_map(|(id, seq, filter)| Subscribed { id, seq, filter });
    let users = prop::collection::vec(texts(), 0..30);
    let present = (ids(), users).prop_map(|(id, users)| Present { id, users });
    let gap = (seqs(), seqs()).prop_map(|(from, to)| Gap { from, to });
    let sessions = prop::collection::vec(session_lines(), 0..4);
    let sessions = (ids(), sessions).prop_map(|(id, sessions)| SessionList { id, sessions });
    prop_oneof![
        welcomes().prop_map(ServerFrame::Welcome),
        logged_in().prop_map(ServerFrame::LoggedIn),
        published.prop_map(ServerFrame::Published),
        present.prop_map(ServerFrame::Present),
        id_frames().prop_map(ServerFrame::Pong),
        messages().prop_map(ServerFrame::Message),
        presence().prop_map(ServerFrame::Joined),
        presence().prop_map(ServerFrame::Left),
        gap.prop_map(ServerFrame::Gap),
        subscribed.prop_map(ServerFrame::Subscribed),
        messages().prop_map(ServerFrame::Kept),
        seqs().prop_map(|to| ServerFrame::Passed(Passed { to })),
        errors().prop_map(ServerFrame::Error),
        stoppings().prop_map(ServerFrame::Stopping),
        closings().prop_map(ServerFrame::Closing),
        sessions.prop_map(ServerFrame::Sessions),
        topic_lists().prop_map(ServerFrame::Topics),
        cursor_lists().prop_map(ServerFrame::Cursors),
        (ids(), any::<bool>())
            .prop_map(|(id, removed)| ServerFrame::CursorRemoved(CursorRemoved { id, removed })),
        services::server_frames(),
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
        prop_assert_eq!(&bytes, &by_ciborium(&frame));
        if !matches!(frame, ClientFrame::Ack(Ack { seq: Seq(0) })) {
            let decoded = decode_client(&bytes, usize::MAX);
            prop_assert_eq!(decoded, Ok(Decoded::Frame(frame, bytes.len())));
        }
    }

    #[test]
    fn server_frames_equal_the_encoding_of_ciborium(frame in server_frames()) {
        let mut bytes = Vec::new();
        encode_server(&frame, &mut bytes);
        prop_assert_eq!(&bytes, &by_ciborium(&frame));
        let decoded = decode_server(&bytes, usize::MAX);
        prop_assert_eq!(decoded, Ok(Decoded::Frame(frame, bytes.len())));
    }
}
