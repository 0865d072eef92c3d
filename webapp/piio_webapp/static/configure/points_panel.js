/* The points of a board: a list with what each one is now, and the form of the chosen one. */
import { element, write } from "../element.js";
import { toast } from "../shell.js";
import { PointForm } from "./point_form.js";

const NAME = /^[a-z][a-z0-9_]{0,62}$/;

export class PointsPanel {
  #chosen = null;
  #form = null;
  #rows = new Map();

  constructor(root, draft, board) {
    Object.assign(this, { root, draft, board });
    this.items = element("ul", { className: "items" });
    this.place = element("div");
    const add = element("button", { type: "button", id: "add-point", on: { click: () => this.#add() } }, "+ Add a point");
    root.append(element("div", { className: "split" }, element("div", {}, this.items, add), this.place));
    draft.addEventListener("replaced", () => this.#replaced());
    draft.addEventListener("change", () => this.#list());
    board.addEventListener("readings", () => { this.#now(); this.#soon(); });
    board.addEventListener("link", () => this.#now());
    board.addEventListener("board", () => this.#now());
  }

  /** Show the point that a problem is about. */
  choose(name) {
    this.#chosen = name in this.draft.points ? name : Object.keys(this.draft.points)[0] ?? null;
    this.#list();
    this.#show();
  }

  #replaced() {
    const at = document.activeElement?.dataset?.path;
    this.choose(this.#chosen);
    if (at) this.#focus(at);
  }

  #list() {
    const names = Object.keys(this.draft.points).sort();
    this.#rows.clear();
    this.items.replaceChildren(...names.map((name) => {
      const point = this.draft.points[name];
      const now = element("span", { className: "now" });
      const sub = element("span", { className: "sub" });
      this.#rows.set(name, { now, sub });
      const words = element("span", {}, point.label || name, sub);
      return element("li", {}, element("button", { type: "button", data: { point: name }, "aria-current": String(name === this.#chosen), on: { click: () => this.choose(name) } }, words, now));
    }));
    this.#now();
  }

  #now() {
    for (const [name, { now, sub }] of this.#rows) {
      const point = this.draft.points[name];
      if (!point) continue;
      const { value, quality, reason } = this.board.reading(name);
      const applied = this.board.applied?.points?.[name];
      const saved = name in (this.board.config.points ?? {});
      write(now, !saved || value === null ? "" : `${Number(value.toPrecision(5))} ${point.unit ?? ""}`.trim());
      const trouble = this.draft.problemsAt(`points.${name}`)[0]?.message ?? (applied?.ok === false ? applied.error : applied?.fail_safe) ?? (saved && quality !== "good" ? `${quality}: ${reason}` : "");
      write(sub, trouble || (point.interface ? `${point.interface} ${point.channel ?? ""} · ${point.direction ?? "input"}` : "computed") + (saved ? "" : " · not saved yet"));
      sub.classList.toggle("bad", Boolean(trouble));
    }
  }

  #soon() {
    this.timer ??= setTimeout(() => { this.timer = null; if (!this.root.hidden) this.#form?.refresh(); }, 700);
  }

  #show() {
    if (this.#chosen === null) {
      this.#form = null;
      this.place.replaceChildren(element("div", { className: "card empty" }, element("h2", {}, "No points yet"), element("p", {}, "A point gives a channel of this board a name, a unit and an equation. Add the first one.")));
      return;
    }
    const name = this.#chosen;
    this.#form = new PointForm(name, {
      draft: this.draft, board: this.board, again: (path) => { this.#show(); this.#focus(path); },
      rename: (to, input) => this.#rename(name, to, input), remove: () => this.#remove(name),
    });
    this.place.replaceChildren(this.#form.root);
  }

  #focus(path) { this.root.querySelector(`[data-path="${CSS.escape(path)}"]`)?.focus(); }

  #add() {
    const interfaces = Object.entries(this.board.capabilities?.interfaces ?? {}).filter(([, each]) => each.ok && Object.keys(each.channels ?? {}).length);
    const used = new Set(Object.values(this.draft.points).map((point) => `${point.interface}/${point.channel}`));
    const [id, each] = interfaces[0] ?? [null, null];
    const channels = Object.keys(each?.channels ?? {}).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const channel = channels.find((channel) => !used.has(`${id}/${channel}`)) ?? null;
    let number = 1;
    while (`point${number}` in this.draft.points) number += 1;
    const name = `point${number}`;
    this.draft.points[name] = channel === null ? { direction: "input", equation: "0" } : { direction: each.channels[channel].directions[0], interface: id, channel };
    this.draft.touch();
    this.choose(name);
    this.#focus(`points.${name}.name`);
    this.place.querySelector("input")?.select();
  }

  #rename(name, to, input) {
    if (to === name) return;
    const wrong = !NAME.test(to) ? "A name has a-z, 0-9 and _, and begins with a letter" : to in this.draft.points ? `There is a point '${to}' already` : "";
    input.setCustomValidity(wrong);
    if (wrong) { input.reportValidity(); return; }
    this.draft.points = Object.fromEntries(Object.entries(this.draft.points).map(([key, point]) => [key === name ? to : key, point]));
    for (const display of Object.values(this.draft.displays)) if (display.point === name) display.point = to;
    this.draft.touch();
    this.choose(to);
  }

  #remove(name) {
    delete this.draft.points[name];
    const orphans = Object.entries(this.draft.displays).filter(([, display]) => display.point === name).map(([id]) => id);
    for (const id of orphans) delete this.draft.displays[id];
    if (orphans.length) toast(`${orphans.length === 1 ? "One display" : `${orphans.length} displays`} of '${name}' removed with it`);
    this.draft.touch();
    this.choose(null);
  }
}
