//! The steps of the demo.

use std::time::Duration;

use arauto::{Client, Event, Events, Incoming, ResumePoint, Seq};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::print::{print_heading, print_line};
use super::server::DemoServer;
use crate::cli::exit::{Failure, sysexits};
use crate::cli::report::summary;
use crate::cli::show::line;

/// A step that takes longer has failed.
const DEADLINE: Duration = Duration::from_secs(8);

/// Messages that are more than the demo's log, the socket and a client's queue hold.
const FLOOD: usize = 4000;
const FLOOD_BYTES: usize = 1500;

pub(super) async fn run(server: &DemoServer) -> Result<u8, Failure> {
    print_line("arauto demo: one server, and clients that connect to it as any program would");
    print_line(&format!("  server   {}", server.endpoint));
    let (ana, mut ana_events) = register(server).await?;
    wrong_password(server).await;
    upper_case(&ana).await?;
    let (rui, mut rui_events) = login_notice(server, &mut ana_events).await?;
    broadcast(&ana, &mut ana_events, &mut rui_events).await?;
    let (lento, lento_events) = server.log_in("lento", "devagar").await?;
    let read = next_broadcast(&mut ana_events).await?.seq();
    next_broadcast(&mut rui_events).await?;
    let ana_reads = read_on(ana_events, read);
    let left_at = leave(rui, rui_events).await?;
    let lento_reads = slow_reader(&ana, lento_events).await?;
    let (rui, rui_reads, last) = resume(server, &ana, left_at).await?;
    let mut readers = [(ana, ana_reads), (rui, rui_reads), (lento, lento_reads)];
    for (client, reads) in &mut readers {
        reads.have_acked(client, last).await?;
    }
    let code = fim(server).await;
    // The server has delivered everything once all of them have read to the end.
    for (_, reads) in readers {
        let _ = reads.task.await; // a panic of the task has been printed
    }
    Ok(code)
}

/// A client's broadcasts, which a task reads and acknowledges.
struct Reads {
    task: JoinHandle<()>,
    acked: watch::Receiver<Seq>,
}

impl Reads {
    /// Waits until the server has the acknowledgement of a broadcast, so that the report shows it.
    async fn have_acked(&mut self, client: &Client, seq: Seq) -> Result<(), Failure> {
        let acked = self.acked.wait_for(|acked| *acked >= seq);
        if tokio::time::timeout(DEADLINE, acked).await.is_err() {
            let message = format!("the demo expected that {seq} is acknowledged, and it is not");
            return Err(Failure::new(sysexits::SOFTWARE, message));
        }
        Ok(client.ping().await?) // its answer comes behind the acknowledgement
    }
}

async fn register(server: &DemoServer) -> Result<(Client, Events), Failure> {
    print_heading("ana logs in for the first time, and that registers her");
    let (client, events) = server.log_in("ana", "segredo").await?;
    let who = client.who_am_i();
    print_line(&format!(
        "  ana      registered: {}, role: {}",
        who.registered, who.role
    ));
    Ok((client, events))
}

async fn wrong_password(server: &DemoServer) {
    print_heading("another user claims to be ana");
    let refused = server.log_in("ana", "adivinha").await;
    if let Err(error) = refused {
        print_line(&format!("  server   {error}"));
    }
}

async fn upper_case(ana: &Client) -> Result<(), Failure> {
    print_heading("ana asks, and the endpoint's handler answers in upper case");
    let reply = ana.request("straße").await?;
    print_line(&format!(
        "  ana      straße -> {}",
        reply.as_text().unwrap_or("?")
    ));
    Ok(())
}

async fn login_notice(
    server: &DemoServer,
    ana_events: &mut Events,
) -> Result<(Client, Events), Failure> {
    print_heading("rui logs in, and every session gets a broadcast");
    let entered = server.log_in("rui", "outro").await?;
    let notice = next_broadcast(ana_events).await?;
    print_line(&format!("  ana      hears {}", line(&notice)));
    Ok(entered)
}

async fn broadcast(
    ana: &Client,
    ana_events: &mut Events,
    rui_events: &mut Events,
) -> Result<(), Failure> {
    print_heading("ana publishes, and every session gets the message with the same number");
    let seq = ana.publish("bom dia").await?;
    print_line(&format!("  ana      published {seq}"));
    for (user, events) in [("ana", ana_events), ("rui", rui_events)] {
        let event = next_broadcast(events).await?;
        print_line(&format!("  {user}      hears {}", line(&event)));
    }
    Ok(())
}

/// Logs rui out, and returns the last seq that he has read.
async fn leave(rui: Client, mut rui_events: Events) -> Result<Seq, Failure> {
    let end = rui.fim().await?;
    while rui_events.next().await.is_some() {}
    Ok(end.last_seq)
}

async fn slow_reader(ana: &Client, mut lento_events: Events) -> Result<Reads, Failure> {
    print_heading(&format!(
        "rui leaves; ana publishes {FLOOD} messages while lento reads nothing"
    ));
    let text = "x".repeat(FLOOD_BYTES);
    let mut answers = Vec::with_capacity(FLOOD);
    for _ in 0..FLOOD {
        answers.push(ana.begin_publish(text.as_str()).await?);
    }
    for answer in answers {
        answer.await?;
    }
    print_line("  ana      all published: lento delayed no one");
    let mut received = 0_u32;
    let gap = loop {
        match next_broadcast(&mut lento_events).await? {
            Event::Gap(gap) => break gap,
            _ => received += 1,
        }
    };
    let (from, to) = (gap.from, gap.to);
    let count = to.0 - from.0 + 1;
    print_line(&format!(
        "  lento    reads {received} that were waiting, then gets a gap with"
    ));
    print_line(&format!(
        "           exactly what it missed: {from} to {to}, {count} broadcasts"
    ));
    Ok(read_on(lento_events, to))
}

async fn resume(
    server: &DemoServer,
    ana: &Client,
    left_at: Seq,
) -> Result<(Client, Reads, Seq), Failure> {
    print_heading("rui is away while ana says three things, comes back, and misses none");
    let rui = server.log_in("rui", "outro").await?.0;
    let left_at = left_at.max(rui.fim().await?.last_seq);
    let mut last = left_at;
    for text in ["um", "dois", "três"] {
        last = ana.publish(text).await?;
    }
    let from = ResumePoint {
        after: left_at,
        ..ana.who_am_i().resume_point()
    };
    let connected = Client::connect(&server.endpoint).await?;
    let (rui, mut events) = connected.resume("rui", "outro", &from).await?;
    print_line(&format!("  rui      resumes after {left_at}"));
    loop {
        let event = next_broadcast(&mut events).await?;
        if matches!(&event, Event::Message { .. }) {
            print_line(&format!("  rui      hears {}", line(&event)));
        }
        if event.seq() >= last {
            break;
        }
    }
    Ok((rui, read_on(events, last), last))
}

/// Returns the next broadcast.
///
/// # Errors
/// Something else came, or nothing.
async fn next_broadcast(events: &mut Events) -> Result<Event, Failure> {
    match tokio::time::timeout(DEADLINE, events.next()).await {
        Ok(Some(Incoming::Event(event))) => Ok(event),
        other => {
            let message = format!("the demo expected a broadcast, and got {other:?}");
            Err(Failure::new(sysexits::SOFTWARE, message))
        }
    }
}

/// Acknowledges the broadcasts up to `read`, which have been read, and reads and acknowledges all that
/// comes, until the end.
fn read_on(mut events: Events, read: Seq) -> Reads {
    let (tell_acked, acked) = watch::channel(Seq::ZERO);
    let task = tokio::spawn(async move {
        let mut unacked = None;
        if events.client().ack(read).await.is_ok() {
            tell_acked.send_replace(read);
        }
        while let Some(incoming) = events.next().await {
            let event = match incoming {
                Incoming::Event(event) => Some(event.seq()),
                _ => None,
            };
            unacked = event.or(unacked);
            // One ack for many broadcasts: only when no other one waits.
            if (event.is_none() || events.is_empty())
                && let Some(seq) = unacked.take()
            {
                // It fails where the session has ended.
                if events.client().ack(seq).await.is_ok() {
                    tell_acked.send_replace(seq);
                }
            }
        }
    });
    Reads { task, acked }
}

async fn fim(server: &DemoServer) -> u8 {
    print_heading("fim: everything that was accepted is answered and delivered, then all close");
    server.handle.stop().await;
    let report = server.handle.stopped().await;
    print_heading("the report");
    for row in summary(&report).lines() {
        print_line(format!(" {row}").trim_end());
    }
    let code = report.exit;
    if code != 0 {
        return code.max(sysexits::SOFTWARE);
    }
    0
}
