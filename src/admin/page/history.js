/** The values of the plots: rates of two views, which have counts since the server's start. */

/** The number of values that are kept: five minutes. */
export const LENGTH = 300;

/** The newest values of each plot, the oldest first. A value is null where there is none. */
export class History {
  #last = null;
  #sent = new Map();

  constructor() {
    this.series = { broadcasts: [], bytes: [], delay: [], commit: [] };
    /** The broadcasts per second that each session was sent, by its number. */
    this.sessionRates = new Map();
  }

  /** Adds a view. */
  add(view) {
    const last = this.#last;
    this.#last = view;
    const seconds = last === null ? 0 : (view.at_ms - last.at_ms) / 1000;
    if (seconds <= 0 || view.status.stream !== last.status.stream) {
      // The first view, or the first of another run of the server.
      this.#sent = sentBySession(view);
      this.sessionRates = new Map();
      return;
    }
    const rate = (field) => perSecond(view.status[field], last.status[field], seconds);
    this.#push("broadcasts", rate("head"));
    this.#push("bytes", rate("written_bytes"));
    this.#push("delay", delay(view.status.parts));
    this.#push("commit", meanCommit(view.counts, last.counts));
    this.#addSessions(view, seconds);
  }

  #push(name, value) {
    const values = this.series[name];
    values.push(value);
    if (values.length > LENGTH) {
      values.shift();
    }
  }

  #addSessions(view, seconds) {
    const sent = sentBySession(view);
    this.sessionRates = new Map();
    for (const [session, seq] of sent) {
      this.sessionRates.set(session, perSecond(seq, this.#sent.get(session), seconds));
    }
    this.#sent = sent;
  }
}

function sentBySession(view) {
  return new Map(view.sessions.rows.map((row) => [row.session, row.sent]));
}

/** Returns the rate of a count; null where the count is missing or was set back. */
function perSecond(now, before, seconds) {
  const isRate = now !== undefined && before !== undefined && now >= before;
  return isRate ? (now - before) / seconds : null;
}

/** Returns the delay of the slowest session thread, in microseconds. */
function delay(parts) {
  const threads = parts.filter((part) => part.part.startsWith("session thread"));
  const times = threads.map((part) => part.took_us).filter((time) => time !== undefined);
  return times.length > 0 ? Math.max(...times) : null;
}

/** Returns how long a commit of the journal took between two views, in microseconds. */
function meanCommit(now, before) {
  if (!now || !before || now.commits <= before.commits) {
    return null;
  }
  return (now.commit_us - before.commit_us) / (now.commits - before.commits);
}
