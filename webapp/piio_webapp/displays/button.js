import { Display, element, write } from "/static/display.js";

export const manifest = {
  label: "Button",
  icon: "⏻",
  accepts: ["output"],
  options: {
    type: "object",
    properties: {
      on: { type: "number", default: 1, title: "Value when on" },
      off: { type: "number", default: 0, title: "Value when off" },
      on_text: { type: "string", default: "On", maxLength: 40, title: "Text when on" },
      off_text: { type: "string", default: "Off", maxLength: 40, title: "Text when off" },
      pulse: { type: ["number", "null"], exclusiveMinimum: 0, maximum: 3600, default: null, title: "Pulse (s)", description: "Empty: it switches; else it is on for so long." },
    },
  },
};

const LASTING = 4000; // ms that `done` is shown; whatever else became of it stays until the next press

/**
 * Asks the point for its other value; what is shown is what the board confirmed, never what was hoped. Under the button
 * stands what becomes of it: asked, then done, or refused, expired or failed with the reason.
 */
export default class Button extends Display {
  #value = null;
  #pending = false;

  build() {
    this.text = element("span", { "data-value": "" }, "–");
    this.button = element("button", { type: "button", className: "switch", "aria-pressed": "false", on: { click: () => this.press() } }, this.text);
    this.answer = element("p", { className: "answer", role: "status" });
    this.append(this.button, this.answer);
  }

  configured() {
    const output = this.point?.direction === "output";
    this.button.disabled = !this.mayset || !output;
    this.button.title = !output ? "Only an output can be set" : this.mayset ? "" : "Your role may look but not set";
  }

  show({ value }) {
    this.#value = value;
    this.#paint();
  }

  async press() {
    if (this.#pending) return;
    this.#pending = true;
    this.#tell("pending", "asked…");
    this.#paint();
    const { on, off, pulse } = this.options;
    const result = await this.set(pulse || this.#value !== on ? on : off, pulse || null);
    this.#pending = false;
    if (result.status === "done" && typeof result.value === "number" && !pulse) this.#value = result.value;
    this.#tell(result.status, result.status === "done" ? "done" : `${result.status}: ${result.reason || "no reason was given"}`);
    this.#paint();
  }

  #paint() {
    const { on, on_text: onText, off, off_text: offText } = this.options;
    const text = this.#value === on ? onText : this.#value === off ? offText : this.format(this.#value);
    write(this.text, text);
    this.button.setAttribute("aria-pressed", String(this.#value === on));
    this.button.setAttribute("aria-busy", String(this.#pending));
    this.button.setAttribute("aria-label", `${this.label}: ${text}${this.#pending ? ", waiting" : ""}`);
  }

  #tell(status, text) {
    clearTimeout(this.timer);
    this.answer.dataset.status = status;
    this.dataset.status = status;
    write(this.answer, text);
    if (status === "done") this.timer = setTimeout(() => write(this.answer, ""), LASTING);
  }
}
