/* The page's socket: frames come in, sets and requests go out. Nothing is ever sent while it is down. */
import { io } from "./vendor/socket.io.esm.min.js";

const SILENCE = 3000; // ms without a frame after which nothing shown is believed
const PATIENCE = 12000; // ms for an answer; the server's own limits are shorter

class Link extends EventTarget {
  #socket = io({ transports: ["websocket", "polling"], tryAllTransports: true, reconnectionDelay: 250, reconnectionDelayMax: 2000 });
  #waiting = new Map();
  #wanted = null;
  #tick = null;
  #heard = 0;
  #next = 0;
  #state = "connecting";
  #ahead = null; // s that the server's clock is ahead of this one

  constructor() {
    super();
    this.#socket.on("connect", () => this.#connected());
    this.#socket.on("disconnect", (reason) => this.#disconnected(reason));
    this.#socket.on("connect_error", () => { this.#say("down"); this.#comeBack(this.#socket.active ? 0 : 2000, !this.#socket.active); });
    this.#socket.on("out", () => this.#comeBack(0, false));
    this.#socket.on("frame", (frame, taken) => { taken?.(); this.#frame(frame); });
    setInterval(() => { if (this.#state === "up" && performance.now() - this.#heard > SILENCE) this.#say("silent"); }, 500);
  }

  /** `up`, `down` (no socket), `silent` (a socket that says nothing) or `connecting` (not yet). */
  get state() { return this.#state; }

  /** Unix seconds by the server's clock, which history is told by; this machine's may be wrong. */
  get now() { return Date.now() / 1000 + (this.#ahead ?? 0); }

  /** Look at a board, or at the list of boards (null); the next frame tells everything of it. `samples`: {point: seconds shown as one}. */
  look(agent, raws = false, samples = {}) {
    this.#wanted = { agent, raws, samples };
    if (this.#socket.connected) this.#socket.emit("look", this.#wanted);
  }

  /** Ask a point for a value; resolves to {status, reason, value} in any case. */
  set(agent, point, value, pulse = null) {
    if (this.#state !== "up" || !this.#tick) return Promise.resolve({ status: "refused", reason: "not connected: nothing was sent" });
    return this.#send("set", { agent, point, value, pulse, tick: this.#tick }, { status: "failed", reason: "outcome unknown: the connection was lost" });
  }

  /** Stop a board, or all (null); resolves to {status, reason or outputs, left, offline}. However slow the data is, it goes at once. */
  stop(agent) {
    if (!this.#socket.connected) return Promise.resolve({ status: "failed", reason: "not connected: nothing was sent" });
    return this.#send("stop", { agent }, { status: "failed", reason: "nobody knows whether it stopped: no answer came" });
  }

  /** Ask the bridge; resolves to its answer, or to {ok: false, error} in any case. */
  async ask(verb, agent, body = {}) {
    const failed = { answer: { ok: false, error: { message: "the connection was lost: try again" } } };
    if (!this.#socket.connected) return failed.answer;
    return (await this.#send("ask", { verb, agent, body }, failed)).answer;
  }

  #send(event, content, otherwise) {
    const id = `p${++this.#next}`;
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#resolve(id, otherwise), PATIENCE);
      this.#waiting.set(id, { resolve, timer, otherwise });
      this.#socket.emit(event, { id, ...content });
    });
  }

  #resolve(id, answer) {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.timer);
    waiting.resolve(answer);
  }

  #connected() {
    this.#tick = null;
    this.#heard = performance.now();
    if (this.#wanted) this.#socket.emit("look", this.#wanted);
  }

  #disconnected(reason) {
    this.#say("down");
    for (const [id, { otherwise }] of [...this.#waiting]) this.#resolve(id, otherwise);
    if (reason === "io server disconnect") this.#comeBack(300);
  }

  #frame(frame) {
    this.#heard = performance.now();
    this.#tick = { boot: frame.boot, tick: frame.tick };
    this.#setClock(frame.time - Date.now() / 1000);
    this.#say("up");
    for (const answer of frame.answers ?? []) this.#resolve(answer.id, answer);
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
    for (const note of frame.notes ?? []) this.dispatchEvent(new CustomEvent("note", { detail: note }));
  }

  /** The frame that was least under way says best what the server's clock is; a jump of either is followed. */
  #setClock(ahead) {
    if (this.#ahead === null || ahead > this.#ahead || this.#ahead - ahead > 2) this.#ahead = ahead;
  }

  #say(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dispatchEvent(new Event("state"));
  }

  /** The server closed the socket or let us in no more: log in again if that is why, else connect again. */
  #comeBack(pause, connect = true) {
    setTimeout(async () => {
      try {
        const page = await fetch(location.href, { redirect: "manual", cache: "no-store" });
        if (page.type === "opaqueredirect") location.reload();
        else if (connect) this.#socket.connect();
      } catch { if (connect) this.#comeBack(1000); }
    }, pause);
  }
}

export const link = new Link();
