/**
 * A display: a custom element that shows one point. Its module exports `manifest` ({label, icon, accepts, options})
 * and, as default, a class that extends this one:
 *
 *   build()            make the content, once
 *   configured()       `this.point`, `this.options`, `this.unit`, `this.range` are new: look at them
 *   show(reading)      {value: number or null, quality: "good" | "stale" | "bad", reason,
 *                       time: Unix seconds when the value was heard, null if it may be older; heard: of the newest word}
 *   history(buckets, gaps)   [[t, min, max, mean], …] and [[from, to], …] where nobody knows it, if `static seconds(options)` says how much of it is wanted
 *   samples(stretches) [[t, min, max], …] of a point that is sampled fast, if `samplesWanted` says how many seconds are shown
 *                      as one; a stretch may come again with more of it
 *
 * It is made anew when it is to show another point, unless `static follows = true` says that `configured()` copes with
 * that: a renamed point is then followed without losing what the person did to the display.
 *
 * The text of the value belongs into an element with the attribute `data-value`.
 */
import { element } from "./element.js";
import { link } from "./link.js";

export { element, write } from "./element.js";

export class Display extends HTMLElement {
  static follows = false;

  /** Seconds of history that a display with these options wants; 0: none. */
  static seconds() { return 0; }

  /** Called by the page whenever what it shows is configured. */
  configure({ agent, name, display, point, channel, mayset, defaults }) {
    Object.assign(this, { agent, name, display, point, channel, mayset });
    this.options = { ...defaults, ...display.options };
    this.label = display.label || point?.label || name || "";
    this.unit = point?.unit ?? "";
    this.dataset.agent = agent;
    this.dataset.point = name ?? "";
    if (!this.firstChild) this.build();
    this.configured();
  }

  build() {}
  configured() {}
  show() {}
  history() {}
  samples() {}

  /** Seconds of samples that are shown as one; 0: none are wanted. */
  get samplesWanted() { return 0; }

  /** Unix seconds by the clock that history is told by. */
  get now() { return link.now; }

  /** Ask the point for a value; resolves to {status, reason, value}. */
  set(value, pulse = null) { return link.set(this.agent, this.name, value, pulse); }

  /** The least and greatest value: the options', or the channel's where no equation turns it into something else. */
  get range() {
    const plain = !this.point?.equation;
    const low = this.options.low ?? (plain ? this.channel?.low : undefined) ?? 0;
    const high = this.options.high ?? (plain ? this.channel?.high : undefined) ?? (this.channel?.kind === "digital" && plain ? 1 : 100);
    return [low, high > low ? high : low + 1];
  }

  /** Return a value as people read it; the same number of decimals while it moves within a magnitude. */
  format(value) {
    if (value === null || value === undefined) return "–";
    const decimals = this.options.decimals;
    if (Number.isInteger(decimals)) return value.toFixed(decimals);
    const size = Math.abs(value);
    if (Number.isInteger(value) && size < 1e9) return String(value);
    if (size >= 1e6 || size < 1e-3) return value.toPrecision(4);
    return value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 3);
  }

  /** Make the place of the value and its unit: `this.figure` takes the text. */
  makeFigure(size = "") {
    this.figure = element("span", { "data-value": "" }, "–");
    this.unitShown = element("span", { className: "unit" });
    return element("div", { className: `figure ${size}` }, this.figure, this.unitShown);
  }
}
