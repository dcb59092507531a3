//! The cbor dialect over seqpacket: one message is one frame.

use std::time::Duration;

use arauto::{Client, Evidence, Incoming};

use crate::support::{
    BareClient, Fixture, Frame, FrameClient, ask, block_on, bytes, login, publish, text,
};

fn fixture() -> Fixture {
    Fixture::on("seqpacket", "", |_| {})
}

fn unauthenticated_client(fixture: &Fixture) -> FrameClient {
    let mut client = FrameClient::packets(fixture.packets());
    client.expect("welcome");
    client
}

/// The next message, which must be one frame and nothing else.
fn one_frame(client: &mut BareClient) -> Option<Frame> {
    let message = client.receive()?;
    let (prefix, item) = message.split_first_chunk::<4>().expect("it has a prefix");
    assert_eq!(u32::from_be_bytes(*prefix) as usize, item.len());
    Some(Frame::parse(item))
}

#[test]
fn seqpacket_frame_is_exactly_one_message_both_ways() {
    let fixture = fixture();
    let mut ana = fixture.bare();
    let welcome = one_frame(&mut ana).expect("it speaks first");
    assert_eq!(welcome.num("max_frame"), 128 << 10);
    ana.send(&login(1, "ana", "segredo").bytes());
    assert!(one_frame(&mut ana).expect("it answers").is("logged_in"));
    for id in 0..200 {
        ana.send(&publish(id, text("bom dia")).bytes());
    }
    ana.send(&ask("fim", 999).bytes());
    let frames: Vec<Frame> = std::iter::from_fn(|| one_frame(&mut ana)).collect();
    let count = |name| frames.iter().filter(|frame| frame.is(name)).count();
    assert_eq!(
        (count("published"), count("message"), count("closing")),
        (200, 200, 1)
    );
    assert!(frames.last().expect("there are some").is("closing"));
    drop(ana);
    fixture.finish();
}

#[test]
fn seqpacket_message_not_exactly_one_frame_is_bad() {
    let fixture = fixture();
    let ping = ask("ping", 1).bytes();
    let two = [&ping[..], &ping[..]].concat();
    for message in [&ping[..ping.len() - 1], &ping[..3], &two, b""] {
        let mut client = fixture.bare();
        assert!(
            one_frame(&mut client)
                .expect("it speaks first")
                .is("welcome")
        );
        client.send(&ping);
        assert!(one_frame(&mut client).expect("it answers").is("pong"));
        client.send(message);
        let error = one_frame(&mut client).expect("it answers");
        assert_eq!(error.text("code"), "bad-frame");
        let closing = one_frame(&mut client).expect("it answers");
        assert_eq!(closing.text("reason"), "bad-frame");
        assert_eq!(one_frame(&mut client), None);
    }
    fixture.finish();
}

#[test]
fn overlong_seqpacket_message_ends_the_session_with_error() {
    let fixture = fixture();
    let mut unauthenticated = unauthenticated_client(&fixture);
    unauthenticated.send_bytes(&publish(1, bytes(&[0; 17 << 10])).bytes());
    unauthenticated.expect_error("frame-too-large");
    unauthenticated.expect_closing("frame-too-large");

    for length in [129 << 10, 200_000] {
        let mut ana = unauthenticated_client(&fixture);
        ana.log_in("ana");
        ana.send_bytes(&publish(1, bytes(&vec![0; length])).bytes());
        ana.expect_error("frame-too-large");
        ana.expect_closing("frame-too-large");
    }
    fixture.finish();
}

#[test]
fn requests_before_an_overlong_message_are_answered() {
    let fixture = fixture();
    let mut ana = unauthenticated_client(&fixture);
    ana.log_in("ana");
    for id in 0..10 {
        ana.publish(id, "bom dia");
    }
    ana.send_bytes(&publish(10, bytes(&vec![0; 200_000])).bytes());
    let frames = ana.until("closing");
    let published = frames.iter().filter(|frame| frame.is("published")).count();
    assert_eq!(published, 10);
    assert_eq!(
        frames.last().map(|frame| frame.text("reason")),
        Some("frame-too-large")
    );
    ana.expect_end();
    fixture.finish();
}

#[test]
fn broadcast_too_long_for_a_message_is_a_gap() {
    let mut cbor = String::new();
    let fixture = Fixture::on("seqpacket", "", |config| {
        cbor = format!("{}.stream", config.listen[0].endpoint).replace("seqpacket", "unix");
        Fixture::also(config, &cbor);
    });
    let mut eva = unauthenticated_client(&fixture);
    eva.log_in("eva");
    block_on(async {
        let unauthenticated_client = Client::connect(&cbor.parse().unwrap()).await.unwrap();
        let (ana, events) = unauthenticated_client
            .login("ana", "segredo")
            .await
            .unwrap();
        drop(events);
        ana.publish("um").await.unwrap();
        ana.publish("x".repeat(200 << 10)).await.unwrap();
        ana.publish("três").await.unwrap();
        ana.fim().await.unwrap();
    });
    let first = eva.skip_to("message").num("seq");
    let gap = eva.expect("gap");
    assert_eq!((gap.num("from"), gap.num("to")), (first + 1, first + 1));
    assert_eq!(eva.expect("message").num("seq"), first + 2);
    fixture.begin_stop();
    eva.skip_to("closing");
    eva.expect_end();
    drop(eva);
    let report = fixture.assert_clean();
    let of_eva = report
        .sessions
        .iter()
        .find(|row| row.user.as_deref() == Some("eva"));
    let row = of_eva.expect("she was there");
    assert_eq!(
        row.gaps.iter().map(|gap| gap.0.0).collect::<Vec<_>>(),
        [first + 1]
    );
}

#[test]
fn seqpacket_flood_arrives_in_order_and_stops_cleanly() {
    const MESSAGES: u64 = 5000;
    let fixture = fixture();
    let mut readers = [
        unauthenticated_client(&fixture),
        unauthenticated_client(&fixture),
    ];
    let mut from = [0; 2];
    for (number, reader) in readers.iter_mut().enumerate() {
        from[number] = reader.log_in(&format!("r{number}")).num("seq");
    }
    let heard: Vec<_> = std::thread::scope(|scope| {
        let reading = readers.map(|mut reader| {
            scope.spawn(move || {
                let frames = reader.until("closing");
                reader.expect_end();
                frames
            })
        });
        let mut ana = unauthenticated_client(&fixture);
        ana.log_in("ana");
        for id in 0..MESSAGES {
            ana.publish(id, "bom dia");
            // Both ways must move: while nobody reads the answers, nobody is read from.
            ana.skip_to("published");
        }
        ana.fim();
        drop(ana);
        fixture.begin_stop();
        reading
            .map(|reader| reader.join().expect("it heard all"))
            .into()
    });
    let report = fixture.assert_clean();
    for (frames, from) in heard.iter().zip(from) {
        let seqs = frames.iter().filter(|frame| frame.get("seq").is_some());
        let seqs: Vec<u64> = seqs.map(|frame| frame.num("seq")).collect();
        assert_eq!(seqs, (from + 1..=report.head.0).collect::<Vec<_>>());
    }
    for row in &report.sessions {
        assert!(row.evidence >= Evidence::Read, "{row:?}");
    }
}

#[test]
fn last_frames_arrive_while_the_client_still_writes() {
    for _ in 0..20 {
        let fixture = fixture();
        let mut ana = fixture.bare();
        one_frame(&mut ana).expect("it speaks first");
        ana.send(&login(1, "ana", "segredo").bytes());
        one_frame(&mut ana).expect("it answers");
        fixture.begin_stop();
        // The server closes at some moment of this; an unread message would cost the
        // client what it has not read itself.
        let mut id = 2;
        while id < 200 && ana.try_send(&ask("ping", id).bytes()).is_ok() {
            id += 1;
        }
        let frames: Vec<Frame> = std::iter::from_fn(|| one_frame(&mut ana)).collect();
        assert!(
            frames.last().is_some_and(|frame| frame.is("closing")),
            "{frames:?}"
        );
        drop(ana);
        fixture.assert_clean();
    }
}

#[test]
fn seqpacket_reader_that_never_reads_is_reported() {
    let fixture = Fixture::on("seqpacket", "", |config| {
        config.timeouts.drain = Duration::from_secs(2);
    });
    let mut stalled = unauthenticated_client(&fixture);
    stalled.log_in("stalled");
    for _ in 0..40 {
        let said = block_on(fixture.server.publish("x".repeat(64 << 10)));
        said.expect("it runs");
    }
    fixture.begin_stop();
    let report = fixture.report();
    assert_eq!(report.exit, 3);
    let row = &report.sessions[0];
    assert_eq!(row.missing, [(row.sent.next(), report.head)]);
    let mut last = 0;
    while let Some(frame) = stalled.recv() {
        if frame.get("seq").is_some() {
            last = frame.num("seq");
        }
    }
    assert_eq!(last, row.sent.0);
}

#[test]
fn rust_client_works_over_seqpacket() {
    let fixture = fixture();
    block_on(async {
        let unauthenticated_client = Client::connect(&fixture.server.endpoints()[0])
            .await
            .unwrap();
        let (ana, mut events) = unauthenticated_client
            .login("ana", "segredo")
            .await
            .unwrap();
        let asked: Vec<_> = (0..500)
            .map(|number| ana.begin_request(format!("n{number}")))
            .collect();
        let mut answers = Vec::new();
        for asking in asked {
            answers.push(asking.await.unwrap());
        }
        for (number, answer) in answers.into_iter().enumerate() {
            let answer = answer.await.unwrap();
            assert_eq!(answer.as_text(), Some(&*format!("N{number}")));
        }
        let longest = "x".repeat(100 << 10);
        let seq = ana.publish(longest).await.unwrap();
        match events.next().await {
            Some(Incoming::Event(event)) => assert_eq!(event.seq(), seq),
            other => panic!("{other:?}"),
        }
        assert_eq!(ana.who().await.unwrap(), ["ana"]);
        assert_eq!(ana.sessions().await.unwrap().len(), 1);
        drop(events);
        assert_eq!(ana.fim().await.unwrap().reason, "fim");
    });
    fixture.finish();
}
