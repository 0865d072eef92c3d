/* The form of one point: where it comes from, what it means, and how it behaves. */
import { channelOf, counted, settingsOf } from "../counting.js";
import { element } from "../element.js";
import { equationField } from "./equation_field.js";
import { check, choice, number, text } from "./field.js";
import { policyFields } from "./policies.js";
import { schemaFields } from "./schema_form.js";

const COMPUTED = "computed";
const LONGEST_ID = 32;
const FROM_INPUT = ["period", "idle_period", "deadband", "history", "events", "sample_rate"];
const FROM_OUTPUT = ["inverse", "on_start", "on_lost", "lease", "max_on", "min_on", "min_off", "rate", "interlock"];

export class PointForm {
  constructor(name, { draft, board, again, rename, remove }) {
    Object.assign(this, { name, draft, board, again, point: draft.points[name], path: `points.${name}`, previews: [] });
    this.root = element("div", { className: "card form" }, element("h2", {}, this.point.label || name),
      ...this.#identity(rename), ...this.#source(), ...this.#meaning(), this.#settings(), ...this.#behaviour(),
      element("div", { className: "full row" }, element("button", { type: "button", className: "danger", on: { click: remove } }, "Remove this point")));
  }

  /** Show what the equations give at the raw of now. */
  refresh() { this.previews.forEach((refresh) => refresh()); }

  #options(key, more = {}) { return { path: `${this.path}.${key}`, problems: this.draft.problemsAt(`${this.path}.${key}`), ...more }; }
  #take(key) { return (value) => { if (value === null || value === "") delete this.point[key]; else this.point[key] = value; this.draft.touch(); }; }
  #restart(path) { this.draft.touch(); this.again(path); }
  get #interfaces() { return this.board.capabilities?.interfaces ?? {}; }
  get #interface() { return this.#interfaces[this.point.interface]; }
  get #channels() { return this.#interface?.channels ?? {}; }
  get #channel() { return channelOf(this.#interface, this.point.channel); }
  get #measure() { return counted(this.#interface, this.point.channel)?.measure ?? ""; }
  get #line() { return this.#lineOf(this.point); }
  #lineOf(point) { return counted(this.#interface, point.channel)?.line ?? point.channel; }

  #identity(rename) {
    const name = element("input", { value: this.name, className: "mono", maxLength: 63, spellcheck: false, autocapitalize: "none", on: { change: () => rename(name.value.trim(), name) } });
    const nameField = element("label", { className: "field" }, element("span", {}, "Name"), name, element("span", { className: "hint" }, "In topics and in other points' equations."));
    name.dataset.path = `${this.path}.name`;
    const whole = this.draft.problems.filter((problem) => problem.path === this.path);
    return [...whole.map((problem) => element("p", { className: "problem full" }, problem.message)), nameField,
      text("Label", this.point.label, this.#take("label"), this.#options("label", { hint: "What people read." })),
      text("Unit", this.point.unit, this.#take("unit"), this.#options("unit", { maxLength: 32 }))];
  }

  #source() {
    const interfaces = Object.entries(this.#interfaces).map(([id, each]) => [id, each.ok ? each.title || id : `${id}: ${each.error ?? "cannot be used"}`]);
    if (this.point.interface && !this.#interfaces[this.point.interface]) interfaces.push([this.point.interface, `${this.point.interface} (not on this board now)`]);
    const parts = [choice("Interface", this.point.interface ?? COMPUTED, [...interfaces, [COMPUTED, "Computed from other points"]], (id) => this.#turnTo(id), this.#options("interface"))];
    if (this.point.interface) parts.push(this.#channelChoice(), this.#measureChoice(), this.#directionChoice());
    return parts;
  }

  #channelChoice() {
    const taken = new Map(Object.entries(this.draft.points).filter(([name, point]) => name !== this.name && point.interface === this.point.interface).map(([name, point]) => [point.channel, name]));
    const channels = Object.entries(this.#channels).sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
      .map(([id, channel]) => [id, `${channel.label || id}${taken.has(id) ? `, used by ${taken.get(id)}` : ""}`]);
    const line = this.#line;
    if (!this.#channels[line]) channels.unshift([line ?? "", line ? `${line} (not on this board now)` : "choose…"]);
    return choice("Channel", line ?? "", channels, (id) => this.#read(id, this.#measure, `${this.path}.channel`), this.#options("channel"));
  }

  #measureChoice() {
    const line = this.#line;
    if (!this.#channels[line]?.counts || this.point.direction === "output") return null;
    const measures = Object.entries(this.#interface.counting?.measures ?? {}).filter(([id]) => `${line}-${id}`.length <= LONGEST_ID);
    const choices = [["", "The line itself"], ...measures.map(([id, { title, unit }]) => [id, unit ? `${title} (${unit})` : title])];
    return choice("Read as", this.#measure, choices, (measure) => this.#read(line, measure, `${this.path}.measure`), { path: `${this.path}.measure` });
  }

  /** Look at another line, or at something else of it; points on one line share its settings. */
  #read(line, measure, path) {
    const measures = this.#channels[line]?.counts ? this.#interface.counting?.measures ?? {} : {};
    const before = this.#interface?.counting?.measures?.[this.#measure]?.unit ?? "";
    this.point.channel = Object.hasOwn(measures, measure) ? `${line}-${measure}` : line;
    if ((this.point.unit ?? "") === before) this.point.unit = measures[measure]?.unit ?? "";
    this.#shareSettings(line);
    this.#fitDirection();
    this.#restart(path);
  }

  #shareSettings(line) {
    if (this.point.direction === "output") return;
    const own = this.#interface?.counting?.settings?.properties ?? {};
    const part = (settings, counting) => Object.entries(settings ?? {}).filter(([key]) => Object.hasOwn(own, key) === counting);
    const others = Object.values(this.draft.points).filter((point) => point !== this.point && point.interface === this.point.interface && this.#lineOf(point) === line && point.direction !== "output");
    const twin = others.find((point) => point.channel === this.point.channel);
    const rest = twin ? part(twin.settings, true) : this.#measure ? part(this.point.settings, true) : [];
    const settings = Object.fromEntries([...part((others[0] ?? this.point).settings, false), ...rest]);
    if (this.point.settings || Object.keys(settings).length) this.point.settings = settings;
  }

  #directionChoice() {
    const directions = this.#channel?.directions ?? ["input", "output"];
    const words = { input: "Input: it is read", output: "Output: it is set" };
    return choice("Direction", this.point.direction ?? "input", directions.map((each) => [each, words[each]]), (direction) => { this.#point(direction); this.#restart(`${this.path}.direction`); }, this.#options("direction"));
  }

  #turnTo(id) {
    if (id === COMPUTED) { delete this.point.interface; delete this.point.channel; delete this.point.settings; this.#point("input"); }
    else {
      this.point.interface = id;
      delete this.point.settings;
      const used = new Set(Object.values(this.draft.points).filter((point) => point !== this.point && point.interface === id).map((point) => point.channel));
      const channels = Object.keys(this.#channels).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
      this.point.channel = channels.find((channel) => !used.has(channel)) ?? channels[0] ?? "0";
      this.#fitDirection();
    }
    this.#restart(`${this.path}.interface`);
  }

  #fitDirection() {
    const directions = this.#channel?.directions ?? ["input"];
    if (!directions.includes(this.point.direction ?? "input")) this.#point(directions[0]);
  }

  #point(direction) {
    this.point.direction = direction;
    for (const key of direction === "input" ? FROM_OUTPUT : FROM_INPUT) delete this.point[key];
  }

  #meaning() {
    const output = this.point.direction === "output";
    const unit = () => this.point.unit ?? "";
    const range = () => ({ low: this.#channel?.low ?? (this.#channel?.kind === "digital" ? 0 : null), high: this.#channel?.high ?? (this.#channel?.kind === "digital" ? 1 : null) });
    const raw = () => this.board.raws[`${this.point.interface}/${this.point.channel}`] ?? null;
    const names = () => Object.fromEntries(Object.entries(this.board.values).filter(([name]) => name !== this.name && name in this.draft.points));
    const equation = equationField({
      label: "Equation", value: this.point.equation, path: `${this.path}.equation`, draft: this.draft, variable: "raw", unit, names: output ? () => ({}) : names,
      placeholder: this.point.interface ? "(float(x) / 1023) * 100" : "other_point * 2",
      hint: this.point.interface ? `Raw to value; x is the raw${output ? "" : ", other points go by their names"}.` : "Over other points, by their names.",
      samples: () => (this.point.interface ? { now: raw(), ...range() } : { now: null, low: null, high: null }), take: this.#take("equation"),
    });
    this.previews.push(equation.refresh);
    if (!output) return equation.parts;
    const value = () => this.board.values[this.name] ?? null;
    const inverse = equationField({
      label: "Inverse", value: this.point.inverse, path: `${this.path}.inverse`, draft: this.draft, variable: "value", unit: () => "raw", names: () => ({}), placeholder: "derived where it can be",
      hint: "Value back to raw; x is the value.", samples: () => ({ now: value(), low: null, high: null }), take: this.#take("inverse"),
    });
    this.previews.push(inverse.refresh);
    return [...equation.parts, ...inverse.parts];
  }

  #settings() {
    const schema = settingsOf(this.#interface, this.point.channel);
    if (!Object.keys(schema?.properties ?? {}).length) return null;
    const settings = (this.point.settings ??= {});
    return element("fieldset", { className: "form" }, element("legend", {}, "Settings of the channel"), ...schemaFields(schema, settings, `${this.path}.settings`, this.draft));
  }

  #behaviour() {
    if (this.point.direction === "output") return policyFields(this.point, this.path, this.draft);
    return [element("fieldset", { className: "form" }, element("legend", {}, "Behaviour"), ...this.#rates())];
  }

  #rates() {
    const computed = !this.point.interface;
    return [
      computed ? null : number("Period (s)", this.point.period ?? 0.1, this.#take("period"), this.#options("period", { min: 0.001, hint: "Between two readings while somebody looks." })),
      computed ? null : number("Idle period (s)", this.point.idle_period ?? 10, this.#take("idle_period"), this.#options("idle_period", { min: 0.001, hint: "While nobody looks." })),
      computed ? null : number("Deadband (raw)", this.point.deadband ?? 0, this.#take("deadband"), this.#options("deadband", { min: 0, hint: "Smaller changes are not told; 0: any is." })),
      check("Keep history", this.point.history ?? true, (on) => { this.point.history = on; this.draft.touch(); }, this.#options("history")),
      this.#sampleRate(),
      !this.#channel?.edges && !this.point.events ? null : check("Publish each edge", this.point.events ?? false, (on) => { this.point.events = on; this.draft.touch(); }, this.#options("events")),
    ].filter(Boolean);
  }

  #sampleRate() {
    const fastest = this.#interfaces[this.point.interface]?.fastest;
    if (this.#measure || !(fastest || this.point.sample_rate)) return null;
    const gives = fastest ? `${this.point.interface} gives ${fastest.toLocaleString("en")} readings a second in all.` : "This interface cannot sample fast.";
    return number("Samples a second", this.point.sample_rate, this.#take("sample_rate"), this.#options("sample_rate", { min: 1, placeholder: "none", hint: `In blocks, whoever looks. ${gives}` }));
  }
}
