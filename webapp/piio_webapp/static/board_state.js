/* One board as this page knows it: its documents and readings, kept up by frames. */
import { channelOf } from "./counting.js";
import { link } from "./link.js";

const DOCUMENTS = ["capabilities", "config", "applied", "health"];

/** Dispatches `snapshot`, `board` (documents), `readings` (detail: a set of points), `samples` (detail: by point) and `link` (all qualities). */
export class BoardState extends EventTarget {
  known = false;
  heard = false;
  status = "unknown";
  seen = null;
  values = {};
  qualities = {};
  raws = {};
  time = 0; // Unix seconds of the newest frame, by the server's clock
  #times = {}; // of the newest reading of each point, where that is known
  #wanted = "{}"; // samples
  #server = { broker: false, bridge: false };

  constructor(agent, raws = false) {
    super();
    this.agent = agent;
    this.#forget();
    link.addEventListener("frame", ({ detail }) => this.#take(detail));
    link.addEventListener("state", () => this.#say("link"));
    this.raw = raws;
    link.look(agent, raws);
  }

  /** Have samples of points told, too: {point: seconds that are shown as one}. */
  want(samples) {
    const wanted = JSON.stringify(samples);
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    link.look(this.agent, this.raw, samples);
  }

  /** What is shown of a point: {value, time, heard, quality, reason}; `time` is null while nobody knows how old the value is. */
  reading(point) {
    const [quality, reason] = this.#quality(point);
    const safe = quality === "good" ? this.applied?.points?.[point]?.fail_safe : null;
    return { value: this.values[point] ?? null, time: this.#times[point] ?? null, heard: this.time, quality, safe: Boolean(safe), reason: reason || (safe ? `in fail-safe: ${safe}` : "") };
  }

  /** What the board says of the channel of a point, if it says anything. */
  channelOf(point) {
    const { interface: name, channel } = this.config.points?.[point] ?? {};
    return channelOf(this.capabilities?.interfaces?.[name], channel);
  }

  #quality(point) {
    if (link.state === "down") return ["stale", "connection lost"];
    if (link.state === "silent") return ["stale", "the web app has gone quiet"];
    if (!this.#server.broker) return ["stale", "no connection to the broker"];
    if (!this.#server.bridge) return ["stale", "the bridge is offline"];
    if (this.#server.quiet) return ["stale", "the bridge has gone quiet"];
    const text = this.qualities[point];
    if (text === undefined) return ["stale", this.status === "online" ? "no reading yet" : "the board is offline"];
    if (text === "good" && !(point in this.values)) return ["stale", "no reading yet"];
    const [word, ...rest] = text.split(":");
    return [["good", "stale", "bad"].includes(word) ? word : "bad", rest.join(":").trim()];
  }

  #forget() {
    for (const name of DOCUMENTS) this[name] = null;
    this.config = {};
    this.values = {};
    this.qualities = {};
    this.raws = {};
    this.#times = {};
  }

  #take(frame) {
    if (frame.full) this.#forget();
    if (frame.full) this.heard = true;
    this.time = frame.time;
    if (frame.link) this.#server = frame.link;
    if (frame.board !== undefined) this.#takeBoard(frame.board);
    const touched = new Set();
    this.#takeTimes(frame);
    for (const kind of ["values", "qualities", "raws"]) this.#takeReadings(kind, frame[kind], touched);
    if (frame.full) this.#say("snapshot");
    if (frame.board !== undefined) this.#say("board");
    if (frame.link || frame.board !== undefined) this.#say("link");
    else if (touched.size) this.#say("readings", touched);
    if (frame.samples) this.#say("samples", frame.samples);
  }

  #takeBoard(board) {
    this.known = board !== null;
    if (board === null) { this.status = "unknown"; this.#forget(); return; }
    this.status = board.status;
    this.seen = board.seen;
    for (const name of DOCUMENTS) if (name in board) this[name] = board[name];
    this.config ??= {};
  }

  /** What a snapshot tells, and what the broker had kept, may have been so for long. */
  #takeTimes({ full, time, values, kept = [] }) {
    for (const point of Object.keys((!full && values) || {})) this.#times[point] = time;
    for (const point of kept) delete this.#times[point];
  }

  #takeReadings(kind, readings, touched) {
    for (const [key, value] of Object.entries(readings ?? {})) {
      if (value === null) delete this[kind][key]; else this[kind][key] = value;
      touched.add(key);
    }
  }

  #say(event, detail) { this.dispatchEvent(new CustomEvent(event, { detail })); }
}
