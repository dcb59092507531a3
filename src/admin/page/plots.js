/** Plots: a line over the last five minutes, with the newest and the highest value as text. */

import { LENGTH } from "./history.js";
import { bytes, count, element, micros, setText } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = LENGTH - 1;
const HEIGHT = 100;

/** The plots by the name of their values. */
const PLOTS = {
  broadcasts: { title: "Broadcasts per second", format: count },
  bytes: { title: "Bytes of broadcasts per second", format: bytes },
  delay: { title: "Delay of session threads", format: micros },
  commit: { title: "Time of a journal commit", format: micros },
};

/** Makes the plots inside of an element, and returns a function that draws a history. */
export function makePlots(container) {
  const plots = Object.entries(PLOTS).map(([name, plot]) => ({ name, ...plot, ...makePlot(plot.title) }));
  container.append(...plots.map((plot) => plot.figure));
  return (history) => {
    for (const plot of plots) {
      draw(plot, history.series[plot.name]);
    }
  };
}

function makePlot(title) {
  const figure = document.createElement("figure");
  const caption = element("figcaption", title);
  const text = element("span", "no values yet");
  caption.append(text);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true"); // its text says the same
  const path = document.createElementNS(SVG, "path");
  svg.append(path);
  figure.append(caption, svg);
  return { figure, text, path };
}

function draw({ text, path, format }, values) {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) {
    setText(text, "no values yet");
    path.setAttribute("d", "");
    return;
  }
  const highest = Math.max(...known);
  const newest = values[values.length - 1];
  const now = newest === null ? "none now" : `${format(newest)} now`;
  setText(text, `${now}, ${format(highest)} at most`);
  path.setAttribute("d", line(values, highest));
}

/** Returns the line of a path. The newest value is at the right, and a missing one leaves a hole. */
export function line(values, highest) {
  const left = WIDTH - (values.length - 1);
  const scale = highest > 0 ? (HEIGHT - 4) / highest : 0;
  let isDown = false;
  return values.map((value, index) => {
    if (value === null) {
      isDown = false;
      return "";
    }
    const x = left + index;
    const y = (HEIGHT - 2 - value * scale).toFixed(1);
    // A lone value is a line of no length, which its round end makes a point.
    const step = isDown ? `L${x} ${y}` : `M${x} ${y}h0`;
    isDown = true;
    return step;
  }).join("");
}
