//! The cost of each step of a message's way, apart from sockets and actors.
//!
//! ```sh
//! cargo bench --bench micro             # all of them
//! cargo bench --bench micro -- --quick log
//! ```
//!
//! `arauto bench` measures the whole server.
#![allow(
    missing_docs,
    reason = "criterion's macros make public functions without any"
)]

use std::hint::black_box;
use std::sync::Arc;

use arauto::HashCost;
use arauto::internal::accounts::{Accounts, Claim, Hasher, LoginLimits, PeerId};
use arauto::internal::log::{Appender, Content, Log, LogRead, Origin};
use arauto::wire::cbor::{self, FrameScanner, MessageFrames};
use arauto::wire::{
    AnswerFrame, CallFrame, ClientFrame, MAX_FRAME, Message, Publish, Published, ReplyFrame,
    ReplyOptions, Request, RequestOptions, ServerFrame,
};
use arauto::{BackpressureLimits, Body, LogLimits, Millis, Rate, Role, Seq};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// The body of every message here, unless its name says otherwise.
const BODY: &str = "as long as the bodies of other benchmarks are, so that the figures fit \
                    together, which makes one hundred and twenty-eight bytes.";
const AT: Millis = Millis(1_700_000_000_000);

fn message(seq: u64) -> ServerFrame<'static> {
    ServerFrame::Message(Message::new(Seq(seq), "escritor-1", AT, Body::text(BODY)))
}

fn request() -> ClientFrame<'static> {
    ClientFrame::Request(Request::new(1, Body::text(BODY)))
}

fn publish() -> ClientFrame<'static> {
    ClientFrame::Publish(Publish::new(1, Body::text(BODY)))
}

/// A request to a service.
fn ask() -> ClientFrame<'static> {
    let mut request = Request::new(1, Body::text(BODY));
    request.options = Some(Box::new(RequestOptions {
        service: Some("convert".into()),
        ..RequestOptions::default()
    }));
    ClientFrame::Request(request)
}

fn answer() -> ClientFrame<'static> {
    let result = Ok((Body::text(BODY), None));
    ClientFrame::Answer(AnswerFrame { call: 1, result })
}

fn call() -> ServerFrame<'static> {
    ServerFrame::Call(CallFrame {
        call: 70_000,
        service: "convert".into(),
        from: "leitor-1".into(),
        body: Body::text(BODY),
        remaining: 30_000,
        headers: None,
    })
}

fn reply() -> ServerFrame<'static> {
    let mut reply = ReplyFrame::new(70_000, Body::text(BODY));
    reply.options = Some(Box::new(ReplyOptions {
        from: Some("escritor-1".into()),
        headers: None,
    }));
    ServerFrame::Reply(reply)
}

fn encoded(frame: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    cbor::encode(frame, &mut bytes);
    bytes
}

fn encode(c: &mut Criterion) {
    assert_eq!(BODY.len(), 128);
    let mut group = c.benchmark_group("encode");
    group.throughput(Throughput::Elements(1));
    let mut bytes = Vec::with_capacity(1024);
    let mut case = |name: &str, encode: &dyn Fn(&mut Vec<u8>)| {
        group.bench_function(name, |b| {
            b.iter(|| {
                bytes.clear();
                encode(&mut bytes);
                black_box(&bytes);
            });
        });
    };
    let (message, request, publish) = (message(70_000), request(), publish());
    let (body, frames) = (body_item(), MessageFrames::new("escritor-1", AT));
    case("message", &|out| {
        frames.encode(black_box(Seq(70_000)), &body, out);
    });
    case("message by serde", &|out| {
        cbor::encode(black_box(&message), out);
    });
    let (id, seq) = (70_000, Seq(70_000));
    let published = ServerFrame::Published(Published::new(id, seq));
    case("published", &|out| {
        cbor::encode_server(black_box(&published), out);
    });
    let (call, reply) = (call(), reply());
    case("call", &|out| cbor::encode_server(black_box(&call), out));
    case("reply of a service", &|out| {
        cbor::encode_server(black_box(&reply), out);
    });
    case("request", &|out| cbor::encode(black_box(&request), out));
    case("publish", &|out| cbor::encode(black_box(&publish), out));
    group.finish();
}

fn decode(c: &mut Criterion) {
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(1));
    let bytes = encoded(&message(70_000));
    group.bench_function("message", |b| {
        b.iter(|| {
            let decoded = cbor::decode_server(black_box(&bytes), MAX_FRAME);
            assert!(black_box(decoded).is_ok());
        });
    });
    for (name, frame) in [
        ("request", request()),
        ("publish", publish()),
        ("request to a service", ask()),
        ("answer", answer()),
    ] {
        let bytes = encoded(&frame);
        group.bench_function(name, |b| {
            b.iter(|| {
                let decoded = cbor::decode_client(black_box(&bytes), MAX_FRAME);
                assert!(black_box(decoded).is_ok());
            });
        });
    }
    group.finish();
}

/// The work of a client of `arauto bench` for each broadcast.
fn scan(c: &mut Criterion) {
    let mut group = c.benchmark_group("scan");
    let bytes: Vec<u8> = (1..=1000).flat_map(|seq| encoded(&message(seq))).collect();
    group.throughput(Throughput::Elements(1000));
    group.bench_function("message", |b| {
        b.iter(|| {
            let mut scanner = FrameScanner::new(Seq::ZERO, MAX_FRAME);
            let mut count = 0_u64;
            let scanned = scanner.scan(black_box(&bytes), |_| count += 1);
            scanned.expect("they are frames");
            assert_eq!(count, 1000);
        });
    });
    group.finish();
}

fn new_log() -> (Arc<Log>, Appender) {
    log_from(Seq(1))
}

/// A log whose first broadcast has this seq.
fn log_from(first: Seq) -> (Arc<Log>, Appender) {
    let limits = LogLimits {
        bytes: 64 << 20,
        backpressure: BackpressureLimits {
            window: 8 << 20,
            min_rate: 1 << 20,
            ..BackpressureLimits::default()
        },
    };
    let origin = Origin {
        stream: "bench".to_owned(),
        terms: arauto::internal::log::Terms::single(),
        first,
        journal: None,
        kept: Vec::new(),
    };
    Log::continue_from(origin, limits, 1)
}

fn body_item() -> Vec<u8> {
    let mut item = Vec::new();
    cbor::encode_body(&Body::text(BODY), &mut item);
    item
}

fn push(appender: &mut Appender, count: usize) {
    let body = body_item();
    let messages = std::iter::repeat_n(Content::body(&body), count);
    let pushed = appender.push_messages(AT, "escritor-1", messages);
    pushed.expect("it is not sealed");
}

fn log(c: &mut Criterion) {
    let mut group = c.benchmark_group("log");
    group.throughput(Throughput::Elements(1));
    let (_log, mut appender) = new_log();
    group.bench_function("append one, commit", |b| {
        b.iter(|| {
            push(&mut appender, 1);
            appender.commit();
        });
    });
    group.throughput(Throughput::Elements(300));
    group.bench_function("append 300, commit", |b| {
        b.iter(|| {
            push(&mut appender, 300);
            appender.commit();
        });
    });
    let (_log, mut appender) = log_from(Seq(1_000_000_000));
    group.bench_function("append 300, commit, from seq 10^9 on", |b| {
        b.iter(|| {
            push(&mut appender, 300);
            appender.commit();
        });
    });
    read_log(&mut group);
    group.finish();
}

/// A reader that lags by a few parts takes them, as after a write.
fn read_log<M: criterion::measurement::Measurement>(group: &mut criterion::BenchmarkGroup<'_, M>) {
    let (log, mut appender) = new_log();
    for _ in 0..16 {
        push(&mut appender, 300);
        appender.commit();
    }
    let start = log.cursor_after(Seq(300));
    group.throughput(Throughput::Elements(1));
    group.bench_function("read at the cursor", |b| {
        b.iter(|| {
            let mut cursor = black_box(start);
            let LogRead::Frames(slices) = log.read(&mut cursor, None, 4, 256 << 10) else {
                panic!("there are frames");
            };
            let length = slices.iter().map(|slice| slice.bytes.len()).sum();
            black_box(cursor.advance(&log, &slices, length));
        });
    });
    let head = log.cursor_after(log.head());
    group.bench_function("read at the head", |b| {
        b.iter(|| {
            let mut cursor = black_box(head);
            assert!(matches!(
                log.read(&mut cursor, None, 4, 256 << 10),
                LogRead::AtHead
            ));
        });
    });
}

/// A login whose password was right a short while ago: all but argon2.
fn login(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime can be made");
    let hasher = Hasher::new(HashCost::LEAST).expect("argon2 takes its own least");
    let limits = LoginLimits {
        hashing: 1,
        waiting: 1,
        user_rate: Rate::a_minute(100),
        peer_rate: Rate::a_minute(100),
        accounts: 1,
        default_role: Role::Escritor,
    };
    let accounts = Accounts::open(None, hasher, limits).expect("there is nothing to read");
    let claim = Claim {
        user: "ana".to_owned(),
        password: "segredo".to_owned(),
        may_register: true,
        peer: PeerId::Local,
        cancel: tokio_util::sync::CancellationToken::new(),
        certified_user: None,
    };
    runtime
        .block_on(accounts.login(&claim))
        .expect("it registers");
    c.bench_function("login/recently right", |b| {
        b.iter(|| {
            let admitted = runtime.block_on(accounts.login(black_box(&claim)));
            assert!(black_box(admitted).is_ok());
        });
    });
}

criterion_group!(benches, encode, decode, scan, log, login);
criterion_main!(benches);
