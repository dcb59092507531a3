//! The clients in Rust: leitor, escritor and pedir.

use std::process::Stdio;

use arauto::{Evidence, Seq};
use tokio::io::{AsyncBufReadExt, BufReader};

use super::listener::TestListener;
use super::scripted::serve_all_at_once;
use super::support::{
    Served, complaint, evidence, example, interrupt, lines, printed, run_with, start, url, within,
};

/// A part of the system's error if nothing listens.
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
        let leitor = start(leitor.args([&endpoint, "leo"]));
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
async fn leitor_acknowledges_broadcasts_read_with_the_end() {
    let test = async {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        let endpoint = url(folder.path(), "scripted");
        let mut listener = TestListener::open(&endpoint);
        for name in ["leitor.rs", "leitor.py"] {
            let Some(mut leitor) = example(name).await else {
                continue;
            };
            let leitor = start(leitor.args([&endpoint, "lia"]));
            let mut pipe = listener.accept().await;
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

#[tokio::test]
async fn leitor_ends_cleanly_at_ctrl_c() {
    let test = async {
        let server = Served::start().await;
        let mut witness = server.witness().await;
        let mut leitor = example("leitor.rs").await.expect("it needs no tools");
        let mut leitor = start(leitor.args([&server.cbor(), "leo"]));
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
async fn idle_escritor_notices_the_end_of_the_session() {
    let test = async {
        let server = Served::start().await;
        let mut witness = server.witness().await;
        let mut escritor = example("escritor.rs").await.expect("it needs no tools");
        let escritor = escritor.args([&server.cbor(), "eva"]).stdin(Stdio::piped());
        let mut escritor = start(escritor);
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
async fn pedir_prints_replies_in_request_order() {
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
async fn client_that_cannot_log_in_prints_the_reason() {
    let test = async {
        let server = Served::start().await;
        let _witness = server.witness().await; // whose name is now taken
        let (cbor, nowhere) = (server.cbor(), url(server.folder.path(), "nobody"));
        let clients = [
            "leitor.rs",
            "escritor.rs",
            "pedir.rs",
            "offer.rs",
            "ask.rs",
            "leitor.py",
            "escritor.py",
            "offer.py",
            "ask.py",
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
                let mut args = args;
                if !args.is_empty() && (name.starts_with("offer") || name.starts_with("ask")) {
                    args.push("service");
                }
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
