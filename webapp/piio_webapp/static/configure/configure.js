/* The configuration of one board: its tabs, saving everything at once, and what to do when somebody else saved. */
import { BoardState } from "../board_state.js";
import { element, write } from "../element.js";
import { toast } from "../shell.js";
import { DisplaysPanel } from "./displays_panel.js";
import { Draft } from "./draft.js";
import { MachinePanel } from "./machine_panel.js";
import { PointsPanel } from "./points_panel.js";
import { RevisionsPanel } from "./revisions_panel.js";

const part = (id) => document.getElementById(id);
const board = new BoardState(document.body.dataset.looksAt, true);
const draft = new Draft(board);
const panels = {
  points: new PointsPanel(part("points"), draft, board),
  arrangement: new DisplaysPanel(part("arrangement"), draft, board),
  revisions: new RevisionsPanel(part("revisions"), draft, board),
  machine: new MachinePanel(part("machine"), draft, board),
};
const tabs = [...document.querySelectorAll("[role=tab]")];

function turnTo(id, focus = false) {
  for (const tab of tabs) {
    const chosen = tab.getAttribute("aria-controls") === id;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    part(tab.getAttribute("aria-controls")).hidden = !chosen;
    if (chosen && focus) tab.focus();
  }
  history.replaceState(null, "", `#${id}`);
  if (id === "revisions") panels.revisions.show();
}

tabs.forEach((tab, index) => {
  tab.addEventListener("click", () => turnTo(tab.getAttribute("aria-controls")));
  tab.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) turnTo(tabs[(index + by + tabs.length) % tabs.length].getAttribute("aria-controls"), true);
  });
});
if (location.hash.slice(1) in panels) turnTo(location.hash.slice(1));

function showBar() {
  part("savebar").hidden = !draft.dirty;
  part("save").disabled = Boolean(draft.saving);
}

function showProblems() {
  const shown = draft.problems.map(({ path, message }) => {
    const [kind, name] = path.split(".");
    const go = kind === "points" ? () => { turnTo("points"); panels.points.choose(name); } : kind === "displays" ? () => { turnTo("arrangement"); panels.arrangement.choose(name); } : null;
    const where = go ? element("button", { type: "button", className: "quiet", on: { click: go } }, path) : path;
    return element("p", { className: "problem", data: { problem: path } }, where, path ? ": " : "", message);
  });
  part("problems").replaceChildren(...(draft.theirs ? [conflict()] : []), ...shown);
}

function conflict() {
  const theirs = element("button", { type: "button", on: { click: () => draft.discard() } }, "Reload theirs");
  const mine = element("button", { type: "button", on: { click: () => draft.keepMine() } }, "Keep mine on top");
  const words = `${draft.theirs.by || "Somebody"} saved another configuration meanwhile (revision ${draft.theirs.revision}).`;
  return element("div", { className: "notice row", id: "conflict" }, words, theirs, mine);
}

async function save() {
  part("save").disabled = true;
  const answer = await draft.save();
  showBar();
  if (answer.ok) toast(["Saved", ...(answer.warnings ?? [])].join(" · "));
  else {
    const first = draft.problems.find(({ path }) => path.startsWith("points.") || path.startsWith("displays."));
    if (first?.path.startsWith("points.")) panels.points.choose(first.path.split(".")[1]);
    part("problems").scrollIntoView({ block: "nearest" });
  }
}

for (const event of ["change", "replaced", "conflict"]) draft.addEventListener(event, showBar);
for (const event of ["replaced", "conflict"]) draft.addEventListener(event, showProblems);
draft.addEventListener("replaced", () => { for (const id of ["points", "arrangement"]) part(id).inert = false; }); // what is edited before would be lost
part("save").addEventListener("click", save);
part("discard").addEventListener("click", () => draft.discard());
addEventListener("keydown", (event) => { if ((event.ctrlKey || event.metaKey) && event.key === "s") { event.preventDefault(); if (draft.dirty) save(); } });
addEventListener("beforeunload", (event) => { if (draft.dirty) event.preventDefault(); });
board.addEventListener("board", () => {
  part("status").dataset.status = board.status;
  write(part("status"), board.known ? board.status : "unknown");
  write(part("about"), [board.capabilities?.board?.model, `revision ${board.config.revision ?? 0}`, board.config.by ? `by ${board.config.by}` : ""].filter(Boolean).join(" · "));
});
