/* What an output does by itself and what it does not let people do: start and loss, limits, interlock. */
import { element } from "../element.js";
import { choice, number, text } from "./field.js";

/** Make the fieldsets of an output's policies; `point` is changed in place, what is left at its default is left out. */
export function policyFields(point, path, draft) {
  const options = (key, more = {}) => ({ path: `${path}.${key}`, problems: draft.problemsAt(`${path}.${key}`), ...more });
  const take = (key) => (value) => { if (value === null || value === "") delete point[key]; else point[key] = value; draft.touch(); };
  const fields = { point, path, draft, options, take };
  const [starting, comeOn] = byItself(fields);
  return [starting, limits(fields), interlock(fields, comeOn)];
}

/** Return the fieldset, and what forbids or allows it to come on by itself. */
function byItself({ point, options, take }) {
  const words = { on_start: ["off", "on", "last"], on_lost: ["off", "on", "hold"] };
  const said = { off: "off", on: "on", last: "as it was, if that is fresh", hold: "stays as it is" };
  const policy = (key, label) => {
    const value = point[key] ?? "off";
    const choices = [...words[key].map((word) => [word, said[word]]), ...(words[key].includes(value) ? [] : [[String(value), `raw ${value}`]])];
    return choice(label, String(value), choices, (picked) => take(key)(words[key].includes(picked) ? picked : Number(picked)), options(key));
  };
  const policies = [policy("on_start", "When the agent starts"), policy("on_lost", "When the bridge is lost")];
  const comeOn = (allowed) => policies.forEach((field) => { field.querySelector('option[value="on"]').disabled = !allowed; });
  return [fieldset("By itself",
    ...policies,
    number("Lease (s)", point.lease ?? 10, take("lease"), options("lease", { min: 2, hint: "Without a sign of the bridge, until it counts as lost." })),
    number("Longest on (s)", point.max_on, take("max_on"), options("max_on", { min: 0, placeholder: "no limit", hint: "Then it switches off by itself." })),
  ), comeOn];
}

function limits({ point, options, take }) {
  const none = { min: 0, placeholder: "none" };
  return fieldset("Limits for whoever sets it",
    note("A set that comes too early is refused, never carried out later."),
    number("Shortest on (s)", point.min_on || null, take("min_on"), options("min_on", { ...none, hint: "Once on, it stays on for so long." })),
    number("Shortest off (s)", point.min_off || null, take("min_off"), options("min_off", { ...none, hint: "Once off, it stays off for so long." })),
    number("Switches a minute", point.rate, take("rate"), options("rate", { ...none, hint: "On and off counted." })),
  );
}

function interlock({ point, path, draft, options }, comeOn) {
  const groups = new Set(Object.values(draft.points).map((each) => each.interlock?.group).filter(Boolean));
  const list = element("datalist", { id: `groups-${path}` }, ...[...groups].sort().map((group) => element("option", { value: group })));
  const members = note("");
  const show = () => {
    comeOn(!point.interlock);
    deadTime.querySelector("input").disabled = !point.interlock;
    members.textContent = company(point, draft);
  };
  const wanted = { ...point.interlock };
  const set = (key) => (value) => {
    if (value === null || value === "") delete wanted[key]; else wanted[key] = value;
    if (wanted.group) point.interlock = { ...wanted }; else delete point.interlock;
    show();
    draft.touch();
  };
  const group = text("Group", point.interlock?.group, set("group"), options("interlock.group", { maxLength: 63, placeholder: "none", hint: "At most one output of a group is on." }));
  const deadTime = number("Dead time (s)", point.interlock?.dead_time ?? 0, set("dead_time"), options("interlock.dead_time", { min: 0, hint: "All are off for so long before the next goes on." }));
  group.querySelector("input").setAttribute("list", list.id);
  show();
  return fieldset("Interlock", group, deadTime, list, members);
}

/** Say with whom an output shares its group. */
function company(point, draft) {
  const group = point.interlock?.group;
  if (!group) return "It is in no group.";
  const others = Object.entries(draft.points).filter(([, each]) => each !== point && each.direction === "output" && each.interlock?.group === group).map(([name, each]) => each.label || name);
  return others.length ? `Off while ${others.join(" or ")} is on, and the other way round.` : "Nobody else is in this group yet.";
}

function fieldset(legend, ...fields) { return element("fieldset", { className: "form" }, element("legend", {}, legend), ...fields); }
function note(words) { return element("p", { className: "full hint" }, words); }
