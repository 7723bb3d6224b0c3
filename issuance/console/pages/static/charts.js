// Charts as pictures of a table: whoever can't see them reads the summary, and the table beside it.

import { el } from "./bureau.js";

const SVG = "http://www.w3.org/2000/svg";

function svg(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

function rect(x, y, width, height, kind) {
  return svg("rect", { x, y, width, height, class: kind });
}

/** The chart as one picture, told in `summary`. */
function pictured(kind, summary, ...parts) {
  return el("div", { class: kind, role: "img", "aria-label": summary }, ...parts);
}

/**
 * Lying bars, one or more to a row. rows: {label, text, values}; most: the whole width; aim: where
 * a line stands, or null.
 */
export function lyingBars(summary, rows, most, aim = null) {
  return pictured(
    "bars",
    summary,
    ...rows.flatMap(({ label, text, values }) => [
      el("span", { class: "bar-label" }, label),
      el("span", { class: "bar-text" }, text),
      bar(values, most, aim),
    ]),
  );
}

function bar(values, most, aim) {
  const high = 10 / values.length;
  const parts = values.map((value, place) =>
    rect(0, place * high, most ? (100 * value) / most : 0, high, `bar-${place + 1}`),
  );
  if (aim !== null) parts.push(rect(Math.min(99, (100 * aim) / most), -1, 0.8, 12, "bar-aim"));
  const back = rect(0, 0, 100, 10, "bar-back");
  return svg("svg", { viewBox: "0 -1 100 12", preserveAspectRatio: "none" }, back, ...parts);
}

/** Standing bars close together. columns: {label, value}, value null where it isn't shown. */
export function standingBars(summary, columns) {
  const most = Math.max(1, ...columns.map((one) => one.value ?? 0));
  const wide = 100 / columns.length;
  const bars = columns.map(({ value }, place) => {
    const high = value === null ? 1 : (40 * value) / most;
    const kind = value === null ? "bar-none" : "bar-1";
    return rect(place * wide + wide * 0.1, 40 - high, wide * 0.8, high, kind);
  });
  const labels = columns.filter((_, place) => place % 6 === 0).map((one) => el("span", {}, one.label.slice(0, 2)));
  return pictured(
    "columns",
    summary,
    svg("svg", { viewBox: "0 0 100 40", preserveAspectRatio: "none" }, ...bars),
    el("div", { class: "column-labels" }, ...labels),
  );
}
