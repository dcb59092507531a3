//! All rows.

use super::{Row, Work};
use crate::engine::output::Writes;
use crate::load::fan_out::FanOut;
use crate::load::loops::Loops;
use crate::load::memory::Held;
use crate::load::publishers::Publishers;
use crate::load::services::Services;
use crate::load::starts::Moment;
use crate::load::topics::Topics;
use crate::peer::System::{
    self, Arauto, ArautoNoTopic, ArautoUnfiltered, ArautoUpper, Bare, BareFramed, EpollEcho,
    Mosquitto, Nats, NatsDebian, Redis, Relay, Sqlite, TokioEcho,
};
use crate::start::Storage;

const SERVERS: &[System] = &[Arauto, Bare, BareFramed, Nats, NatsDebian, Redis, Mosquitto];
/// Without mosquitto, which is far behind in these rows.
const FAST_SERVERS: &[System] = &[Arauto, Bare, BareFramed, Nats, NatsDebian, Redis];
const RELAYS: &[System] = &[Arauto, Bare, Nats, NatsDebian, Redis, Mosquitto];
const DAEMONS: &[System] = &[Arauto, Nats, NatsDebian, Redis, Mosquitto];
const ECHOES: &[System] = &[Arauto, ArautoUpper, Redis, TokioEcho, EpollEcho];
const SERVICES: &[System] = &[Arauto, Relay, Nats, NatsDebian, Redis];
const LOOPS: &[System] = &[Arauto, Redis, TokioEcho, EpollEcho];

const fn saturated(readers: usize, size: usize) -> Work {
    Work::FanOut(FanOut {
        publishers: 1,
        readers,
        size,
        writes: Writes::Pipelined,
        pace: None,
    })
}

const fn paced(pace: u64) -> Work {
    Work::FanOut(FanOut {
        publishers: 1,
        readers: 100,
        size: 128,
        writes: Writes::Single,
        pace: Some(pace),
    })
}

const PUBLISHERS: Work = Work::FanOut(FanOut {
    publishers: 32,
    readers: 100,
    size: 128,
    writes: Writes::Single,
    pace: None,
});

const fn loops(in_flight: usize) -> Work {
    Work::Loops(Loops {
        clients: 64,
        in_flight,
        size: 128,
    })
}

const fn services(callers: usize, responders: usize) -> Work {
    Work::Services(Services {
        callers,
        responders,
        size: 128,
    })
}

/// Topics without readers.
const TOPICS: Topics = Topics {
    topics: 1000,
    own: false,
    of_pattern: 0,
    of_all: 0,
    size: 128,
};

/// A reader for each topic.
const fn own_topics(topics: usize) -> Work {
    Work::Topics(Topics {
        topics,
        own: true,
        ..TOPICS
    })
}

const READERS_OF_A_PATTERN: Work = Work::Topics(Topics {
    topics: 10_000,
    of_pattern: 100,
    ..TOPICS
});

const UNFILTERED_BESIDE_FILTERED: Work = Work::Topics(Topics {
    own: true,
    of_all: 100,
    ..TOPICS
});

/// All of them: the name of the group, the row's own, its title.
#[rustfmt::skip] // one row, few lines
pub const ROWS: &[Row] = &[
    Row::new(
        ["few-readers", "fan-out-1", "fan-out, 1 reader, 128 bytes"],
        saturated(1, 128), FAST_SERVERS,
    ),
    Row::new(
        ["few-readers", "fan-out-2", "fan-out, 2 readers, 128 bytes"],
        saturated(2, 128), FAST_SERVERS,
    ),
    Row::new(
        ["few-readers", "fan-out-5", "fan-out, 5 readers, 128 bytes"],
        saturated(5, 128), FAST_SERVERS,
    ),
    Row::new(
        ["few-readers", "fan-out-10", "fan-out, 10 readers, 128 bytes"],
        saturated(10, 128), SERVERS,
    ),
    Row::new(
        ["fan-out", "fan-out-100", "fan-out, 100 readers, 128 bytes"],
        saturated(100, 128), SERVERS,
    ),
    Row::new(
        ["fan-out", "fan-out-1000", "fan-out, 1,000 readers, 128 bytes"],
        saturated(1000, 128), SERVERS,
    ),
    Row::new(
        ["fan-out", "fan-out-16-bytes", "fan-out, 100 readers, 16 bytes"],
        saturated(100, 16), SERVERS,
    ),
    Row::new(
        ["fan-out", "fan-out-4-kib", "fan-out, 100 readers, 4 KiB"],
        saturated(100, 4096), SERVERS,
    ),
    Row::new(
        ["fan-out", "publishers-32", "32 publishers, one write a message, 100 readers, 128 bytes"],
        PUBLISHERS, SERVERS,
    ),
    Row::new(
        ["topics", "topics-1000", "1,000 topics with one reader each, 128 bytes"],
        own_topics(1000), DAEMONS,
    ),
    Row::new(
        ["topics", "topics-10000", "10,000 topics with one reader each, 128 bytes"],
        own_topics(10_000), DAEMONS,
    ),
    Row::new(
        ["topics", "topics-pattern", "100 readers of `a/+/c` among 10,000 topics, 128 bytes"],
        READERS_OF_A_PATTERN, DAEMONS,
    ),
    Row::new(
        ["topics", "topics-mixed", "100 unfiltered readers beside 1,000 of one topic each, 128 bytes"],
        UNFILTERED_BESIDE_FILTERED,
        &[Arauto, ArautoUnfiltered, Nats, NatsDebian, Redis, Mosquitto],
    ),
    Row::new(
        ["topics", "topics-unread", "messages to 1,000 topics without a reader, 128 bytes"],
        Work::Topics(TOPICS), &[Arauto, ArautoNoTopic],
    ),
    Row::new(
        ["topics", "memory-topic", "memory of a topic, of many in the log"],
        Work::Memory(Held::Topics), &[Arauto],
    ),
    Row::new(
        ["topics", "memory-subscription", "memory of a subscription, 1,000 a session"],
        Work::Memory(Held::Subscriptions), &[Arauto],
    ),
    Row::new(
        ["delivery", "delivery", "publish to delivery, 1 publisher, 1 subscriber, one cpu, 128 bytes"],
        Work::Delivery { size: 128 }, RELAYS,
    ).on_one_cpu(),
    Row::new(
        ["delivery", "delivery-all-cpus", "publish to delivery, 1 publisher, 1 subscriber, all cpus, 128 bytes"],
        Work::Delivery { size: 128 }, RELAYS,
    ),
    Row::new(
        ["paced", "paced-1000", "paced, 1,000 messages a second, 100 readers, 128 bytes"],
        paced(1000), SERVERS,
    ),
    Row::new(
        ["paced", "paced-20000", "paced, 20,000 messages a second, 100 readers, 128 bytes"],
        paced(20_000), FAST_SERVERS,
    ),
    Row::new(
        ["request", "request", "request and reply, one cpu, 128 bytes"],
        Work::RoundTrips { size: 128 }, ECHOES,
    ).on_one_cpu(),
    Row::new(
        ["loops", "loops-1", "64 closed loops, 1 request in flight each, 128 bytes"],
        loops(1), LOOPS,
    ),
    Row::new(
        ["loops", "loops-1-one-cpu", "64 closed loops, 1 request in flight each, one cpu, 128 bytes"],
        loops(1), LOOPS,
    ).on_one_cpu(),
    Row::new(
        ["loops", "loops-16", "64 closed loops, 16 requests in flight each, 128 bytes"],
        loops(16), LOOPS,
    ),
    Row::new(
        ["services", "services-64", "service: 64 callers, one call at a time each, 4 responders, 128 bytes"],
        services(64, 4), SERVICES,
    ),
    Row::new(
        ["services", "services-64-one-cpu", "service: 64 callers, one call at a time each, 4 responders, one cpu, 128 bytes"],
        services(64, 4), SERVICES,
    ).on_one_cpu(),
    Row::new(
        ["services", "services-1-one-cpu", "service: 1 caller, one call at a time, 1 responder, one cpu, 128 bytes"],
        services(1, 1), SERVICES,
    ).on_one_cpu(),
    Row::new(
        ["tls", "tls-fan-out", "TLS: fan-out, 100 readers, 128 bytes"],
        saturated(100, 128), &[Arauto, Nats, NatsDebian, Redis],
    ).over_tls(),
    Row::new(
        ["tls", "tls-loops", "TLS: 64 closed loops, 1 request in flight each, 128 bytes"],
        loops(1), &[Arauto, Redis],
    ).over_tls(),
    Row::new(
        ["journal", "journal-64", "on disk: 64 publishers, 16 messages in flight each, 128 bytes"],
        Work::Publishers(Publishers { publishers: 64, in_flight: 16, size: 128 }), &[Arauto, Nats],
    ).with(Storage::Messages),
    Row::new(
        ["journal", "journal-1", "on disk: 1 publisher, one message at a time, 128 bytes"],
        Work::Commits { size: 128 }, &[Arauto, Nats, Sqlite],
    ).with(Storage::Messages),
    Row::new(
        ["start", "start", "start to the first answer, empty data folder"],
        Work::Starts(Moment::Ready), DAEMONS,
    ).with(Storage::Folder),
    Row::new(
        ["start", "stop", "SIGTERM to the end of an idle server"],
        Work::Starts(Moment::Stopped), DAEMONS,
    ).with(Storage::Folder),
];
