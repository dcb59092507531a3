/** The page: connects to the server, and shows each view that comes. */

import { makeEndButton, showServerActs, tellOutcome } from "./acts.js";
import { History } from "./history.js";
import { makePlots } from "./plots.js";
import {
  showErrors, showLimits, showParts, showServices, showSessions, showTopics,
} from "./tables.js";
import { bytes, count, element, seconds, setText } from "./text.js";

/** The time in milliseconds before a connection is tried again. */
const RETRY = 2000;

/** The time in milliseconds after which a missing view is a problem. */
const SILENCE = 5000;

const byId = (id) => document.getElementById(id);

const draw = makePlots(byId("plots"));
let values = new History();
let source = null;
let retry = null;
let silence = null;
/** Whether the operator has just logged in: the focus goes from the login to the content. */
let hasLoggedIn = false;

/** Connects, if the browser is allowed to, and shows the login if it is not. */
async function connect() {
  disconnect();
  const answer = await fetch("/may-read").catch(() => null);
  if (answer === null) {
    connectLater("The server does not answer. Trying again.");
    return;
  }
  if (!answer.ok) {
    connectLater((await answer.text()).trim());
    return;
  }
  const access = await answer.json();
  byId("log-out").hidden = !access.by_cookie;
  if (access.may_read) {
    listen();
  } else {
    showLogin();
  }
}

function connectLater(problem) {
  tellProblem(problem);
  clearTimeout(retry);
  retry = setTimeout(connect, RETRY);
}

/** Tells that the figures are old. */
function tellProblem(problem) {
  showState("", "not connected");
  setText(byId("connection"), problem);
}

/** Reads the stream of views. The browser opens it again by itself when it ends. */
function listen() {
  disconnect();
  if (document.hidden) {
    return; // it was hidden meanwhile
  }
  byId("login").hidden = true;
  const stream = new EventSource("/events");
  source = stream;
  expectView();
  stream.addEventListener("message", (event) => {
    expectView();
    setText(byId("connection"), "");
    show(JSON.parse(event.data));
  });
  stream.addEventListener("error", () => {
    // The browser gives up after an answer that is no stream, such as 401 or 503.
    if (source === stream && stream.readyState === EventSource.CLOSED) {
      connectLater("The server sends no figures, or too many pages are open. Trying again.");
    }
  });
}

/** Stops reading, so that the server takes no snapshots for this page. */
function disconnect() {
  source?.close();
  source = null;
  clearTimeout(silence);
  clearTimeout(retry);
}

function expectView() {
  clearTimeout(silence);
  silence = setTimeout(() => {
    tellProblem("No connection to the server. The figures are old.");
  }, SILENCE);
}

/** Shows a view. */
function show(view) {
  values.add(view);
  byId("main").hidden = false;
  if (hasLoggedIn) {
    hasLoggedIn = false;
    byId("main").focus();
  }
  const { status, counts } = view;
  setText(byId("version"), status.version);
  showState(status.state, stateText(status));
  document.title = `arauto: ${status.state}`;
  showFigures(status);
  draw(values);
  showLimits(view.limits);
  showSessions(view.sessions, values.sessionRates, makeEndButton);
  showServices(status.services ?? []);
  showErrors(counts?.errors ?? []);
  showParts(status.parts);
  byId("report").hidden = !view.has_report;
  showServerActs(status.state);
}

/** Shows the state of the server, which has a color of its own while it serves. */
function showState(state, text) {
  byId("state").dataset.state = state;
  setText(byId("state"), text);
}

/** Returns the state in words. The time that a stop has left is no part of it: it is a live region. */
function stateText({ state, stop }) {
  return stop ? `${state} (${stop.reason}): ${stop.phase}` : state;
}

/** Shows the figures of the server: each is a name with a value. */
function showFigures(status) {
  const has = (name) => status[name] !== undefined;
  const figure = (title, name, format = count) => (has(name) ? [[title, format(status[name])]] : []);
  const figures = [
    ...figure("Head", "head"),
    ...figure("In memory", "held_bytes", bytes),
    ...figure("Readers", "readers"),
    ...figure("Furthest behind", "lag_max"),
    ...figure("In work", "requests_in_work"),
    ...figure("Sessions so far", "sessions_started"),
    ...figure("Logins so far", "logins"),
    ...figure("Gaps so far", "gaps"),
    ...figure("Drain stops it within", "stop_within_ms", seconds),
    ...(status.stop ? [["Stops within", seconds(status.stop.remaining_ms)]] : []),
  ];
  const list = byId("figures");
  if (list.children.length !== figures.length) {
    list.replaceChildren(...figures.map(([title]) => {
      const pair = document.createElement("div");
      pair.append(element("dt", title), element("dd", ""));
      return pair;
    }));
  }
  figures.forEach(([title, value], index) => {
    const [name, shown] = list.children[index].children;
    setText(name, title);
    setText(shown, value);
  });
}

function showLogin() {
  byId("main").hidden = true;
  byId("log-out").hidden = true;
  showState("", "not logged in");
  setText(byId("connection"), "");
  tellOutcome(""); // of an act of an earlier login
  byId("login").hidden = false;
  byId("token").focus();
}

async function logIn(event) {
  event.preventDefault();
  const token = byId("token");
  const answer = await fetch("/login", { method: "POST", body: token.value }).catch(() => null);
  if (answer?.ok) {
    token.value = "";
    setText(byId("login-error"), "");
    hasLoggedIn = true;
    await connect();
    return;
  }
  const problem = answer ? (await answer.text()).trim() : "the server does not answer";
  setText(byId("login-error"), problem);
  token.select();
}

async function logOut() {
  await fetch("/logout", { method: "POST" }).catch(() => null);
  connect();
}

async function listTopics() {
  const answer = await fetch("/topics").catch(() => null);
  if (answer?.ok) {
    showTopics(await answer.json());
  } else {
    tellOutcome("The topics could not be listed.");
  }
}

/** A page that is hidden reads nothing, and begins its plots again when it is shown. */
function followVisibility() {
  if (document.hidden) {
    disconnect();
  } else {
    values = new History();
    connect();
  }
}

byId("login-form").addEventListener("submit", logIn);
byId("log-out").addEventListener("click", logOut);
byId("list-topics").addEventListener("click", listTopics);
document.addEventListener("visibilitychange", followVisibility);
connect();
