/* One entry of the audit trail, as a row of a table. */
import { element } from "./element.js";

export const WHAT = { set: "set", config: "configured", restore: "restored", copy: "copied", forget: "forgotten", stop: "stopped", fail_safe: "driven safe" };
const when = new Intl.DateTimeFormat(undefined, { dateStyle: "short", timeStyle: "medium" });

/** The time in words, with seconds, in this browser's time zone. */
export function timeOf({ time }) {
  const date = new Date(time * 1000);
  return element("time", { datetime: date.toISOString() }, when.format(date));
}

/** The outcome as a coloured word, and the reason after it. */
export function outcomeOf({ outcome, reason }) {
  const word = element("span", { className: "outcome", data: { outcome } }, outcome);
  return reason ? [word, element("span", { className: "why" }, ` ${reason}`)] : [word];
}

export function rowOf(entry) {
  const { board, point, what, value, by, verified, origin, address } = entry;
  const where = board === null ? ["all boards"] : [element("a", { href: `/board/${encodeURIComponent(board)}` }, board), point ? ` / ${point}` : ""];
  const mark = verified ? element("span", { className: "verified", title: "The web app vouches for who it was" }, " ✓", element("span", { className: "sr" }, " verified")) : null;
  const claim = by && !verified ? "The sender's claim" : undefined;
  return element("tr", { data: { number: entry.number, outcome: entry.outcome } },
    element("td", { className: "time" }, timeOf(entry)),
    element("td", { className: "where" }, ...where),
    element("td", { className: "what" }, WHAT[what] ?? what, value ? element("span", { className: "value" }, ` → ${value}`) : null),
    element("td", { className: "by", title: claim }, by || "–", mark),
    element("td", { className: "from" }, origin === "board" ? "the board" : address),
    element("td", { className: "became" }, ...outcomeOf(entry)));
}
