/* What was asked of a board lately, and what became of it: a list that is open only for who wants it. */
import { outcomeOf, timeOf, WHAT } from "./audit_row.js";
import { element } from "./element.js";
import { link } from "./link.js";

const MOST = 6;
const EVERY = 2000; // ms

export class Lately {
  #newest = -1;

  constructor(root, agent) {
    Object.assign(this, { root, agent });
    this.list = root.querySelector("ul");
    root.addEventListener("toggle", () => { if (root.open) this.#show(); });
    setInterval(() => { if (root.open && link.state === "up" && document.visibilityState === "visible") this.#show(); }, EVERY);
  }

  async #show() {
    const answer = await link.ask("audit", this.agent, { limit: MOST });
    const newest = answer.entries?.[0]?.number ?? 0;
    if (answer.ok && newest === this.#newest) return; // what is there stays, with whatever is selected in it
    this.#newest = answer.ok ? newest : -1;
    const lines = answer.ok ? answer.entries.map(line) : [element("li", {}, answer.error?.message ?? "no answer")];
    this.list.replaceChildren(...(lines.length ? lines : [element("li", {}, "Nothing yet.")]));
  }
}

function line(entry) {
  const { point, what, value, by, verified } = entry;
  const who = by ? ` by ${by}${verified ? " ✓" : ""}` : "";
  const words = [point, WHAT[what] ?? what, value && `→ ${value}`].filter(Boolean).join(" ");
  return element("li", { data: { number: entry.number } }, timeOf(entry), element("span", { className: "words" }, words, who), element("span", {}, ...outcomeOf(entry)));
}
