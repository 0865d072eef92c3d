/* The frame around a display: its label, its place, and how far its value can be believed. */
import { defaultsOf } from "./display_types.js";
import { element, write } from "./element.js";
import { link } from "./link.js";

const MOST_BUCKETS = 600;

const LATE = 6000; // ms after which a board has delivered what it read while nobody heard it

export class Tile {
  #told = "";
  #failure = "";
  #asked = 0; // s of history

  constructor(id, type, known, role) {
    this.type = type;
    this.known = known;
    this.mayset = role === "operator" || role === "admin";
    this.title = element("h2");
    this.state = element("span", { className: "state" });
    this.reason = element("p", { className: "reason" });
    this.display = known ? document.createElement(known.tag) : element("p", { className: "problem" }, `There is no display '${type}' here.`);
    this.display.classList.add("display");
    this.root = element("article", { className: "tile card", data: { display: id } }, element("header", {}, this.title, this.state), this.display, this.reason);
  }

  /** Whether this tile can show the display, so that it is kept with its zoom and data. */
  fits(display) { return display.type === this.type && ((display.point ?? null) === this.point || Boolean(this.known?.constructor.follows)); }

  configure(board, display) {
    if (this.point !== (display.point ?? null)) this.#asked = 0;
    this.point = display.point ?? null;
    const point = board.config.points?.[this.point] ?? null;
    const { x = 0, y = 0, w = 3, h = 2 } = display.place ?? {};
    for (const [name, value] of Object.entries({ x: x + 1, y: y + 1, w: Math.min(w, 12 - x), h })) this.root.style.setProperty(`--${name}`, value);
    write(this.title, display.label || point?.label || this.point || this.type);
    this.root.setAttribute("aria-label", this.title.textContent);
    this.title.title = this.title.textContent;
    if (!this.known) return;
    const channel = board.channelOf(this.point);
    const told = JSON.stringify([display, point, channel]);
    if (told !== this.#told) {
      this.#told = told;
      this.#failure = "";
      this.#guarded(() => this.display.configure({
        agent: board.agent, name: this.point, display, point, channel, mayset: this.mayset, defaults: defaultsOf(this.known.manifest),
      }));
      if (this.#seconds > this.#asked) this.askHistory(board);
    }
    this.show(board);
  }

  show(board) {
    const missing = this.point !== null && !(this.point in (board.config.points ?? {}));
    const reading = missing ? { value: null, quality: "bad", reason: "there is no such point any more" } : board.reading(this.point);
    if (this.root.dataset.quality && this.root.dataset.quality !== "good" && reading.quality === "good") this.askLater(board);
    this.root.dataset.quality = reading.quality;
    this.display.dataset.quality = reading.quality;
    this.root.toggleAttribute("data-safe", Boolean(reading.safe));
    write(this.state, reading.quality !== "good" ? reading.quality : reading.safe ? "fail-safe" : "");
    if (this.known) this.#guarded(() => this.display.show(reading));
    const reason = this.#failure || reading.reason;
    write(this.reason, reason);
    this.reason.title = reason;
    this.reason.hidden = !reason;
  }

  async askHistory(board) {
    const seconds = this.#seconds;
    if (!seconds || !this.point || !(this.point in (board.config.points ?? {}))) return;
    this.#asked = seconds;
    const end = link.now;
    const asked = this.point;
    const answer = await link.ask("history", board.agent, { point: this.point, start: end - seconds, end, buckets: MOST_BUCKETS });
    if (answer.ok && this.display.name === asked) this.#guarded(() => this.display.history(answer.buckets, answer.gaps ?? []));
  }

  /** After an outage, and before the first samples came, the history may know more than this page has heard. */
  askLater(board) {
    clearTimeout(this.later);
    if (this.#asked) this.later = setTimeout(() => this.askHistory(board), LATE);
  }

  /** The seconds that the display shows as one, if it shows samples. */
  get wants() { return (this.point && this.display.samplesWanted) || 0; }

  samples(stretches) { this.#guarded(() => this.display.samples(stretches)); }

  /** How much history the display wants as it is configured. */
  get #seconds() { return this.known?.constructor.seconds?.(this.display.options ?? {}) ?? 0; }

  remove() {
    clearTimeout(this.later);
    this.root.remove();
  }

  /** A stranger's display that fails is shown as failed and harms no other. */
  #guarded(act) {
    try { act(); } catch (error) {
      console.error(`the display ${this.type} failed:`, error);
      this.#failure = `this display failed: ${error.message}`;
    }
  }
}
