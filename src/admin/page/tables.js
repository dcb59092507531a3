/** Tables whose rows stay while their values change. */

import { bytes, count, date, element, micros, setText } from "./text.js";

/**
 * Shows items as the rows of a table's body. A row that stays keeps its elements, so that the focus and a
 * selection stay too; the items must keep their order.
 *
 * A cell is a text, which may have a class: { text, type }. `act`, where given, makes the element of a
 * last cell, once for each row.
 */
function fill(body, items, { key, cells, act }) {
  const kept = new Set(items.map((item) => String(key(item))));
  for (const row of [...body.rows].filter((row) => !kept.has(row.dataset.key))) {
    if (row.contains(document.activeElement)) {
      body.closest("[tabindex]").focus(); // the focus would be lost
    }
    row.remove();
  }
  items.forEach((item, index) => {
    const name = String(key(item));
    const values = cells(item);
    let row = body.rows[index];
    if (row?.dataset.key !== name) {
      row = makeRow(name, values, act && act(item));
      body.insertBefore(row, body.rows[index] ?? null);
    }
    values.forEach((value, column) => setText(row.cells[column], value.text ?? value));
  });
}

function makeRow(name, values, act) {
  const row = document.createElement("tr");
  row.dataset.key = name;
  values.forEach((value, column) => {
    const cell = column === 0 ? element("th", "", { scope: "row" }) : document.createElement("td");
    cell.className = value.type ?? "";
    row.append(cell);
  });
  if (act) {
    const cell = element("td", "", { class: "act" });
    cell.append(act);
    row.append(cell);
  }
  return row;
}

/** Makes the cell of a number; null is a dash. */
function number(value, format = count) {
  return { text: value === null || value === undefined ? "–" : format(value), type: "number" };
}

const byId = (id) => document.getElementById(id);

/** Shows the sessions of a view. `rates` has the broadcasts per second of each. */
export function showSessions({ total, rows }, rates, makeAct) {
  const all = `${count(total)} ${total === 1 ? "session" : "sessions"}`;
  const caption = rows.length < total
    ? `${rows.length} of ${all}: those that lag furthest`
    : all;
  setText(byId("sessions-caption"), caption);
  fill(byId("sessions"), rows, {
    key: (row) => `${row.session} ${row.user ?? ""}`, // the act names both
    cells: (row) => [
      String(row.session),
      row.user ?? "not logged in",
      number(row.lag),
      number(rates.get(row.session)),
      number(row.sent),
      date(row.since_ms),
      row.peer,
      row.endpoint,
    ],
    act: makeAct,
  });
}

/** Shows how near the server is to its limits. */
export function showLimits(limits) {
  const body = byId("limits");
  fill(body, limits, {
    key: (limit) => limit.name,
    cells: (limit) => {
      const format = limit.unit === "bytes" ? bytes : count;
      return [limit.name, number(limit.used, format), number(limit.most, format)];
    },
    act: (limit) => {
      const meter = element("meter", "", { min: "0", max: "1", high: "0.8" });
      meter.setAttribute("aria-label", `Share of ${limit.name}`);
      return meter;
    },
  });
  limits.forEach((limit, index) => {
    const share = limit.most > 0 ? limit.used / limit.most : 0;
    const meter = body.rows[index].querySelector("meter");
    meter.value = share;
    meter.title = `${Math.round(share * 100)} %`;
  });
}

/** Shows the services; without any there is no table. */
export function showServices(services) {
  byId("services-section").hidden = services.length === 0;
  fill(byId("services"), services, {
    key: (service) => service.service,
    cells: (service) => [
      service.service,
      ...["offers", "in_work", "waiting", "answered", "failed"].map((name) => number(service[name])),
    ],
  });
}

/** Shows the errors that clients were told; without any there is no table. */
export function showErrors(errors) {
  byId("errors-section").hidden = errors.length === 0;
  fill(byId("errors"), errors, {
    key: ([code]) => code,
    cells: ([code, times]) => [code, number(times)],
  });
}

/** Shows the parts of the server. */
export function showParts(parts) {
  fill(byId("parts"), parts, {
    key: (part) => part.part,
    cells: (part) => [part.part, part.state, number(part.took_us, micros)],
  });
}

/** Shows topics that were asked for. */
export function showTopics({ topics, more }) {
  const all = `${count(topics.length)} ${topics.length === 1 ? "topic" : "topics"}`;
  setText(byId("topics-caption"), more ? `The first ${all} by name` : all);
  byId("topics-table").hidden = false;
  fill(byId("topics"), topics, {
    key: (topic) => topic.topic,
    cells: (topic) => [topic.topic, number(topic.seq), number(topic.held), number(topic.kept)],
  });
}
