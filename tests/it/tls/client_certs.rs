//! Clients that show a certificate.

use arauto::{Client, Config, Trust};
use rustls::version::TLS13;
use tempfile::TempDir;

use super::Secured;
use crate::support::{
    Authority, CertificateFiles, FrameClient, PASSWORD, arauto, block_on, finish, login,
};

/// A server that asks for certificates, and the authority of its clients.
struct CertificateServer {
    secured: Secured,
    authority: Authority,
}

impl CertificateServer {
    fn new(options: &str) -> CertificateServer {
        CertificateServer::with(options, |_| {})
    }

    fn with(options: &str, change: impl FnOnce(&mut Config)) -> CertificateServer {
        let mut authority = None;
        let ask = |folder: &TempDir, config: &mut Config| {
            let made = authority.insert(Authority::new(folder.path()));
            let tls = config.tls.as_mut().expect("it has a certificate");
            tls.client_ca = Some(made.certificate.clone());
            change(config);
        };
        let secured = Secured::with(options, ask);
        CertificateServer {
            secured,
            authority: authority.expect("it was made before the server started"),
        }
    }

    fn issue(&self, names: &[&str]) -> CertificateFiles {
        self.authority.issue(self.secured.folder.path(), names)
    }

    /// A raw client with this certificate that has read its welcome.
    fn unauthenticated(&self, own: &CertificateFiles) -> FrameClient {
        let config = self.secured.paper.trusting_as(own);
        let mut client = FrameClient::tls(self.secured.endpoint(), config);
        client.expect("welcome");
        client
    }
}

#[test]
fn client_certificate_logs_in_without_a_password() {
    let asking = CertificateServer::new("");
    asking.secured.fixture.client("ana").fim();
    let paper = asking.issue(&["ana"]);
    for password in ["", "outro", PASSWORD] {
        let mut ana = asking.unauthenticated(&paper);
        ana.send(&login(1, "ana", password));
        assert_eq!(ana.expect("logged_in").text("user"), "ana");
        ana.fim();
    }
    asking.secured.finish();
}

#[test]
fn client_certificate_is_for_its_user_only() {
    let asking = CertificateServer::new("?registration=open");
    asking.secured.fixture.client("rui").fim();
    let mut ana = asking.unauthenticated(&asking.issue(&["ana"]));
    ana.send(&login(1, "rui", PASSWORD));
    let error = ana.expect_error("forbidden");
    let message = error.text("message");
    assert!(
        message.contains("ana") && message.contains("rui"),
        "{message}"
    );
    ana.ping(); // and may say who it is
    drop(ana);
    asking.secured.finish();
}

#[test]
fn unknown_tls_user_registers_where_registration_is_open() {
    let closed = CertificateServer::new("");
    let mut ana = closed.unauthenticated(&closed.issue(&["ana"]));
    ana.send(&login(1, "ana", ""));
    ana.expect_error("registration-closed");
    drop(ana);
    closed.secured.finish();

    let open = CertificateServer::new("?registration=open");
    let mut ana = open.unauthenticated(&open.issue(&["ana"]));
    ana.send(&login(1, "ana", ""));
    ana.expect_error("bad-credentials"); // that is no password
    assert!(ana.log_in("ana").flag("registered"));
    drop(ana);
    assert!(
        !open
            .secured
            .fixture
            .client_and_login("ana")
            .1
            .flag("registered")
    );
    let mut other = open.secured.fixture.unauthenticated();
    other.send(&login(1, "ana", "outro"));
    other.expect_error("bad-credentials");
    drop(other);
    open.secured.finish();
}

#[test]
fn client_without_certificate_may_use_a_password() {
    let optional = CertificateServer::new("?registration=open");
    let mut ana = optional.secured.client("ana");
    ana.fim();
    drop(ana);
    for names in [&[][..], &["ana", "rui"]] {
        let mut nameless = optional.unauthenticated(&optional.issue(names));
        nameless.send(&login(1, "ana", "outro"));
        nameless.expect_error("bad-credentials");
    }
    optional.secured.finish();

    let required = CertificateServer::new("?registration=open&client-cert=required");
    let endpoint = required.secured.endpoint().clone();
    let trust = Trust::pinned(required.secured.paper.fingerprint());
    let refused = block_on(Client::connect_with(&endpoint, &trust));
    let refused = refused.expect_err("it is required").to_string();
    assert!(refused.contains("--tls-cert"), "{refused}");
    let paper = required.issue(&["ana"]);
    let trust = trust.with_certificate(&paper.certificate, &paper.key);
    let trust = trust.expect("they belong together");
    block_on(async {
        let unauthenticated_client = Client::connect_with(&endpoint, &trust).await?;
        let (client, _events) = unauthenticated_client.login("ana", PASSWORD).await?;
        client.fim().await
    })
    .expect("it has one");
    required.secured.finish();
}

#[test]
fn client_certificate_of_an_untrusted_ca_is_refused() {
    let asking = CertificateServer::new("?registration=open");
    let elsewhere = tempfile::tempdir().expect("a folder can be made");
    let unauthenticated = Authority::new(elsewhere.path()).issue(elsewhere.path(), &["ana"]);
    let trust = Trust::pinned(asking.secured.paper.fingerprint());
    let trust = trust.with_certificate(&unauthenticated.certificate, &unauthenticated.key);
    let trust = trust.expect("they belong together");
    let endpoint = asking.secured.endpoint().clone();
    let refused = block_on(Client::connect_with(&endpoint, &trust));
    let refused = refused.expect_err("it is not trusted").to_string();
    assert!(refused.contains("--tls-client-ca"), "{refused}");
    // Without any it is let in.
    let mut client = FrameClient::tls(&endpoint, asking.secured.paper.trusting(&TLS13));
    client.expect("welcome");
    drop(client);
    asking.secured.finish();
}

#[test]
fn certificate_session_ends_with_its_account_only() {
    let data = tempfile::tempdir().expect("a folder can be made");
    let path = data.path().join("data");
    let users = |arguments: &[&str]| {
        let mut command = arauto(&["users", "--data"]);
        finish(command.arg(&path).args(arguments), "").expect_success()
    };
    let asking = CertificateServer::with("", |config| config.storage.data = Some(path.clone()));
    users(&["add", "ana"]);
    let paper = asking.issue(&["ana"]);
    let mut by_certificate = asking.unauthenticated(&paper);
    by_certificate.log_in("ana");
    let mut by_password = asking.secured.fixture.client("ana");
    users(&["passwd", "ana"]);
    by_password.skip_to("error");
    by_password.expect_closing("revoked");
    by_certificate.ping(); // it did not log in with a password
    users(&["remove", "ana"]);
    by_certificate.skip_to("error");
    by_certificate.expect_closing("revoked");
    let mut again = asking.unauthenticated(&paper);
    again.send(&login(1, "ana", PASSWORD));
    again.expect_error("registration-closed");
    drop((by_certificate, by_password, again));
    asking.secured.finish();
}
