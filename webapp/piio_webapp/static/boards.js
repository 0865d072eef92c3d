/* All boards: who is there, what they are, and when they were last heard of. */
import { ago } from "./ago.js";
import { element, write } from "./element.js";
import { link } from "./link.js";
import "./shell.js";

const list = document.getElementById("boards");
const cards = new Map();
let boards = {};
let server = { broker: true, bridge: true };

/** How many of a board's points are not to be believed now: all of them while nobody vouches for any. */
function notGood(board) {
  const vouched = link.state === "up" && server.broker && server.bridge && !server.quiet;
  return vouched ? board.not_good : board.points;
}

function made(name) {
  const parts = {
    status: element("span", { className: "badge" }),
    model: element("span", { className: "hint" }),
    more: element("span", { className: "hint" }),
    trouble: element("span", { className: "trouble" }),
  };
  const top = element("span", { className: "top" }, element("h2", {}, name), parts.status);
  const item = element("li", { data: { board: name } }, element("a", { className: "card", href: `/board/${name}` }, top, parts.model, parts.more, parts.trouble));
  return { item, ...parts };
}

function fill(card, board) {
  card.status.dataset.status = board.status;
  write(card.status, board.status);
  write(card.model, [board.model, board.hostname].filter(Boolean).join(" · ") || "no description yet");
  const points = board.points === 1 ? "1 point" : `${board.points} points`;
  const seen = board.status === "online" ? "" : board.seen ? ` · last seen ${ago(board.seen)}` : " · not seen lately";
  write(card.more, points + seen);
  const bad = notGood(board);
  const stopped = board.stopped ? `${board.stopped} ${board.stopped === 1 ? "output" : "outputs"} stopped` : "";
  write(card.trouble, [bad ? `${bad} ${bad === 1 ? "is" : "are"} not good` : "", stopped].filter(Boolean).join(" · "));
  card.trouble.hidden = !bad && !stopped;
}

function show() {
  const names = Object.keys(boards).sort();
  for (const [name, card] of cards) if (!(name in boards)) { card.item.remove(); cards.delete(name); }
  names.forEach((name, place) => {
    if (!cards.has(name)) cards.set(name, made(name));
    const card = cards.get(name);
    fill(card, boards[name]);
    if (list.children[place] !== card.item) list.insertBefore(card.item, list.children[place] ?? null);
  });
  const online = names.filter((name) => boards[name].status === "online").length;
  write(document.getElementById("count"), names.length ? `${online} of ${names.length} online` : "");
  document.getElementById("empty").hidden = names.length > 0;
  document.getElementById("waiting").hidden = true;
}

link.addEventListener("frame", ({ detail: frame }) => {
  if (frame.full) boards = {};
  if (frame.link) server = frame.link;
  if (!frame.boards && !(frame.link && cards.size)) return;
  for (const [name, board] of Object.entries(frame.boards ?? {})) if (board) boards[name] = board; else delete boards[name];
  show();
});
link.addEventListener("state", () => { if (cards.size) show(); });
setInterval(() => { if (cards.size) show(); }, 15000);
link.look(null);
