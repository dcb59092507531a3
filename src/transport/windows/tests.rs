//! Pipes by themselves: a listener and clients of one process.

use std::future::{Future, poll_fn};
use std::task::Poll;
use std::time::Duration;

use windows_sys::Win32::Foundation::ERROR_INVALID_OWNER;

use super::instance::PipeConfig;
use super::names::{code, pipe_path, wide};
use super::security::{self, Descriptor};
use super::{Local, LocalListener, connect};
use crate::framing::{Framing, Received};
use crate::link::Link;
use crate::transport::local_user::SERVICE_SID;
use crate::transport::server_check::check_server;
use crate::transport::{
    Access, BindError, ConnectMode, ConnectionTimeouts, Endpoint, ListenOptions, PeerTimeouts,
    Remote, Trust,
};

fn fresh() -> Endpoint {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    Endpoint::Pipe(format!("arauto-test-{}-{number}", std::process::id()))
}

fn options(pipe: Framing, max: Option<usize>) -> ListenOptions<'static> {
    ListenOptions {
        access: &Access::Owner,
        remote: Remote::Reject,
        pipe,
        max,
        tls: None,
        timeouts: ConnectionTimeouts::new(PeerTimeouts::default(), Duration::ZERO),
    }
}

async fn accept(listener: &mut LocalListener) -> Local {
    let local = poll_fn(|cx| listener.poll_accept(cx)).await;
    let detached = local.expect("a client is there").detach();
    let attached = detached.expect("it is of no runtime yet").attach();
    attached.expect("it is a pipe")
}

async fn pair(framing: Framing) -> (Local, Local) {
    let endpoint = fresh();
    let mut listener = LocalListener::bind(&endpoint, &options(framing, None)).expect("it is free");
    let client = connect(&endpoint, ConnectMode::Messages);
    let (server, client) = tokio::join!(accept(&mut listener), client);
    (server, client.expect("an instance waits"))
}

async fn receive(local: &mut Local) -> Received {
    let mut buf = vec![0; 256 * 1024];
    let received = poll_fn(|cx| local.poll_receive(cx, &mut buf)).await;
    received.expect("the pipe is whole")
}

/// The length of the next message, however many pieces it comes in.
async fn message(local: &mut Local) -> usize {
    let mut length = 0;
    loop {
        match receive(local).await {
            Received::Bytes(more) => length += more,
            Received::Message(last) => return length + last,
            Received::End => panic!("the end within a message of {length} so far"),
        }
    }
}

async fn send(local: &mut Local, message: &[u8]) {
    let sent = poll_fn(|cx| local.poll_send_message(cx, message)).await;
    sent.expect("the pipe is whole");
}

#[tokio::test]
async fn message_of_any_length_arrives_whole_and_empty_is_no_end() {
    let (mut server, mut client) = pair(Framing::Messages).await;
    let lengths = [0, 1, 4095, 4096, 4097, 100_000, 0, 1 << 20];
    let sending = async {
        for length in lengths {
            send(&mut client, &vec![7; length]).await;
        }
        drop(client);
    };
    let receiving = async {
        for length in lengths {
            assert_eq!(message(&mut server).await, length);
        }
        assert_eq!(receive(&mut server).await, Received::End);
        assert_eq!(receive(&mut server).await, Received::End);
    };
    tokio::join!(sending, receiving);
}

#[tokio::test]
async fn bytes_sent_before_the_close_are_read_after_it() {
    let (mut server, mut client) = pair(Framing::Messages).await;
    send(&mut server, b"bom dia").await;
    send(&mut server, b"fim").await;
    drop(server);
    assert_eq!(message(&mut client).await, 7);
    assert_eq!(message(&mut client).await, 3);
    assert_eq!(receive(&mut client).await, Received::End);
}

#[tokio::test]
async fn client_that_has_read_everything_is_detected() {
    let (mut server, mut client) = pair(Framing::Messages).await;
    send(&mut server, b"fim").await;
    assert!(!server.is_read().expect("there is a thread for it"));
    assert_eq!(message(&mut client).await, 3);
    while !server.is_read().expect("there is a thread for it") {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn client_that_closes_unread_has_never_read() {
    for is_asked_before in [true, false] {
        let (mut server, client) = pair(Framing::Messages).await;
        send(&mut server, b"fim").await;
        if is_asked_before {
            assert!(!server.is_read().expect("there is a thread for it"));
        }
        drop(client);
        assert_eq!(receive(&mut server).await, Received::End);
        while !server.is_hung_up() {
            tokio::task::yield_now().await; // until the flush that was begun is over
        }
        for _ in 0..3 {
            assert!(!server.is_read().expect("nothing is begun any more"));
        }
    }
}

#[tokio::test]
async fn client_that_never_reads_does_not_delay_the_close() {
    let (mut server, client) = pair(Framing::Messages).await;
    send(&mut server, b"fim").await;
    assert!(!server.is_read().expect("there is a thread for it"));
    drop(server); // and with it the flush under way, or this test never ends
    drop(client);
}

#[tokio::test]
async fn client_waits_for_a_free_pipe_instance() {
    let endpoint = fresh();
    let options = options(Framing::Stream, Some(1));
    let mut listener = LocalListener::bind(&endpoint, &options).expect("it is free");
    let first = connect(&endpoint, ConnectMode::Frames).await;
    let first = first.expect("the one instance waits");
    let served = accept(&mut listener).await;
    let second = tokio::spawn(async move { connect(&endpoint, ConnectMode::Frames).await });
    let next = poll_fn(|cx| listener.poll_accept(cx));
    tokio::pin!(next);
    let waits = poll_fn(|cx| Poll::Ready(next.as_mut().poll(cx).is_pending()));
    assert!(waits.await);
    assert!(!second.is_finished());
    drop((first, served));
    next.await.expect("the second client");
    let second = second.await.expect("it does not panic");
    second.expect("it was waited for");
}

#[tokio::test]
async fn pipe_name_in_use_is_refused() {
    let endpoint = fresh();
    let options = options(Framing::Stream, None);
    let _first = LocalListener::bind(&endpoint, &options).expect("it is free");
    let second = LocalListener::bind(&endpoint, &options);
    assert!(matches!(second, Err(BindError::InUse(_))));
}

#[tokio::test]
async fn closed_pipe_listener_serves_waiting_clients_only() {
    let endpoint = fresh();
    let mut listener =
        LocalListener::bind(&endpoint, &options(Framing::Stream, None)).expect("free");
    let early = connect(&endpoint, ConnectMode::Frames).await;
    listener.close_to_new();
    // It waits, as there still is a pipe, and learns of its end.
    let late = tokio::spawn(async move { connect(&endpoint, ConnectMode::Frames).await });
    tokio::task::yield_now().await;
    let accepted = listener.accept_now();
    assert!(accepted.is_ok() && listener.accept_now().is_err());
    drop((early, accepted, listener));
    assert!(late.await.expect("it does not panic").is_err());
}

#[tokio::test]
async fn pipe_peers_identify_each_other_after_a_read() {
    let (mut server, mut client) = pair(Framing::Messages).await;
    let own = i32::try_from(std::process::id()).ok();
    let peer = client.peer().expect("it is there");
    assert_eq!(peer.pid(), own);
    assert!(peer.is_same_user(), "{peer}");

    let peer = server.peer().expect("it is there");
    assert_eq!(peer.pid(), own);
    assert!(!peer.is_same_user(), "nothing was read yet: {peer}");
    send(&mut client, b"bom dia").await;
    assert_eq!(message(&mut server).await, 7);
    let peer = server.peer_after_read().expect("it is a client");
    assert_eq!(peer.pid(), own);
    assert!(peer.is_same_user(), "{peer}");
}

/// Connects to a pipe with this owner, as SDDL names one, and tells whether its server may be
/// given a password; `None` where this system does not let this process set that owner.
async fn may_be_given_a_password(owner: &str) -> Option<bool> {
    let endpoint = fresh();
    let path = pipe_path(&endpoint).expect("it is a pipe");
    let config = PipeConfig {
        path: wide(path.as_ref()),
        framing: Framing::Stream,
        remote: Remote::Reject,
        limit: None,
        security: Descriptor::from_sddl(&format!("O:{owner}D:(A;;GA;;;WD)")).expect("it is SDDL"),
    };
    let _server = match config.make_instance(true) {
        Err(error) if code(&error) == Some(ERROR_INVALID_OWNER) => return None,
        made => made.expect("nobody has its name"),
    };
    let client = connect(&endpoint, ConnectMode::Frames).await;
    let client = client.expect("an instance waits");
    Some(check_server(&endpoint, client.peer(), &Trust::default()).is_ok())
}

#[tokio::test]
async fn password_goes_to_administrators_and_to_no_other_group() {
    let own = security::own_sid().expect("this process has a user");
    assert_eq!(may_be_given_a_password(own).await, Some(true));
    // Without their rights no owner but oneself can be set, but under Wine.
    let to_administrators = may_be_given_a_password("BA").await;
    assert_ne!(to_administrators, Some(false));
    let to_users = may_be_given_a_password("BU").await;
    assert_ne!(to_users, Some(true));
}

#[tokio::test]
async fn password_goes_to_the_service_arauto_and_to_no_other() {
    // Windows lets no process set these owners; Wine does.
    let to_arauto = may_be_given_a_password(SERVICE_SID).await;
    assert_ne!(to_arauto, Some(false));
    let trusted_installer = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
    let to_other = may_be_given_a_password(trusted_installer).await;
    assert_ne!(to_other, Some(true));
}
