import { Display, element, write } from "/static/display.js";

export const manifest = {
  label: "Bar",
  icon: "▰",
  accepts: ["analog", "digital", "computed"],
  options: {
    type: "object",
    properties: {
      low: { type: ["number", "null"], default: null, title: "Low end", description: "Empty: the channel's, or 0." },
      high: { type: ["number", "null"], default: null, title: "High end", description: "Empty: the channel's, or 100." },
      decimals: { type: ["integer", "null"], minimum: 0, maximum: 9, default: null, title: "Decimals" },
    },
  },
};

/** The value as a bar between two ends. */
export default class Progress extends Display {
  build() {
    this.fill = element("div");
    this.meter = element("div", { className: "meter", role: "meter" }, this.fill);
    this.ends = [element("span"), element("span")];
    this.append(this.makeFigure(), this.meter, element("div", { className: "meter-ends", "aria-hidden": "true" }, ...this.ends));
  }

  configured() {
    const [low, high] = this.range;
    write(this.unitShown, this.unit);
    this.meter.setAttribute("aria-label", this.label);
    this.meter.setAttribute("aria-valuemin", low);
    this.meter.setAttribute("aria-valuemax", high);
    [low, high].forEach((end, index) => write(this.ends[index], `${end}${this.unit ? " " + this.unit : ""}`));
  }

  show({ value }) {
    const [low, high] = this.range;
    const inside = Math.min(high, Math.max(low, value ?? low));
    write(this.figure, this.format(value));
    this.fill.style.width = `${((inside - low) / (high - low)) * 100}%`;
    this.meter.setAttribute("aria-valuenow", inside);
    this.meter.setAttribute("aria-valuetext", value === null ? "no value" : `${this.format(value)} ${this.unit}`.trim());
  }
}
