/* The audit trail: the newest entries, which follow by themselves while the page is seen. */
import { rowOf } from "./audit_row.js";
import { element, write } from "./element.js";
import { link } from "./link.js";
import "./shell.js";

const PAGE = 100;
const EVERY = 3000; // ms
const at = (id) => document.getElementById(id);
const [board, person, entries] = [at("board"), at("person"), at("entries")];
const people = new Set();
const asked = new URLSearchParams(location.search);
let newest = 0;
let oldest = null;
let turn = 0; // counts up with every change of the filters: answers to the ones before are let go

person.value = asked.get("person") ?? "";
offerBoard(asked.get("board"));
board.value = asked.get("board") ?? "";

function offerBoard(name) {
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(name ?? "") || [...board.options].some((option) => option.value === name)) return;
  const after = [...board.options].find((option) => option.value && option.value > name);
  board.insertBefore(element("option", { value: name }, name), after ?? null);
}

function offerPerson(name) {
  if (!name || people.has(name)) return;
  people.add(name);
  at("people").append(element("option", { value: name }));
}

function ask(more) {
  const body = { limit: PAGE, ...(person.value.trim() && { person: person.value.trim() }), ...more };
  return board.value ? link.ask("audit", board.value, body) : link.ask("audit_all", null, body);
}

function tell(text) {
  write(at("told"), text);
  at("told").hidden = !text;
}

function shown() {
  const some = entries.children.length > 0;
  at("trail").hidden = !some;
  at("none").hidden = some;
  at("waiting").hidden = true;
  at("older").hidden = oldest === null;
}

function take(answer) {
  if (!answer.ok) { tell(answer.error?.message ?? "The audit trail cannot be read now."); return false; }
  tell(answer.dropped ? `${answer.dropped} entries were lost since the bridge started: its disk did not keep up.` : "");
  for (const { by, board: name } of answer.entries) { offerPerson(by); offerBoard(name); }
  return true;
}

/** Put what is new above the rest; what is there stays as it is, with whatever is selected in it. */
async function refresh() {
  const mine = turn;
  const answer = await ask();
  if (mine !== turn || !take(answer)) return;
  const fresh = answer.entries.filter(({ number }) => number > newest);
  const first = newest === 0;
  if (first || fresh.length === answer.entries.length) {
    entries.replaceChildren(); // more came than one answer holds: the older ones are asked for anew
    oldest = answer.next;
  }
  const rows = fresh.map(rowOf);
  if (!first) for (const row of rows) row.classList.add("fresh");
  entries.prepend(...rows);
  newest = Math.max(newest, ...fresh.map(({ number }) => number));
  shown();
}

async function older() {
  const mine = turn;
  const answer = await ask({ before: oldest });
  if (mine !== turn || !take(answer)) return;
  entries.append(...answer.entries.map(rowOf));
  oldest = answer.next;
  shown();
}

function filtered() {
  turn += 1;
  newest = 0;
  oldest = null;
  const chosen = new URLSearchParams([["board", board.value], ["person", person.value.trim()]].filter(([, value]) => value));
  history.replaceState(null, "", chosen.size ? `?${chosen}` : location.pathname);
  at("csv").href = chosen.size ? `/audit.csv?${chosen}` : "/audit.csv";
  refresh();
}

board.addEventListener("change", filtered);
person.addEventListener("change", filtered);
at("filters").addEventListener("submit", (event) => { event.preventDefault(); refresh(); });
at("older").addEventListener("click", older);
link.addEventListener("frame", ({ detail: frame }) => {
  for (const name of Object.keys(frame.boards ?? {})) offerBoard(name);
  if (frame.full) filtered();
});
setInterval(() => { if (link.state === "up" && document.visibilityState === "visible" && turn) refresh(); }, EVERY);
link.look(null);
