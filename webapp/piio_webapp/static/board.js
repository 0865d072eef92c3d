/* One board: its displays in a grid. A new configuration changes what it changes and leaves the rest alone. */
import { ago } from "./ago.js";
import { BoardState } from "./board_state.js";
import { displayTypes } from "./display_types.js";
import { write } from "./element.js";
import { Lately } from "./lately.js";
import "./shell.js";
import { Tile } from "./tile.js";

const { looksAt: agent, role } = document.body.dataset;
const grid = document.getElementById("displays");
const types = await displayTypes();
const board = new BoardState(agent);
const tiles = new Map();
const lately = document.getElementById("lately"); // not there for viewers
if (lately) new Lately(lately, agent);

function byPlace([, a], [, b]) { return (a.place?.y ?? 0) - (b.place?.y ?? 0) || (a.place?.x ?? 0) - (b.place?.x ?? 0); }

function showHead() {
  const status = document.getElementById("status");
  status.dataset.status = board.status;
  write(status, board.status);
  const { model = "", hostname = "" } = board.capabilities?.board ?? {};
  const seen = board.status !== "online" && board.seen ? `last seen ${ago(board.seen)}` : "";
  write(document.getElementById("about"), [model, hostname, seen].filter(Boolean).join(" · "));
  document.getElementById("missing").hidden = board.known;
  document.getElementById("empty").hidden = !board.known || Object.keys(board.config.displays ?? {}).length > 0;
}

function arrange() {
  const displays = Object.entries(board.config.displays ?? {}).sort(byPlace);
  const wanted = new Set(displays.map(([id]) => id));
  for (const [id, tile] of tiles) if (!wanted.has(id)) { tile.remove(); tiles.delete(id); }
  displays.forEach(([id, display], position) => {
    let tile = tiles.get(id);
    if (!tile?.fits(display)) {
      tile?.remove();
      tile = new Tile(id, display.type, types.get(display.type), role);
      tiles.set(id, tile);
    }
    tile.configure(board, display);
    if (grid.children[position] !== tile.root) grid.insertBefore(tile.root, grid.children[position] ?? null);
  });
  wantSamples();
}

/** Of two displays of a point the finer one says what is told. */
function wantSamples() {
  const wanted = {};
  for (const { point, wants } of tiles.values()) if (wants) wanted[point] = Math.min(wants, wanted[point] ?? Infinity);
  board.want(wanted);
}

board.addEventListener("board", () => { showHead(); arrange(); });
board.addEventListener("snapshot", () => tiles.forEach((tile) => { tile.askHistory(board); if (tile.wants) tile.askLater(board); }));
board.addEventListener("link", () => tiles.forEach((tile) => tile.show(board)));
board.addEventListener("readings", ({ detail }) => tiles.forEach((tile) => { if (detail.has(tile.point)) tile.show(board); }));
board.addEventListener("samples", ({ detail }) => tiles.forEach((tile) => { if (tile.wants && detail[tile.point]) tile.samples(detail[tile.point]); }));
setInterval(() => { if (board.heard) showHead(); }, 15000);
