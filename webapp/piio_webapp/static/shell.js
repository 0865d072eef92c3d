/* What every page shows around its content: the banner while the link is down, and toasts. */
import { element, write } from "./element.js";
import { link } from "./link.js";
import "./stop.js";

const LASTING = 6000;
const MOST = 4;
const banner = document.getElementById("banner");
const toasts = document.getElementById("toasts");

/** Tell the person something in passing. */
export function toast(...content) {
  const shown = element("div", { className: "toast" }, ...content);
  toasts.append(shown);
  while (toasts.children.length > MOST) toasts.firstChild.remove();
  setTimeout(() => shown.remove(), LASTING);
}

let server = { broker: true, bridge: true };

function shownTrouble() {
  if (link.state === "down") return "Connection lost, trying again…";
  if (link.state === "silent") return "The web app has gone quiet; values may be old.";
  if (link.state === "connecting") return "";
  if (!server.broker) return "The web app has lost the broker, trying again…";
  if (!server.bridge) return "The bridge is offline: values are old and nothing can be set.";
  if (server.quiet) return "The bridge has gone quiet: values are old and nothing can be set.";
  return "";
}

function show() {
  const trouble = shownTrouble();
  write(banner, trouble);
  banner.hidden = !trouble;
}

link.addEventListener("state", show);
link.addEventListener("frame", ({ detail }) => { if (detail.link) { server = detail.link; show(); } });
link.addEventListener("note", ({ detail: note }) => {
  const board = element("a", { href: `/board/${note.agent}` }, note.agent);
  if (note.kind === "status") toast(board, note.status === "online" ? " came online" : " went offline");
  else if (note.kind === "event") toast(board, ` · ${note.point}: ${note.reason}`);
  else if (note.kind === "config") toast("The configuration of ", board, ` was changed by ${note.by || "somebody"}`);
});
