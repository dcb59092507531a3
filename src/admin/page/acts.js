/** The acts of an operator. Each act is confirmed first, and its outcome is told. */

import { element, setText } from "./text.js";

const byId = (id) => document.getElementById(id);

const MINUTE_MS = 60_000;

/** The longest time of a drain, in minutes. */
const A_WEEK = String(7 * 24 * 60);

/** The text of the acts that end the server. */
const ENDS = "It does not start again by itself, unless a service manager starts it.";

/** The acts on the server as a whole, and the states of the server in which each is offered. */
const SERVER_ACTS = [
  {
    label: "Drain and stop",
    states: ["serving", "draining"],
    title: "Drain and stop the server?",
    text: "It takes no new sessions, and its clients stay until they leave. It stops when the last session"
      + ` has gone, or when this time is up. ${ENDS}`,
    field: {
      label: "Minutes until it stops at the latest", type: "number", value: "10", min: "0", max: A_WEEK,
    },
    path: "/drain",
    body: (minutes) => JSON.stringify({ stop_within_ms: Math.round(Number(minutes) * MINUTE_MS) }),
    done: "The server takes no new sessions. It stops when the last one has gone.",
  },
  {
    label: "Cancel the drain",
    states: ["draining"],
    title: "Cancel the drain?",
    text: "The server takes new sessions again, and does not stop.",
    path: "/drain/cancel",
    done: "The server takes new sessions again.",
  },
  {
    label: "Stop now",
    states: ["serving", "draining"],
    title: "Stop the server now?",
    text: "It takes no new sessions, delivers what it has accepted, disconnects its clients, and ends."
      + ` ${ENDS}`,
    path: "/stop",
    done: "The stop has begun.",
  },
];

const serverButtons = SERVER_ACTS.map((act) => button(act.label, () => perform(act)));
byId("server-acts").append(...serverButtons);

/** Shows the acts on the server that its state allows. */
export function showServerActs(state) {
  SERVER_ACTS.forEach(({ states }, index) => {
    const shown = serverButtons[index];
    const isHidden = !states.includes(state);
    if (isHidden && shown === document.activeElement) {
      byId("server-acts").focus(); // the focus would be lost
    }
    shown.hidden = isHidden;
  });
}

/** Makes the button that ends a session. */
export function makeEndButton({ session, user }) {
  const whose = user ? `session ${session} of ${user}` : `session ${session}`;
  const end = button("End", () => perform({
    label: "End the session",
    title: `End ${whose}?`,
    text: "Its client is told the reason, and disconnected. It may connect again.",
    field: { label: "Reason that the client is told", type: "text", value: "", maxlength: "500" },
    path: `/sessions/${session}/end`,
    done: `Session ${session} was ended.`,
  }));
  end.setAttribute("aria-label", `End ${whose}`);
  return end;
}

function button(label, act) {
  const made = element("button", label, { type: "button", class: "danger" });
  made.addEventListener("click", act);
  return made;
}

/** Asks, sends the act if the answer is yes, and tells the outcome. */
async function perform(act) {
  const { isConfirmed, value } = await askToConfirm(act);
  if (isConfirmed) {
    tellOutcome(await send(act, value));
  }
}

/** Returns the operator's answer, and the value of the field where the act has one. */
function askToConfirm({ title, text, label, field }) {
  const dialog = byId("confirm");
  setText(byId("confirm-title"), title);
  setText(byId("confirm-text"), text);
  setText(byId("confirm-yes"), label);
  showField(field);
  dialog.returnValue = "";
  dialog.showModal();
  byId("confirm-no").focus();
  return new Promise((answer) => {
    const tell = () => answer({
      isConfirmed: dialog.returnValue === "yes",
      value: field && byId("confirm-field").value,
    });
    dialog.addEventListener("close", tell, { once: true });
  });
}

/** Shows the field of an act in the dialog; without one there is none. */
function showField(field) {
  byId("confirm-field-line").hidden = !field;
  const input = byId("confirm-field");
  const { label = "", type = "text", value = "", min = "", max = "", maxlength = "" } = field ?? {};
  setText(byId("confirm-field-label"), label);
  input.type = type;
  input.min = min;
  input.max = max;
  input.required = type === "number";
  input.value = value;
  if (maxlength) {
    input.setAttribute("maxlength", maxlength);
  } else {
    input.removeAttribute("maxlength");
  }
}

/** Sends an act, and returns its outcome in words. */
async function send({ path, body = (value) => value, done }, value) {
  try {
    const answer = await fetch(path, { method: "POST", body: body(value) });
    return answer.ok ? done : `Not done: ${await problemOf(answer)}.`;
  } catch {
    return "Not done: the server does not answer.";
  }
}

/** Returns the error in an answer: its text, or the field `error` of its JSON. */
async function problemOf(answer) {
  const text = (await answer.text()).trim();
  try {
    return JSON.parse(text).error;
  } catch {
    return text || String(answer.status);
  }
}

/** Tells the outcome of an act, also to a screen reader. */
export function tellOutcome(text) {
  setText(byId("outcome"), text);
}

byId("confirm-no").addEventListener("click", () => byId("confirm").close("no"));
