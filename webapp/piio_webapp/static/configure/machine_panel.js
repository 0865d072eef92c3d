/* The board itself: its interfaces, its health, and carrying its configuration elsewhere or forgetting it. */
import { element } from "../element.js";
import { link } from "../link.js";
import { toast } from "../shell.js";

export class MachinePanel {
  constructor(root, draft, board) {
    Object.assign(this, { root, board });
    this.about = element("div", { className: "stack" });
    const to = element("input", { placeholder: "bench2", "aria-label": "Name of the other board", maxLength: 63, autocapitalize: "none", spellcheck: false });
    this.forget = element("button", { type: "button", className: "danger", on: { click: () => this.#forget() } }, "Forget this board");
    const copy = element("form", { className: "row", on: { submit: (event) => { event.preventDefault(); this.#copy(to.value.trim()); } } }, to, element("button", {}, "Copy there"));
    root.append(element("div", { className: "stack" }, this.about,
      element("div", { className: "card stack" }, element("h2", {}, "Copy the configuration to another board"), element("p", { className: "hint" }, "It replaces what the other board has."), copy),
      element("div", { className: "card stack" }, element("h2", {}, "Forget"), element("p", { className: "hint" }, "Removes an offline board, its configuration and its retained topics."), element("div", {}, this.forget))));
    board.addEventListener("board", () => this.#show());
  }

  #show() {
    const { board } = this;
    const facts = { ...board.capabilities?.board, software: board.capabilities?.software, ...board.health };
    const rows = Object.entries(facts).filter(([, value]) => value !== null && value !== undefined && value !== "")
      .flatMap(([key, value]) => [element("dt", {}, key.replaceAll("_", " ")), element("dd", {}, typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value))]);
    const interfaces = Object.entries(board.capabilities?.interfaces ?? {}).map(([id, each]) => element("li", { className: "card" },
      element("span", {}, element("b", {}, id), ` · ${each.title} (${each.driver})`),
      each.ok ? element("span", { className: "badge", data: { status: "online" } }, `${Object.keys(each.channels ?? {}).length} channels`) : element("span", { className: "problem" }, each.error ?? "cannot be used")));
    this.about.replaceChildren(element("dl", { className: "card facts" }, ...rows), element("ul", { className: "list" }, ...interfaces));
    this.forget.disabled = board.status === "online";
    this.forget.title = board.status === "online" ? "Only an offline board can be forgotten" : "";
  }

  async #copy(to) {
    if (!to || !confirm(`Replace the configuration of ${to} by this one?`)) return;
    told(await link.ask("copy", this.board.agent, { to }), `Copied to ${to}`);
  }

  async #forget() {
    if (!confirm(`Forget ${this.board.agent} and its configuration?`)) return;
    const answer = await link.ask("forget", this.board.agent);
    told(answer, "Forgotten");
    if (answer.ok) location.assign("/");
  }
}

function told(answer, done) {
  const reason = answer.error?.message ?? answer.errors?.map((each) => `${each.path}: ${each.message}`).join("; ");
  toast(answer.ok ? done : `Not done: ${reason}`);
}
