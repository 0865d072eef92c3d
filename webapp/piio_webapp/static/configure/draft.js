/* A configuration being edited: what it began from, what it is now, and the one patch between the two. */
import { link } from "../link.js";

const PARTS = ["points", "displays"];

/** Dispatches `change` (something was edited), `replaced` (all of it is new) and `conflict` (somebody else saved). */
export class Draft extends EventTarget {
  problems = [];
  revision = null;
  #base = { points: {}, displays: {} };
  #theirs = null;
  points = {};
  displays = {};

  constructor(board) {
    super();
    this.board = board;
    board.addEventListener("board", () => this.#heard(board.config));
  }

  get dirty() { return Object.keys(this.patch).length > 0; }
  get patch() { return difference(this.#base, { points: this.points, displays: this.displays }); }
  get theirs() { return this.#theirs; }

  /** Say that something was edited. */
  touch() { this.dispatchEvent(new Event("change")); }

  problemsAt(path) { return this.problems.filter((problem) => problem.path === path || problem.path.startsWith(`${path}.`)); }

  discard() { this.#begin(this.#theirs ?? this.board.config); }

  /** Put what was edited here on top of what somebody else saved meanwhile. */
  keepMine() {
    const patch = this.patch;
    const theirs = this.#theirs;
    this.#begin(theirs, false);
    Object.assign(this, merged({ points: this.points, displays: this.displays }, patch));
    this.dispatchEvent(new Event("replaced"));
  }

  /** Send the patch; resolves to the answer, whose `ok` says whether it was stored. */
  async save() {
    this.saving = true;
    const patch = this.patch;
    const answer = await link.ask("save", this.board.agent, { base_revision: this.revision, patch });
    this.saving = false;
    this.problems = answer.ok ? [] : answer.errors ?? [{ path: "", message: answer.error?.message ?? "it was not saved" }];
    if (answer.ok) {
      this.revision = answer.revision;
      this.#base = copied(this);
      if (this.board.config.revision >= answer.revision) this.#begin(this.board.config);
      else this.dispatchEvent(new Event("replaced"));
    } else {
      this.dispatchEvent(new Event("replaced"));
      this.#heard(this.board.config);
    }
    return answer;
  }

  #heard(config) {
    if (this.saving) return; // the answer says what it is
    if (config.revision === undefined || (config.revision === this.revision && !this.#theirs)) return;
    if (this.revision === null || !this.dirty) this.#begin(config);
    else if (!same(picked(config), this.#base)) {
      if (same(picked(config), copied(this))) { this.#begin(config); return; } // what was saved from here
      this.#theirs = config;
      this.dispatchEvent(new Event("conflict"));
    } else this.revision = config.revision;
  }

  #begin(config, tell = true) {
    this.#base = picked(config);
    Object.assign(this, structuredClone(this.#base));
    this.revision = config.revision ?? 0;
    this.#theirs = null;
    this.problems = [];
    if (tell) this.dispatchEvent(new Event("replaced"));
  }
}

function picked(config) { return structuredClone(Object.fromEntries(PARTS.map((part) => [part, config?.[part] ?? {}]))); }
function copied(draft) { return structuredClone({ points: draft.points, displays: draft.displays }); }
function isObject(value) { return typeof value === "object" && value !== null && !Array.isArray(value); }
function same(one, other) { return Object.keys(difference(one, other)).length === 0; }

/** Return the merge patch (RFC 7396) that makes `after` of `before`; null and left out are the same to it. */
export function difference(before, after) {
  const patch = {};
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[key] ?? null, after[key] ?? null];
    if (isObject(old) && isObject(now)) {
      const inner = difference(old, now);
      if (Object.keys(inner).length) patch[key] = inner;
    } else if (old === null && isObject(now) && Object.keys(without(now)).length === 0) continue; // as good as left out
    else if (JSON.stringify(old) !== JSON.stringify(now)) patch[key] = isObject(now) ? without(now) : now;
  }
  return patch;
}

/** Return an object without its nulls, which a merge patch would take as removals anyway. */
function without(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => [key, isObject(value) ? without(value) : value]));
}

export function merged(target, patch) {
  if (!isObject(patch)) return patch;
  const result = isObject(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]; else result[key] = merged(result[key], value);
  }
  return result;
}
