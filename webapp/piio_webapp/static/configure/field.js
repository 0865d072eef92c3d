/* One field of a form: its label, its input, what it is for and what is wrong with it. */
import { element } from "../element.js";

let count = 0;

function dressed(input, path, problems, hint) {
  const notes = [];
  if (hint) notes.push(element("span", { className: "hint", id: `hint-${++count}` }, hint));
  for (const problem of problems) notes.push(element("span", { className: "problem", id: `problem-${++count}` }, problem.message));
  if (notes.length) input.setAttribute("aria-describedby", notes.map((note) => note.id).join(" "));
  if (problems.length) input.setAttribute("aria-invalid", "true");
  input.dataset.path = path;
  return notes;
}

/** A field with an input of any kind below its label. */
export function field(label, input, { path = "", problems = [], hint = "", full = false } = {}) {
  return element("label", { className: full ? "field full" : "field" }, element("span", {}, label), input, ...dressed(input, path, problems, hint));
}

export function text(label, value, take, options = {}) {
  const input = element("input", { value: value ?? "", maxLength: options.maxLength ?? 200, spellcheck: false, placeholder: options.placeholder ?? "", on: { input: () => take(input.value) } });
  if (options.mono) input.classList.add("mono");
  return field(label, input, options);
}

/** A number; empty is null. What is no number is left to the browser to complain about and not taken. */
export function number(label, value, take, options = {}) {
  const input = element("input", {
    type: "number", step: options.step ?? "any", min: options.min, max: options.max, value: value ?? "", placeholder: options.placeholder ?? "", inputMode: "decimal",
    on: { input: () => { if (!input.validity.badInput) take(input.value === "" ? null : Number(input.value)); } },
  });
  return field(label, input, options);
}

/** A choice; `choices` are [value, text] pairs. */
export function choice(label, value, choices, take, options = {}) {
  const made = choices.map(([key, words, disabled]) => element("option", { value: key, selected: key === value, disabled: Boolean(disabled) }, words));
  const input = element("select", { on: { change: () => take(input.value) } }, ...made);
  return field(label, input, options);
}

export function check(label, value, take, { path = "", problems = [], hint = "" } = {}) {
  const input = element("input", { type: "checkbox", checked: Boolean(value), on: { change: () => take(input.checked) } });
  const notes = dressed(input, path, problems, hint);
  return element("div", { className: "field check-field" }, element("label", { className: "check" }, input, label), ...notes);
}
