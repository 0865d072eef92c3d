import { link } from "./link.js";

const STEPS = [[60, "second"], [60, "minute"], [24, "hour"], [Infinity, "day"]];
const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** Say how long ago a Unix time was, in words. */
export function ago(time) {
  let amount = Math.max(0, link.now - time);
  for (const [size, unit] of STEPS) {
    if (amount < size) return words.format(-Math.floor(amount), unit);
    amount /= size;
  }
  return "";
}
