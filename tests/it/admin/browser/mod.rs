//! The page in Chromium.

mod devtools;

use std::time::Duration;

use arauto::StopReason;

use self::devtools::{Browser, Key};
use super::endpoint::port;
use super::page::{recorded_acts, served_with_token};
use crate::support::{FrameClient, Served, has_tool, wait_until, watchdog_for};

const TOKEN: &str = "muito segredo, mesmo";

/// A browser needs seconds to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Opens the page of a server, which asks for the token.
fn opened(served: &Served) -> Browser {
    let mut browser = Browser::start();
    browser.open(&format!("http://127.0.0.1:{}/", port(served)));
    browser.wait_until("document.activeElement.id === 'token'");
    browser
}

/// Types a token, and sends it.
fn send_token(browser: &mut Browser, token: &str) {
    browser.write(token);
    browser.press(Key::Enter);
}

/// Opens the page of a server, and logs in.
fn logged_in(served: &Served) -> Browser {
    let mut browser = opened(served);
    send_token(&mut browser, TOKEN);
    browser.wait_until("document.activeElement.id === 'main'");
    browser
}

/// Clicks on a button, and then on one of the dialog that it opens.
fn click(browser: &mut Browser, button: &str, answer: &str) {
    browser.wait_until(&format!("!document.querySelector('{button}').hidden"));
    // A click by a script does not move the focus, as one by a person does.
    browser.run(&format!("document.querySelector('{button}').focus()"));
    browser.run("document.activeElement.click()");
    browser.wait_until("document.getElementById('confirm').open");
    browser.run(&format!(
        "document.getElementById('confirm-{answer}').click()"
    ));
    browser.wait_until("!document.getElementById('confirm').open");
}

fn wait_for_text(browser: &mut Browser, id: &str, text: &str) {
    browser.wait_until(&format!(
        "document.getElementById('{id}').textContent === '{text}'"
    ));
}

/// Publishes until the page has a line in every plot, and the lines have moved.
fn watch_plots(browser: &mut Browser, ana: &mut FrameClient) {
    let lines =
        "[...document.querySelectorAll('figure path')].map((path) => path.getAttribute('d'))";
    let mut id = 100;
    let mut drawn = Vec::new();
    for _ in 0..2 {
        wait_until("the plots are drawn", || {
            id += 1;
            ana.publish(id, "bom dia");
            ana.skip_to("published");
            let now = browser.run(lines);
            let now: Vec<String> = serde_json::from_value(now).expect("they are texts");
            let is_new = now.len() == 4 && now.iter().all(|line| !line.is_empty()) && now != drawn;
            if is_new {
                drawn = now;
            }
            is_new
        });
    }
}

#[test]
fn operator_logs_in_looks_and_ends_a_session() {
    let _watchdog = watchdog_for(PATIENCE);
    if !has_tool("chromium") {
        return;
    }
    let served = served_with_token(TOKEN);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let mut browser = opened(&served);
    send_token(&mut browser, "errado");
    wait_for_text(&mut browser, "login-error", "the token is wrong");
    send_token(&mut browser, TOKEN);
    browser.wait_until("document.querySelector('#sessions tr td').textContent === 'ana'");
    assert_eq!(browser.run("document.activeElement.id"), "main");
    wait_for_text(&mut browser, "state", "serving");
    assert_eq!(
        browser.run("document.querySelectorAll('#limits meter').length"),
        3
    );
    watch_plots(&mut browser, &mut ana);

    // A no changes nothing, and gives the focus back.
    click(&mut browser, "#sessions button", "no");
    let label = "document.activeElement.getAttribute('aria-label')";
    assert_eq!(browser.run(label), "End session 1 of ana");
    ana.publish(1, "boa tarde");
    ana.skip_to("published");

    click(&mut browser, "#sessions button", "yes");
    let error = ana.skip_to("error");
    assert_eq!(error.text("code"), "revoked");
    drop(ana);
    browser.wait_until("document.querySelectorAll('#sessions tr').length === 0");
    wait_for_text(&mut browser, "outcome", "Session 1 was ended.");
    browser.run("document.getElementById('log-out').click()");
    browser.wait_until("!document.getElementById('login').hidden");
    browser.expect_no_faults();
    drop(browser);
    served.stop();
}

#[test]
fn operator_drains_cancels_that_and_stops_the_server() {
    let _watchdog = watchdog_for(PATIENCE);
    if !has_tool("chromium") {
        return;
    }
    let mut served = served_with_token(TOKEN);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let mut browser = logged_in(&served);
    let [drain, cancel, stop] = [1, 2, 3].map(|n| format!("#server-acts button:nth-of-type({n})"));
    click(&mut browser, &drain, "yes");
    wait_for_text(&mut browser, "state", "draining");
    let figures = "document.getElementById('figures').textContent";
    browser.wait_until(&format!("{figures}.includes('Drain stops it within')"));
    click(&mut browser, &cancel, "yes");
    wait_for_text(&mut browser, "state", "serving");
    // The button is no longer offered, and the focus stays beside it.
    assert_eq!(browser.run("document.activeElement.id"), "server-acts");
    ana.publish(1, "boa tarde");
    ana.skip_to("published");
    ana.fim();
    drop(ana);
    browser.expect_no_faults();
    click(&mut browser, &stop, "yes");
    assert_eq!(served.wait(), Some(0));
    let acts = ["log-in", "drain", "cancel-drain", "stop"].map(|act| (act.to_owned(), true));
    assert_eq!(recorded_acts(&served), acts);
    assert_eq!(served.report().reason, StopReason::Admin);
}

#[test]
fn page_works_by_keys_alone_and_names_its_controls() {
    let _watchdog = watchdog_for(PATIENCE);
    if !has_tool("chromium") {
        return;
    }
    let served = served_with_token(TOKEN);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let mut browser = logged_in(&served);
    browser.wait_until("document.querySelectorAll('#sessions tr').length === 1");
    let is_at_end = "document.activeElement.matches('#sessions button')";
    let mut steps = 0;
    while browser.run(is_at_end) != true {
        steps += 1;
        assert!(steps < 50, "the button cannot be reached");
        browser.press(Key::Tab);
    }
    let is_open = "document.getElementById('confirm').open";
    browser.press(Key::Enter);
    browser.wait_until(is_open);
    let nameless = browser.nameless_controls();
    assert!(nameless.is_empty(), "{nameless:?}");
    browser.press(Key::Escape);
    browser.wait_until(&format!("!{is_open}"));
    assert_eq!(browser.run(is_at_end), true);
    let nameless = browser.nameless_controls();
    assert!(nameless.is_empty(), "{nameless:?}");

    browser.press(Key::Enter);
    browser.wait_until(is_open);
    // The focus is at the button that changes nothing.
    browser.press(Key::Tab);
    browser.press(Key::Enter);
    assert_eq!(ana.skip_to("error").text("code"), "revoked");
    browser.expect_no_faults();
    drop((ana, browser));
    served.stop();
}

#[test]
fn page_fits_a_phone_in_both_color_schemes() {
    let _watchdog = watchdog_for(PATIENCE);
    if !has_tool("chromium") {
        return;
    }
    let served = served_with_token(TOKEN);
    let mut ana = served.unauthenticated();
    ana.log_in("ana");
    let mut browser = logged_in(&served);
    browser.wait_until("document.querySelectorAll('#sessions tr').length === 1");
    let mut colors = Vec::new();
    for scheme in ["light", "dark"] {
        browser.show_as(390, 844, scheme);
        let width = browser.run("document.documentElement.scrollWidth");
        assert_eq!(width, 390, "{scheme}");
        colors.push(browser.run("getComputedStyle(document.body).backgroundColor"));
    }
    assert_ne!(colors[0], colors[1]);
    browser.expect_no_faults();
    drop((ana, browser));
    served.stop();
}
