/* An equation with what it gives, while it is typed: at the channel's raw now, and over its range. */
import { element } from "../element.js";
import { link } from "../link.js";
import { field } from "./field.js";

const PAUSE = 250;
const SAMPLES = 5;

/** Make the field; `samples()` gives {now, low, high} of x, `names()` the values of other points. */
export function equationField({ label, value, path, draft, hint, placeholder, variable, unit, samples, names, take }) {
  const preview = element("div", { className: "preview", role: "status", "aria-label": `Preview: ${label}` });
  let timer = null;
  let asked = 0;
  const input = element("input", {
    value: value ?? "", maxLength: 512, spellcheck: false, autocapitalize: "none", className: "mono", placeholder,
    on: { input: () => { take(input.value.trim() === "" ? null : input.value); clearTimeout(timer); timer = setTimeout(refresh, PAUSE); } },
  });

  async function refresh() {
    const text = input.value;
    const id = ++asked;
    const { now, low, high } = samples();
    const range = low === null ? [] : Array.from({ length: SAMPLES }, (_, step) => low + ((high - low) * step) / (SAMPLES - 1));
    const x = [...(now === null ? [] : [now]), ...range];
    if (text.trim() === "") { preview.replaceChildren(empty(variable)); return; }
    const answer = await link.ask("preview", null, { equation: text, x: x.length ? x : [0], names: names() });
    if (id !== asked || !preview.isConnected) return;
    input.toggleAttribute("aria-invalid", !answer.ok);
    if (answer.ok) preview.replaceChildren(shown(answer.values, { x, now: now !== null, variable, unit: unit() }));
    else preview.replaceChildren(...complaint(text, answer.error ?? {}));
  }

  queueMicrotask(refresh);
  const made = field(label, input, { path, problems: draft.problemsAt(path), hint, full: true });
  return { parts: [made, element("div", { className: "full" }, preview)], refresh };
}

function empty(variable) { return element("span", { className: "hint" }, `No equation: the ${variable === "raw" ? "value is the raw itself" : "inverse is derived where the equation is affine"}.`); }

function shown(values, { x, now, variable, unit }) {
  const cells = (texts, tag) => texts.map((each, index) => element(tag, { className: now && index === 0 ? "now" : "" }, each));
  const first = now && x.length ? ["now", ...x.slice(1).map(() => "")] : [];
  const rows = [
    first.length ? element("tr", {}, element("td"), ...cells(first, "td")) : null,
    x.length ? element("tr", {}, element("th", {}, variable), ...cells(x.map(short), "td")) : null,
    element("tr", {}, element("th", {}, "gives"), ...cells(values.map((each) => (each === null ? "not a number" : `${short(each)} ${unit}`.trim())), "td")),
  ];
  return element("table", {}, element("tbody", {}, ...rows));
}

function complaint(text, { message = "it cannot be used", column = null }) {
  const lines = column ? [element("pre", { "aria-hidden": "true" }, `${text}\n${" ".repeat(Math.max(0, column - 1))}^`)] : [];
  return [...lines, element("span", { className: "equation-error" }, column ? `Column ${column}: ${message}` : message)];
}

function short(value) { return String(Number(value.toPrecision(6))); }
