/* The stop buttons of every page: one press, no question, and then what came of it. */
import { write } from "./element.js";
import { link } from "./link.js";

const LASTING = 15000; // ms that a stop that worked is told; one that did not stays until the next press
const told = document.getElementById("stop-told");
let timer;
let presses = 0;

const outputs = (number) => `${number} ${number === 1 ? "output" : "outputs"}`;

function tell(status, text) {
  clearTimeout(timer);
  told.dataset.status = status;
  told.hidden = false;
  write(told, text);
  if (status === "done") timer = setTimeout(() => { told.hidden = true; }, LASTING);
}

function leftOf({ left = {}, offline = [] }) {
  const lines = Object.entries(left).map(([board, points]) => `${board}: ${Object.entries(points).map(([point, why]) => `${point} (${why})`).join(", ")}`);
  if (offline.length) lines.push(`offline, and following their leases: ${offline.join(", ")}`);
  return lines;
}

function words(where, result) {
  if (result.reason) return `${where} NOT stopped: ${result.reason}`;
  const done = `${where} stopped by ${result.by}, ${outputs(result.outputs)}`;
  return [result.status === "done" ? done : `${where} NOT stopped for certain`, ...leftOf(result)].join(" · ");
}

async function press(agent) {
  const press = ++presses;
  const where = agent || "All boards";
  tell("pending", `${where} stopping…`);
  const result = await link.stop(agent || null);
  if (press === presses) tell(result.status, words(where, result));
}

for (const button of document.querySelectorAll("[data-stop]")) button.addEventListener("click", () => press(button.dataset.stop));
