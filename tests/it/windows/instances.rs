//! A name and its instances: taken by one server, enough for a burst, waited for where
//! there is a limit, and given back.

use std::sync::Barrier;

use arauto::HashCost;
use arauto::{BindError, Client, Config, Server, ServerError};
use windows_sys::Wdk::System::SystemInformation::{
    NtQuerySystemInformation, SystemProcessInformation,
};
use windows_sys::Win32::System::WindowsProgramming::SYSTEM_PROCESS_INFORMATION;

use crate::support::os::{self, is_busy};
use crate::support::{Fixture, Served, arauto, block_on, finish, wait_until, watchdog};

#[test]
fn second_server_on_a_pipe_exits_69_and_names_the_first() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let pipe = served.endpoint().to_string();
    let mut second = arauto(&["serve", "--data", "none", "--listen", &pipe]);
    finish(&mut second, "")
        .expect_failure(69, &[&pipe, "taken by another program that is running"]);
    served.unauthenticated().fim();
    served.stop();
}

#[test]
fn second_server_of_the_same_process_is_refused() {
    let fixture = Fixture::new();
    let mut config = Config::default();
    config.hash_cost = HashCost::LEAST;
    Fixture::also(&mut config, &fixture.endpoint().to_string());
    config.listen.drain(..1);
    match Server::start(config) {
        Err(ServerError::Bind(BindError::InUse(endpoint))) => {
            assert_eq!(endpoint, *fixture.endpoint());
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("two servers have one name"),
    }
    fixture.client("ana").fim();
    fixture.finish();
}

#[test]
fn pipe_name_is_free_once_its_server_has_stopped() {
    let _watchdog = watchdog();
    let mut served = Served::new(&["--data", "none"]);
    for _ in 0..5 {
        served.send_stop(os::Stop::USUAL);
        assert_eq!(served.wait(), Some(0), "{}", served.log());
        served = Served::within(served.into_folder(), &["--data", "none"]);
    }
    served.stop();
}

#[test]
fn burst_of_200_pipe_clients_is_served_without_busy_errors() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let client = async |number: usize| {
        let unauthenticated_client = Client::connect(served.endpoint()).await?;
        let (client, _events) = unauthenticated_client
            .login(&format!("user{number}"), "segredo")
            .await?;
        let reply = client.request("olá").await?;
        assert_eq!(reply.as_text(), Some("OLÁ"));
        client.fim().await
    };
    let ended = block_on(futures_util::future::join_all((0..200).map(client)));
    for end in ended {
        assert_eq!(end.expect("it is served").reason, "fim");
    }
    served.stop();
}

#[test]
fn pipe_with_max_1_serves_the_second_client_later() {
    let fixture = Fixture::listening("?max=1", |_| {});
    let mut first = fixture.client("ana");
    wait_until("there is no place", || is_busy(fixture.endpoint()));
    let endpoint = fixture.endpoint().clone();
    let begun = Barrier::new(2);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| {
            block_on(async {
                begun.wait();
                let unauthenticated_client =
                    Client::connect(&endpoint).await.expect("its turn comes");
                let (client, _events) = unauthenticated_client
                    .login("rui", "segredo")
                    .await
                    .expect("it is open");
                client.fim().await.expect("it ends in order").reason
            })
        });
        begun.wait();
        first.request(1, "still alone?");
        assert_eq!(first.expect("reply").text("body"), "STILL ALONE?");
        assert!(is_busy(fixture.endpoint()) && !second.is_finished());
        first.fim();
        drop(first);
        assert_eq!(second.join().expect("no panic"), "fim");
    });
    fixture.finish();
}

#[test]
fn pipe_with_max_3_never_admits_a_fourth_client() {
    let fixture = Fixture::listening("?max=3", |_| {});
    for _ in 0..3 {
        let clients = ["ana", "rui", "eva"].map(|user| fixture.client(user));
        wait_until("there is no place", || is_busy(fixture.endpoint()));
        for mut client in clients {
            client.fim();
        }
    }
    fixture.finish();
}

#[test]
fn vanished_pipe_clients_leave_no_permit_or_handle() {
    let _watchdog = watchdog();
    let served = Served::new(&["--data", "none"]);
    let vanish = |times| {
        for _ in 0..times {
            drop(os::connect(served.endpoint()).expect("there is a place"));
        }
        served.unauthenticated().fim();
    };
    vanish(100); // threads and buffers that a server makes once
    let mut before = 0;
    wait_until("it holds an instance for each who may come", || {
        before = handles(&served).unwrap_or_default();
        before > 64
    });
    vanish(200);
    wait_until("the handles are back", || {
        handles(&served).is_some_and(|now| now <= before + 8)
    });
    served.stop();
}

/// How many handles the server holds; `None`: it is not among the processes, as happens
/// where others come and go meanwhile. Not by GetProcessHandleCount: of another process
/// it says 0 on Wine.
#[expect(unsafe_code, reason = "std does not count handles")]
fn handles(served: &Served) -> Option<u32> {
    let mut buffer = vec![0_u64; 64 * 1024]; // of words, for its alignment
    let size = u32::try_from(size_of_val(&buffer[..])).expect("it is small");
    let place = buffer.as_mut_ptr();
    // SAFETY: there are `size` bytes at its place.
    let status =
        unsafe { NtQuerySystemInformation(SystemProcessInformation, place.cast(), size, &mut 0) };
    assert_eq!(status, 0, "there is room for all processes");
    let mut at = 0;
    loop {
        // SAFETY: the system has put one record there, and then one at each offset.
        let process = unsafe {
            let record = place.cast::<u8>().add(at);
            record.cast::<SYSTEM_PROCESS_INFORMATION>().read()
        };
        if process.UniqueProcessId.addr() == served.child.id() as usize {
            return Some(process.HandleCount);
        }
        if process.NextEntryOffset == 0 {
            return None;
        }
        at += process.NextEntryOffset as usize;
    }
}

#[test]
fn two_pipes_of_one_server_are_independent() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let other = os::endpoint(folder.path(), "other");
    let fixture = Fixture::with(|config| Fixture::also(config, &format!("{other}?max=1")));
    let _ana = fixture.client("ana");
    let rui = os::connect(&other).expect("it listens there too");
    let mut rui = crate::support::FrameClient::local(rui);
    rui.expect("welcome");
    rui.log_in("rui");
    wait_until("the other has no place", || is_busy(&other));
    assert!(!is_busy(fixture.endpoint()));
    rui.fim();
    drop(rui);
    block_on(fixture.server.stop());
    fixture.finish();
    assert!(os::is_gone(&other));
}
