/** Texts for people: numbers with their units. */

const integer = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

/** Returns a number without a unit; one below 10 has a decimal. */
export function count(value) {
  return (Math.abs(value) < 10 ? precise : integer).format(value);
}

/** Returns a number of bytes with its unit. */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${count(value)} ${units[unit]}`;
}

/** Returns a time with its unit. */
export function micros(value) {
  if (value < 1000) {
    return `${count(value)} µs`;
  }
  return value < 1e6 ? `${count(value / 1000)} ms` : `${count(value / 1e6)} s`;
}

/** Returns a number of milliseconds as whole seconds. */
export function seconds(millis) {
  return `${integer.format(Math.ceil(millis / 1000))} s`;
}

/** Returns a date and a time of this browser's zone. */
export function date(millis) {
  return new Date(millis).toLocaleString([], { dateStyle: "short", timeStyle: "medium" });
}

/**
 * Sets the text of an element. An equal text is left alone: a screen reader would read a live region
 * again, and a selection would be lost.
 */
export function setText(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

/** Makes an element with a text and attributes. */
export function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  return made;
}
