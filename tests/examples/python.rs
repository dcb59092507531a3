//! The clients in Python: leitor and escritor.

use std::process::Stdio;

use arauto::Evidence;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::support::{PASSWORD, Served, evidence, example, lines, printed, start, within};

#[tokio::test]
async fn python_and_rust_clients_interoperate() {
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
        let leitor = start(leitor.args([&endpoint, "lia"]));
        witness.hear("joined lia").await;
        let mut rust = example("leitor.rs").await.expect("it needs no tools");
        let rust = start(rust.args([&endpoint, "leo"]));
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
        let mut first = start(first);
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
        let second = start(second);
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
async fn silent_python_clients_keep_their_sessions() {
    let test = async {
        let (Some(mut leitor), Some(mut escritor)) =
            (example("leitor.py").await, example("escritor.py").await)
        else {
            return;
        };
        let server = Served::start_with(&["--idle-timeout", "1s"]).await;
        let endpoint = server.cbor();
        let mut witness = server.witness().await;
        let leitor = start(leitor.args([&endpoint, "lia"]));
        witness.hear("joined lia").await;
        let escritor = escritor.args([&endpoint, "edu"]).stdin(Stdio::piped());
        let mut escritor = start(escritor);
        witness.hear("joined edu").await;
        // Meanwhile the idle timeout passes three times.
        for round in 1..=3 {
            let user = format!("quiet{round}");
            stay_silent_until_closed(&server, &user).await;
            witness.hear(&format!("left {user}")).await;
        }
        let mut typed = escritor.stdin.take().expect("it is piped");
        typed
            .write_all("olá\nfim\n".as_bytes())
            .await
            .expect("it reads");
        let output = escritor.wait_with_output().await;
        let output = printed(output.expect("it can be waited for"));
        assert_eq!(output, "published 10\n");
        witness.stop().await;
        let output = leitor.wait_with_output().await;
        let output = printed(output.expect("it can be waited for"));
        let others = |line: &&str| !line.contains("quiet");
        let lines: Vec<&str> = output.lines().filter(others).collect();
        assert_eq!(lines, ["3 * edu joined", "10 edu: olá", "11 * edu left"]);
    };
    within(test).await;
}

/// Logs in as a client of the text dialect, which sends no pings, and waits until the server ends
/// the session for its idle timeout.
async fn stay_silent_until_closed(server: &Served, user: &str) {
    let endpoint = server.text();
    let path = endpoint.strip_prefix("unix:").expect("it is a socket");
    let socket = UnixStream::connect(path).await;
    let mut socket = socket.expect("the server listens");
    let login = format!("/login {user} {PASSWORD}\n");
    let written = socket.write_all(login.as_bytes()).await;
    written.expect("the server reads");
    let mut received = String::new();
    let read = socket.read_to_string(&mut received).await;
    read.expect("the server closes the session cleanly");
    assert!(received.contains("idle-timeout"), "{user}: {received}");
}
