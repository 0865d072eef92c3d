import uPlot from "/static/vendor/uPlot.esm.js";
import { Display, element, write } from "/static/display.js";
import { Trace } from "/static/trace.js";

export const manifest = {
  label: "Graph",
  icon: "∿",
  accepts: ["analog", "digital", "computed"],
  options: {
    type: "object",
    properties: {
      window: { type: "number", minimum: 5, maximum: 86400, default: 120, title: "Window (s)", description: "Seconds of the past that are shown." },
      low: { type: ["number", "null"], default: null, title: "Low end", description: "Empty: as the values need." },
      high: { type: ["number", "null"], default: null, title: "High end", description: "Empty: as the values need." },
      decimals: { type: ["integer", "null"], minimum: 0, maximum: 9, default: null, title: "Decimals" },
    },
  },
};

const MOST = 20000;
const dark = matchMedia("(prefers-color-scheme: dark)");

/** The value over time. Drag to zoom; the zoom stays while data arrives, until it is reset. */
export default class Graph extends Display {
  static follows = true;
  static seconds({ window = 120 }) { return window; }
  #trace = new Trace();
  #zoomed = false;
  #painting = false;

  build() {
    this.reset = element("button", { type: "button", className: "quiet", hidden: true, on: { click: () => this.#unzoom() } }, "Follow");
    this.plot = element("div", { className: "plot", role: "img" });
    this.append(element("div", { className: "plot-head" }, this.makeFigure("small"), this.reset), this.plot);
    new ResizeObserver(() => this.#resize()).observe(this.plot);
    dark.addEventListener("change", () => { this.#make(); });
  }

  connectedCallback() { this.timer ??= setInterval(() => this.#repaint(), 250); }
  disconnectedCallback() { clearInterval(this.timer); this.timer = undefined; }

  configured() {
    if (this.name !== this.drawn) {
      this.drawn = this.name;
      this.#trace = new Trace();
      this.last = this.drawnAt = undefined;
    }
    write(this.unitShown, this.unit);
    this.plot.setAttribute("aria-label", `${this.label} over the last ${this.options.window} seconds`);
    this.#trace.configure(this.point ?? {});
    const asked = JSON.stringify([this.options.low, this.options.high, this.channel?.kind]);
    if (!this.chart || asked !== this.asked) { this.asked = asked; this.#make(); }
  }

  history(buckets, gaps) {
    this.#trace.load(this.point?.sample_rate ? extremes(buckets) : buckets, gaps);
    this.#repaint();
  }

  /** What one pixel can show of a point that is sampled fast. */
  get samplesWanted() {
    return this.point?.sample_rate ? Math.max(round(this.options.window / Math.max(this.plot.clientWidth, 300)), 1 / this.point.sample_rate) : 0;
  }

  samples(stretches) {
    this.#trace.addSamples(stretches, this.samplesWanted);
    this.#trim();
  }

  show({ value, time, heard, quality }) {
    write(this.figure, this.format(value));
    this.good = quality === "good";
    this.doubted ||= !this.good;
    if (value === null) return;
    this.last = value;
    if (this.good && !this.samplesWanted) this.#add(value, time, heard);
  }

  /** A value is drawn when it was heard, and once; after a doubt it is drawn anew. */
  #add(value, time, heard) {
    if (time === null) {
      if (this.doubted || !this.#trace.times.length) this.#trace.begin(heard, value, this.doubted);
    } else if (this.doubted || time !== this.drawnAt) this.#trace.add(this.doubted ? heard : time, value, this.doubted);
    this.drawnAt = time;
    this.doubted = false;
    this.#trim();
  }

  #trim() {
    this.#trace.trim(this.#zoomed ? -Infinity : this.now - this.options.window - 5, MOST);
    this.#soon();
  }

  #soon() {
    if (this.#painting) return;
    this.#painting = true;
    requestAnimationFrame(() => { this.#painting = false; this.#repaint(); });
  }

  #repaint() {
    if (!this.chart || this.#zoomed) return;
    const now = this.now;
    const live = this.good && !this.samplesWanted && this.last !== undefined && this.#trace.times.length;
    const times = live ? [...this.#trace.times, Math.max(now, this.#trace.times.at(-1))] : this.#trace.times;
    const values = live ? [...this.#trace.values, this.last] : this.#trace.values;
    this.chart.setData([times, values], false);
    this.moving = true;
    this.chart.setScale("x", { min: now - this.options.window, max: now });
    this.moving = false;
  }

  #unzoom() {
    this.#zoomed = false;
    this.reset.hidden = true;
    this.#repaint();
  }

  #resize() {
    const { clientWidth: width, clientHeight: height } = this.plot;
    if (this.chart && width && height) this.chart.setSize({ width, height });
  }

  #make() {
    const { min, max } = this.chart?.scales.x ?? {};
    this.chart?.destroy();
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: color("--soft"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), width: 1 }, font: "12px system-ui, sans-serif" };
    const { low, high } = this.options;
    this.chart = new uPlot({
      width: this.plot.clientWidth || 300,
      height: this.plot.clientHeight || 150,
      legend: { show: false },
      cursor: { drag: { x: true, y: false }, points: { size: 7 } },
      scales: { x: { time: true }, y: { range: (_, min, max) => [low ?? padded(min, max)[0], high ?? padded(min, max)[1]] } },
      axes: [{ ...axis, space: apart, values: clock }, { ...axis, size: room }],
      series: [{}, { stroke: color("--accent"), width: 2, points: { show: false, size: 5, filter: (chart) => Trace.lonely(chart.data[1]) }, paths: this.channel?.kind === "digital" ? uPlot.paths.stepped({ align: 1 }) : undefined }],
      hooks: { setSelect: [(chart) => this.#selected(chart)] },
    }, [this.#trace.times, this.#trace.values], this.plot);
    this.chart.over.addEventListener("dblclick", () => this.#unzoom());
    if (this.#zoomed) this.chart.setScale("x", { min, max });
    this.#repaint();
  }

  #selected(chart) {
    if (chart.select.width < 4) return;
    this.#zoomed = true;
    this.reset.hidden = false;
  }
}

/** 1, 2 or 5 times a power of ten, and no more than this: graphs of about the same size are told the same. */
function round(seconds) {
  const power = 10 ** Math.floor(Math.log10(seconds));
  return [5, 2, 1].find((digit) => digit * power <= seconds) * power || power;
}

/** Of a point that is sampled fast each stretch of the history is drawn from its least to its greatest value. */
function extremes(buckets) {
  const half = Math.min(...buckets.slice(1).map(([time], index) => time - buckets[index][0])) / 2;
  return buckets.flatMap(([time, low, high]) => (high > low && half < Infinity ? [[time, low, high, low], [time + half, low, high, high]] : [[time, low, high, high]]));
}

/** Pixels that the longest of the values at the axis needs. */
function room(_, texts) { return Math.max(48, 22 + 7 * Math.max(...(texts ?? []).map((text) => text.length), 0)); }

/** Pixels between two times: minutes may stand closer than seconds, which take more letters. */
function apart(_, __, from, to, width) { return Math.max(44, Math.min(64, (width * 60) / (to - from))); }

/** Times of the day here, of 24 hours; days where the ticks are days apart. */
function clock(_, splits, __, ___, step) {
  const form = step >= 86400 ? { month: "short", day: "numeric" } : { hourCycle: "h23", hour: "2-digit", minute: "2-digit", ...(step < 60 ? { second: "2-digit" } : {}) };
  return splits.map((time) => new Date(time * 1000)[step >= 86400 ? "toLocaleDateString" : "toLocaleTimeString"]([], form));
}

function padded(min, max) {
  if (min === null || max === null) return [0, 1];
  const room = (max - min) * 0.1 || Math.abs(max) * 0.1 || 1;
  return [min - room, max + room];
}
