/* The revisions of a configuration: who saved what when, and going back to one. */
import { element } from "../element.js";
import { link } from "../link.js";
import { toast } from "../shell.js";

export class RevisionsPanel {
  constructor(root, draft, board) {
    Object.assign(this, { root, draft, board });
    this.items = element("ul", { className: "list" });
    root.append(this.items);
    board.addEventListener("board", () => { if (!root.hidden && this.shown !== board.config.revision) this.show(); });
  }

  async show() {
    this.shown = this.board.config.revision;
    const answer = await link.ask("revisions", this.board.agent);
    if (!answer.ok) { this.items.replaceChildren(element("li", { className: "card" }, answer.error?.message ?? "no answer")); return; }
    this.items.replaceChildren(...answer.revisions.map((each) => this.#row(each)));
  }

  #row({ revision, updated, by, changed = [] }) {
    const time = updated ? new Date(updated).toLocaleString() : "";
    const words = element("span", {}, element("b", {}, `Revision ${revision}`), ` · ${time}${by ? ` · by ${by}` : ""}`);
    const current = revision === this.board.config.revision;
    const act = current ? element("span", { className: "badge", data: { status: "online" } }, "in force") : element("button", { type: "button", on: { click: () => this.#restore(revision) } }, "Restore");
    if (changed.length) words.append(element("small", { className: "changed" }, changed.join(", ")));
    return element("li", { className: "card", data: { revision } }, words, act);
  }

  async #restore(revision) {
    const lost = this.draft.dirty ? " Your unsaved changes are dropped." : "";
    if (!confirm(`Make revision ${revision} the newest?${lost}`)) return;
    this.draft.discard();
    const answer = await link.ask("restore", this.board.agent, { revision });
    const reason = answer.error?.message ?? answer.errors?.map((each) => `${each.path}: ${each.message}`).join("; ");
    toast(answer.ok ? `Revision ${revision} is in force again, as ${answer.revision}` : `It was not restored: ${reason}`);
    this.show();
  }
}
