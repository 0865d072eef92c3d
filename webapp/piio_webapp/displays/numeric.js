import { Display, write } from "/static/display.js";

export const manifest = {
  label: "Number",
  icon: "42",
  accepts: ["digital", "analog", "computed"],
  options: {
    type: "object",
    properties: {
      decimals: { type: ["integer", "null"], minimum: 0, maximum: 9, default: null, title: "Decimals", description: "Empty: as many as make sense." },
    },
  },
};

/** The value as large figures. */
export default class Numeric extends Display {
  build() { this.append(this.makeFigure()); }
  configured() { write(this.unitShown, this.unit); }
  show({ value }) { write(this.figure, this.format(value)); }
}
