//! The clients: leitor, escritor and pedir, in Rust and in Python.

use std::process::Stdio;

use arauto::wire::cbor;
use arauto::wire::{
    ClientFrame, Closing, Decoded, LoggedIn, Millis, Presence, Role, ServerFrame, SessionId,
    Stopping, VERSION, Welcome,
};
use arauto::{Evidence, Report, Seq};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};

use super::door::{Accepted, Door};
use super::support::{
    Served, complaint, example, interrupt, lines, printed, run_with, url, within,
};

/// What the system says where nobody listens.
const NO_SUCH: &str = if cfg!(windows) {
    "os error 2"
} else {
    "No such file"
};

#[tokio::test]
async fn leitor_prints_and_acknowledges_what_escritor_publishes() {
    let test = async {
        let server = Served::start().await;
        let endpoint = server.cbor();
        let mut witness = server.witness().await;
        let mut leitor = example("leitor.rs").await.expect("it needs no tools");
        let leitor = leitor.args([&endpoint, "leo"]).spawn().expect("it starts");
        witness.hear("joined leo").await;

        let mut escritor = example("escritor.rs").await.expect("it needs no tools");
        escritor.args([&endpoint, "eva", "bom dia", "a\n\u{1b}[31m\\"]);
        let output = witness.run("eva", escritor, "").await;
        assert_eq!(output, "published 4\npublished 5\n");

        let mut escritor = example("escritor.rs").await.expect("it needs no tools");
        escritor.args([&endpoint, "eva"]);
        let output = witness
            .run("eva", escritor, "uma linha\r\n\nfim\ntarde demais\n")
            .await;
        assert_eq!(output, "published 8\npublished 9\n");

        witness.stop().await;
        let output = leitor
            .wait_with_output()
            .await
            .expect("it can be waited for");
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(complaints.contains("closed: shutdown"), "{complaints}");
        let expected = [
            "3 * eva joined",
            "4 eva: bom dia",
            r"5 eva: a\n\u{1b}[31m\\",
            "6 * eva left",
            "7 * eva joined",
            "8 eva: uma linha",
            "9 eva: ",
            "10 * eva left",
        ];
        assert_eq!(lines(&printed(output)), expected);
        assert_eq!(evidence(&server.report().await, "leo"), Evidence::Acked);
    };
    within(test).await;
}

#[tokio::test]
async fn the_leitores_acknowledge_what_came_in_one_piece_with_the_end() {
    let test = async {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        let endpoint = url(folder.path(), "scripted");
        let mut door = Door::open(&endpoint);
        for name in ["leitor.rs", "leitor.py"] {
            let Some(mut leitor) = example(name).await else {
                continue;
            };
            let leitor = leitor.args([&endpoint, "lia"]).spawn().expect("it starts");
            let mut pipe = door.accept().await;
            let acknowledged = serve_all_at_once(&mut pipe).await;
            let output = printed(
                leitor
                    .wait_with_output()
                    .await
                    .expect("it can be waited for"),
            );
            assert_eq!(lines(&output), ["7 * eva joined", "8 * eva left"], "{name}");
            assert_eq!(acknowledged, Some(Seq(8)), "{name}");
        }
    };
    within(test).await;
}

/// A server's part of a session whose broadcasts and end are one write. Returns the
/// last ack.
async fn serve_all_at_once(pipe: &mut Accepted) -> Option<Seq> {
    let presence = |seq| Presence {
        seq: Seq(seq),
        user: "eva".into(),
        at: Millis(0),
    };
    let welcome = ServerFrame::Welcome(Welcome {
        version: VERSION,
        server: "script".into(),
        session: SessionId(1),
        max_frame: 1024,
        max_body: Some(900),
        idle_timeout: None,
        features: Vec::new(),
        limits: None,
    });
    write_frames(pipe, &[welcome]).await;
    let mut login = vec![0; pipe.read_u32().await.expect("it logs in") as usize];
    pipe.read_exact(&mut login).await.expect("it logs in");
    let logged_in = ServerFrame::LoggedIn(LoggedIn {
        id: 1,
        user: "lia".into(),
        role: Role::Leitor,
        registered: false,
        stream: "s".into(),
        seq: Seq(6),
        term: None,
        request_rate: None,
    });
    let stopping = ServerFrame::Stopping(Stopping {
        id: None,
        reason: "fim".into(),
        phase: "announce".into(),
        remaining: 1,
    });
    let closing = ServerFrame::Closing(Closing {
        reason: "shutdown".into(),
        last_seq: Seq(8),
        accepted: 0,
        refused: 0,
    });
    let (joined, left) = (
        ServerFrame::Joined(presence(7)),
        ServerFrame::Left(presence(8)),
    );
    write_frames(pipe, &[logged_in, joined, left, stopping, closing]).await;
    pipe.shutdown().await.expect("it is still there");

    let (mut input, mut last) = (Vec::new(), None);
    if let Err(error) = pipe.read_to_end(&mut input).await {
        // A pipe's end, on Windows.
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe, "{error}");
    }
    let mut rest = &input[..];
    while let Ok(Decoded::Frame(frame, length)) = cbor::decode_client(rest, 1024) {
        rest = &rest[length..];
        if let ClientFrame::Ack(ack) = frame {
            last = Some(ack.seq);
        }
    }
    last
}

async fn write_frames(pipe: &mut Accepted, frames: &[ServerFrame<'_>]) {
    let mut bytes = Vec::new();
    for frame in frames {
        cbor::encode_server(frame, &mut bytes);
    }
    pipe.write_all(&bytes).await.expect("it is still there");
}

fn evidence(report: &Report, user: &str) -> Evidence {
    let mut sessions = report.sessions.iter();
    let session = sessions.find(|session| session.user.as_deref() == Some(user));
    session
        .unwrap_or_else(|| panic!("{user} was there: {report:?}"))
        .evidence
}

#[tokio::test]
async fn leitor_ends_in_order_on_ctrl_c() {
    let test = async {
        let server = Served::start().await;
        let mut witness = server.witness().await;
        let mut leitor = example("leitor.rs").await.expect("it needs no tools");
        let mut leitor = leitor
            .args([&server.cbor(), "leo"])
            .spawn()
            .expect("it starts");
        witness.hear("joined leo").await;
        witness
            .client
            .publish("olá")
            .await
            .expect("the server runs");
        let stdout = leitor.stdout.take().expect("it is piped");
        let line = BufReader::new(stdout).lines().next_line().await;
        assert_eq!(line.expect("it is text").as_deref(), Some("3 witness: olá"));
        interrupt(&leitor);
        let status = leitor.wait().await.expect("it can be waited for");
        assert_eq!(status.code(), Some(0));
        witness.hear("left leo").await;
    };
    within(test).await;
}

#[tokio::test]
async fn escritor_hears_of_the_end_while_nobody_types() {
    let test = async {
        let server = Served::start().await;
        let mut witness = server.witness().await;
        let mut escritor = example("escritor.rs").await.expect("it needs no tools");
        let escritor = escritor.args([&server.cbor(), "eva"]).stdin(Stdio::piped());
        let mut escritor = escritor.spawn().expect("it starts");
        let typed = escritor.stdin.take(); // open, and silent
        witness.hear("joined eva").await;
        witness.stop().await;
        let output = escritor
            .wait_with_output()
            .await
            .expect("it can be waited for");
        drop(typed);
        assert_eq!(complaint(output, 1), "escritor: closed: shutdown\n");
    };
    within(test).await;
}

#[tokio::test]
#[cfg(unix)] // they speak to sockets only
async fn the_python_clients_and_the_rust_ones_understand_each_other() {
    let test = async {
        let (Some(mut leitor), Some(mut escritor), Some(mut from_stdin)) = (
            example("leitor.py").await,
            example("escritor.py").await,
            example("escritor.py").await,
        ) else {
            return;
        };
        let server = Served::start().await;
        let endpoint = server.cbor();
        let mut witness = server.witness().await;
        let leitor = leitor.args([&endpoint, "lia"]).spawn().expect("it starts");
        witness.hear("joined lia").await;
        let mut rust = example("leitor.rs").await.expect("it needs no tools");
        let rust = rust.args([&endpoint, "leo"]).spawn().expect("it starts");
        witness.hear("joined leo").await;

        escritor.args([&endpoint, "edu", "saudações", "a\n\u{1b}[31m\\"]);
        let output = witness.run("edu", escritor, "").await;
        assert_eq!(output, "published 5\npublished 6\n");
        from_stdin.args([&endpoint, "edu"]);
        let output = witness
            .run("edu", from_stdin, "uma linha\r\n\nfim\ntarde demais\n")
            .await;
        assert_eq!(output, "published 9\npublished 10\n");
        let mut escritor = example("escritor.rs").await.expect("it needs no tools");
        escritor.args([&endpoint, "eva", "de rust"]);
        witness.run("eva", escritor, "").await;
        let bytes = witness
            .client
            .publish(arauto::Body::bytes(&[0, 0xff]))
            .await;
        bytes.expect("the server runs");

        witness.stop().await;
        let output = leitor
            .wait_with_output()
            .await
            .expect("it can be waited for");
        let expected = [
            "3 * leo joined",
            "4 * edu joined",
            "5 edu: saudações",
            r"6 edu: a\n\u{1b}[31m\\",
            "7 * edu left",
            "8 * edu joined",
            "9 edu: uma linha",
            "10 edu: ",
            "11 * edu left",
            "12 * eva joined",
            "13 eva: de rust",
            "14 * eva left",
            r"15 witness: \x00\xff",
        ];
        let python = printed(output);
        assert_eq!(lines(&python), expected);
        let rust = rust.wait_with_output().await.expect("it can be waited for");
        assert_eq!(lines(&printed(rust)), expected[1..]);
        assert_eq!(evidence(&server.report().await, "lia"), Evidence::Acked);
    };
    within(test).await;
}

#[tokio::test]
#[cfg(unix)] // it speaks to sockets only
async fn python_leitor_resumes_from_its_resume_file() {
    let test = async {
        let (Some(mut first), Some(mut second)) =
            (example("leitor.py").await, example("leitor.py").await)
        else {
            return;
        };
        let server = Served::start().await;
        let (endpoint, file) = (server.cbor(), server.folder.path().join("place.json"));
        let mut witness = server.witness().await;
        let place = file.display().to_string();
        let first = first.args([&endpoint, "lia", &place]);
        let mut first = first.spawn().expect("it starts");
        witness.hear("joined lia").await;
        witness.client.publish("um").await.expect("the server runs");
        // The file is replaced whole, once what it says is shown.
        while !std::fs::read_to_string(&file).is_ok_and(|place| place.contains("\"seq\": 3")) {
            tokio::task::yield_now().await;
        }
        first.kill().await.expect("it runs");
        witness.hear("left lia").await;
        let kept = std::fs::read_to_string(&file).expect("it is there");
        assert!(kept.contains("\"term\": 1"), "{kept}");
        witness
            .client
            .publish("dois")
            .await
            .expect("the server runs");

        let second = second.args([&endpoint, "lia", &place]);
        let second = second.spawn().expect("it starts");
        witness.hear("joined lia").await;
        witness.stop().await;
        let output = second
            .wait_with_output()
            .await
            .expect("it can be waited for");
        let expected = ["4 * lia left", "5 witness: dois", "6 * lia joined"];
        assert_eq!(lines(&printed(output)), expected);
    };
    within(test).await;
}

#[tokio::test]
#[cfg(unix)] // they speak to sockets only
async fn python_clients_that_are_silent_keep_their_sessions() {
    let test = async {
        let (Some(mut leitor), Some(mut escritor)) =
            (example("leitor.py").await, example("escritor.py").await)
        else {
            return;
        };
        let server = Served::start_with(&["--idle-timeout", "1s"]).await;
        let endpoint = server.cbor();
        let mut witness = server.witness().await;
        let leitor = leitor.args([&endpoint, "lia"]).spawn().expect("it starts");
        witness.hear("joined lia").await;
        let escritor = escritor.args([&endpoint, "edu"]).stdin(Stdio::piped());
        let mut escritor = escritor.spawn().expect("it starts");
        witness.hear("joined edu").await;
        // The idle timeout must pass some times, and nothing may happen.
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
        let mut typed = escritor.stdin.take().expect("it is piped");
        typed
            .write_all("olá\nfim\n".as_bytes())
            .await
            .expect("it reads");
        let output = escritor.wait_with_output().await;
        let output = printed(output.expect("it can be waited for"));
        assert_eq!(output, "published 4\n");
        witness.stop().await;
        let output = leitor.wait_with_output().await;
        let output = printed(output.expect("it can be waited for"));
        assert_eq!(
            lines(&output),
            ["3 * edu joined", "4 edu: olá", "5 * edu left"]
        );
    };
    within(test).await;
}

#[tokio::test]
async fn pedir_prints_the_replies_in_the_order_of_the_requests() {
    let test = async {
        let server = Served::start().await;
        let pedir = example("pedir.rs").await.expect("it needs no tools");
        let numbers: Vec<String> = (0..500).map(|n| format!("n{n}")).collect();
        let endpoint = server.cbor();
        let mut args = vec![endpoint.as_str(), "ana", "straße", "a\nb"];
        args.extend(numbers.iter().map(String::as_str));
        let replies = printed(run_with(pedir, &args).await);
        let mut expected = vec!["STRASSE".to_owned(), r"A\nB".to_owned()];
        expected.extend(numbers.iter().map(|number| number.to_uppercase()));
        assert_eq!(lines(&replies), expected);
    };
    within(test).await;
}

#[tokio::test]
async fn a_client_that_gets_nowhere_says_why() {
    let test = async {
        let server = Served::start().await;
        let _witness = server.witness().await; // whose name is now taken
        let (cbor, nowhere) = (server.cbor(), url(server.folder.path(), "nobody"));
        let clients = [
            "leitor.rs",
            "escritor.rs",
            "pedir.rs",
            "leitor.py",
            "escritor.py",
        ];
        for name in clients {
            for (args, why) in [
                (vec![&*nowhere, "ana"], NO_SUCH),
                (vec!["nonsense", "ana"], "nonsense"),
                (vec![&*cbor, "a b"], "bad-name"),
                (vec![&*cbor, "witness"], "bad-credentials"),
                (vec![], "ENDPOINT USER"),
            ] {
                let Some(mut client) = example(name).await else {
                    break;
                };
                client.env("ARAUTO_PASSWORD", "another");
                let complaint = complaint(run_with(client, &args).await, 1);
                assert!(complaint.contains(why), "{name} {args:?}: {complaint}");
                assert!(
                    !complaint.contains("panicked"),
                    "{name} {args:?}: {complaint}"
                );
                assert!(
                    !complaint.contains("Traceback"),
                    "{name} {args:?}: {complaint}"
                );
            }
        }
    };
    within(test).await;
}
