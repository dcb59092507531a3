//! The servers that a client trusts.

use arauto::{Client, ClientError, Endpoint, Fingerprint, Trust};

use super::Secured;
use crate::support::{CertificateFiles, PASSWORD, block_on};

/// Logs in and asks; why not, in words.
fn ask(endpoint: &Endpoint, trust: &Trust) -> Result<(), ClientError> {
    block_on(async {
        let unauthenticated_client = Client::connect_with(endpoint, trust).await?;
        let (client, events) = unauthenticated_client.login("ana", PASSWORD).await?;
        drop(events);
        client.request("bom dia").await?;
        client.fim().await.map(drop)
    })
}

fn at(secured: &Secured, host: &str) -> Endpoint {
    let Endpoint::Tls { port, .. } = secured.endpoint() else {
        panic!("it has one");
    };
    format!("tls:{host}:{port}")
        .parse()
        .expect("it is an endpoint")
}

#[track_caller]
fn refused(endpoint: &Endpoint, trust: &Trust, naming: &[&str]) {
    let error = ask(endpoint, trust)
        .expect_err("it is not trusted")
        .to_string();
    for name in naming {
        assert!(error.contains(name), "{name:?} is not in {error:?}");
    }
}

#[test]
fn pinned_certificate_is_the_only_one_trusted() {
    let secured = Secured::new("?registration=open");
    let seen = secured.paper.fingerprint();
    let right = Trust::pinned(seen);
    ask(secured.endpoint(), &right).expect("it is the server");
    let other = "0a".repeat(32).parse::<Fingerprint>().expect("it is one");
    let naming = [
        &seen.to_string(),
        &other.to_string(),
        "arauto tls fingerprint",
    ];
    refused(
        secured.endpoint(),
        &Trust::pinned(other),
        &naming.map(AsRef::as_ref),
    );
    assert_eq!(secured.fixture.server.certificate(), Some(seen));
    secured.finish();
}

#[test]
fn ca_file_is_trusted_for_the_certified_name_only() {
    let secured = Secured::new("?registration=open");
    let trust = Trust::authorities(&secured.paper.certificate).expect("it is one");
    ask(secured.endpoint(), &trust).expect("it vouches for itself");
    ask(&at(&secured, "localhost"), &trust).expect("by each of its names");
    let elsewhere = tempfile::tempdir().expect("a folder can be made");
    let unauthenticated = CertificateFiles::of(elsewhere.path(), &["127.0.0.1"]);
    let strange = Trust::authorities(&unauthenticated.certificate).expect("it is one");
    let ways = ["--tls-fingerprint", "--tls-ca"];
    refused(secured.endpoint(), &strange, &ways);
    refused(secured.endpoint(), &Trust::system(), &ways);
    secured.finish();
}

#[test]
fn certificate_for_another_name_needs_pinning() {
    // The second is a name of this very machine, and not the one that is connected to.
    for name in ["elsewhere.example", "localhost"] {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let paper = CertificateFiles::of(folder.path(), &[name]);
        let secured = Secured::with("?registration=open", |_, config| {
            config.tls = Some(arauto::TlsConfig::new(&paper.certificate, &paper.key));
        });
        let trust = Trust::authorities(&paper.certificate).expect("it is one");
        let naming = ["another name", name, "--tls-fingerprint"];
        refused(&at(&secured, "127.0.0.1"), &trust, &naming);
        let pinned = Trust::pinned(paper.fingerprint());
        ask(secured.endpoint(), &pinned).expect("a pinned one needs no name");
        secured.finish();
    }
}

#[test]
fn server_without_tls_differs_from_an_untrusted_one() {
    let secured = Secured::with("", |_, config| {
        crate::support::Fixture::also(config, "tcp:127.0.0.1:0");
    });
    let Some(Endpoint::Tcp { host, port }) = secured.fixture.server.endpoints().last() else {
        panic!("the last endpoint is not tcp");
    };
    let plain = format!("tls:{host}:{port}")
        .parse()
        .expect("it is an endpoint");
    let trust = Trust::pinned(secured.paper.fingerprint());
    refused(&plain, &trust, &["does not speak tls"]);
    secured.finish();
}
