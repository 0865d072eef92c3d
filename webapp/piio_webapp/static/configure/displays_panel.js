/* The displays of a board: arranged in their grid, and the form of the chosen one. */
import { displayTypes } from "../display_types.js";
import { element } from "../element.js";
import { Tile } from "../tile.js";
import { choice, number, text } from "./field.js";
import { schemaFields } from "./schema_form.js";

const COLUMNS = 12;
const MOST_ROWS = 12;
const SIZES = { graph: [6, 4] };
const types = await displayTypes();

export class DisplaysPanel {
  #chosen = null;
  #tiles = new Map();

  constructor(root, draft, board) {
    Object.assign(this, { root, draft, board });
    this.grid = element("div", { className: "grid" });
    this.place = element("div");
    const adds = [...types.values()].map(({ type, manifest }) => element("button", { type: "button", data: { add: type }, on: { click: () => this.#add(type) } }, `+ ${manifest.label}`));
    root.append(element("div", { className: "stack arranging" }, element("div", { className: "row", role: "group", "aria-label": "Add a display" }, ...adds), this.grid, this.place));
    draft.addEventListener("replaced", () => { if (!(this.#chosen in draft.displays)) this.#chosen = null; this.#arrange(); this.#form(); });
    draft.addEventListener("change", () => this.#arrange());
    board.addEventListener("snapshot", () => this.#tiles.forEach((tile) => tile.askHistory(board)));
    board.addEventListener("link", () => this.#tiles.forEach((tile) => tile.show(board)));
    board.addEventListener("readings", ({ detail }) => this.#tiles.forEach((tile) => { if (detail.has(tile.point)) tile.show(board); }));
  }

  choose(id) { this.#chosen = id; this.#arrange(); this.#form(); }

  #arrange() {
    for (const [id, tile] of this.#tiles) if (!(id in this.draft.displays)) { tile.remove(); this.#tiles.delete(id); }
    for (const [id, display] of Object.entries(this.draft.displays)) {
      let tile = this.#tiles.get(id);
      if (!tile?.fits(display)) { tile?.remove(); tile = this.#tile(id, display); }
      tile.configure(this.board, display);
      tile.root.dataset.chosen = String(id === this.#chosen);
    }
  }

  #tile(id, display) {
    const tile = new Tile(id, display.type, types.get(display.type), "viewer");
    tile.display.inert = true;
    tile.root.append(element("button", { type: "button", className: "pick", "aria-label": `Edit the display ${id}`, on: { click: () => this.choose(id) } }));
    this.#tiles.set(id, tile);
    this.grid.append(tile.root);
    return tile;
  }

  #add(type) {
    let count = 1;
    while (`d${count}` in this.draft.displays) count += 1;
    const [w, h] = SIZES[type] ?? [3, 2];
    const outputs = type === "button";
    const point = Object.keys(this.draft.points).find((name) => (this.draft.points[name].direction === "output") === outputs) ?? Object.keys(this.draft.points)[0];
    this.draft.displays[`d${count}`] = { type, ...(point ? { point } : {}), place: { ...this.#free(w, h), w, h } };
    this.draft.touch();
    this.choose(`d${count}`);
  }

  /** The first place from the top where a display of this size covers no other. */
  #free(w, h) {
    const taken = Object.values(this.draft.displays).map(({ place = {} }) => ({ x: 0, y: 0, w: 3, h: 2, ...place }));
    for (let y = 0; ; y += 1) for (let x = 0; x + w <= COLUMNS; x += 1) {
      if (!taken.some((other) => x < other.x + other.w && other.x < x + w && y < other.y + other.h && other.y < y + h)) return { x, y };
    }
  }

  #form() {
    const id = this.#chosen;
    const display = this.draft.displays[id];
    if (!display) {
      const empty = Object.keys(this.draft.displays).length === 0;
      this.place.replaceChildren(element("p", { className: "hint" }, empty ? "No displays yet: add one above." : "Choose a display to change it."));
      return;
    }
    const path = `displays.${id}`;
    const options = (key) => ({ path: `${path}.${key}`, problems: this.draft.problemsAt(`${path}.${key}`) });
    const again = () => { this.draft.touch(); this.#form(); };
    const points = Object.entries(this.draft.points).map(([name, point]) => [name, point.label ? `${point.label} (${name})` : name]);
    const schema = types.get(display.type)?.manifest.options;
    display.options ??= {};
    this.place.replaceChildren(element("div", { className: "card form" }, element("h2", {}, `Display ${id}`),
      choice("Type", display.type, this.#typeChoices(display), (type) => { display.type = type; display.options = {}; again(); }, options("type")),
      choice("Point", display.point ?? "", [...(display.point in this.draft.points ? [] : [[display.point ?? "", "choose…"]]), ...points], (name) => { display.point = name; again(); }, options("point")),
      text("Label", display.label, (label) => { display.label = label; this.draft.touch(); }, { ...options("label"), placeholder: this.draft.points[display.point]?.label ?? "" }),
      this.#places(display, path),
      schema?.properties ? element("fieldset", { className: "form" }, element("legend", {}, "Options"), ...schemaFields(schema, display.options, `${path}.options`, this.draft)) : null,
      element("div", { className: "full row" }, element("button", { type: "button", className: "danger", on: { click: () => { delete this.draft.displays[id]; this.draft.touch(); this.choose(null); } } }, "Remove this display"))));
  }

  #typeChoices(display) {
    const known = [...types.values()].map(({ type, manifest }) => [type, manifest.label]);
    return types.has(display.type) ? known : [[display.type, `${display.type} (unknown)`], ...known];
  }

  #places(display, path) {
    const place = (display.place = { x: 0, y: 0, w: 3, h: 2, ...display.place });
    const limits = { x: [0, COLUMNS - 1], y: [0, 999], w: [1, COLUMNS], h: [1, MOST_ROWS] };
    const put = (key, value) => {
      place[key] = Math.min(limits[key][1], Math.max(limits[key][0], Math.round(value)));
      if (key === "x") place.x = Math.min(place.x, COLUMNS - place.w);
      if (key === "w") place.w = Math.min(place.w, COLUMNS - place.x);
      for (const [name, input] of Object.entries(inputs)) input.querySelector("input").value = place[name];
      this.draft.touch();
    };
    const words = { x: "Column", y: "Row", w: "Width", h: "Height" };
    const inputs = Object.fromEntries(Object.entries(words).map(([key, label]) => [key, number(label, place[key], (value) => { if (value !== null) put(key, value); }, { step: 1, min: limits[key][0], max: limits[key][1], path: `${path}.place.${key}`, problems: this.draft.problemsAt(`${path}.place.${key}`) })]));
    const step = (sign, title, key, by) => element("button", { type: "button", className: "icon", title, "aria-label": title, on: { click: () => put(key, place[key] + by) } }, sign);
    const steps = [step("←", "Move left", "x", -1), step("→", "Move right", "x", 1), step("↑", "Move up", "y", -1), step("↓", "Move down", "y", 1),
      step("⇥", "Wider", "w", 1), step("⇤", "Narrower", "w", -1), step("⤓", "Taller", "h", 1), step("⤒", "Shorter", "h", -1)];
    return element("fieldset", { className: "form" }, element("legend", {}, "Place"), element("div", { className: "row full" }, ...steps), ...Object.values(inputs));
  }
}
