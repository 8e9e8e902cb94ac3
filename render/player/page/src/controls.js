// Buttons and keys. Every key has a button or a pointer's way, and every button a key.

export const KEYS = [
  ["Space", "play or pause"],
  ["← →", "one frame back or on; with Shift one second"],
  ["Home End", "to the beginning, to the end"],
  [", .", "slower, faster; also − and +"],
  ["[ ] l", "the range begins or ends here; loop it (Shift and drag below chooses one, Esc forgets it)"],
  ["m", "silence"],
  ["h", "errors as colours"],
  ["w", "the mesh's edges"],
  ["0 1 2 3 4", "view: first, front, three-quarter, left, right"],
  ["Drag, wheel", "turn and zoom all heads; right button or two fingers move them"],
  ["Tab to the heads", "then arrows turn, − and + zoom"],
  ["?", "this help"],
];

/** What a key on the page stands for: the name of an action and its argument, or null. */
export function meaning(event, onStage) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const { key, shiftKey } = event;
  const turns = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, 10], ArrowDown: [0, -10] };
  if (onStage && turns[key]) return ["orbit", ...turns[key]];
  if (onStage && ["+", "=", "-"].includes(key)) return ["zoom", key === "-" ? 1 / 1.15 : 1.15];
  const direct = {
    " ": ["toggle"], Home: ["seekFrame", 0], End: ["seekFrame", Infinity],
    ",": ["faster", -1], "-": ["faster", -1], ".": ["faster", 1], "+": ["faster", 1], "=": ["faster", 1],
    "[": ["from"], "]": ["to"], l: ["loop"], m: ["mute"], h: ["heat"], w: ["wireframe"], "?": ["help"], Escape: ["forget"],
  };
  if (key === "ArrowLeft") return shiftKey ? ["second", -1] : ["step", -1];
  if (key === "ArrowRight") return shiftKey ? ["second", 1] : ["step", 1];
  if (/^[0-4]$/.test(key)) return ["view", key];
  return direct[key] ?? direct[key.toLowerCase()] ?? null;
}

/** Connect buttons and keys with actions, by name. */
export function connect(actions) {
  const find = (id) => document.getElementById(id);
  const clicks = {
    first: ["seekFrame", 0], back: ["step", -1], play: ["toggle"], forward: ["step", 1], loop: ["loop"], from: ["from"], to: ["to"],
    mute: ["mute"], heat: ["heat"], wireframe: ["wireframe"], help: ["help"],
  };
  for (const [id, [action, ...args]] of Object.entries(clicks)) find(id).addEventListener("click", () => actions[action](...args));
  for (const button of document.querySelectorAll("[data-view]")) {
    button.addEventListener("click", () => actions.view(button.dataset.view));
  }
  // A button that was clicked keeps no focus, so that the space bar plays and does not click it again.
  addEventListener("click", (event) => { if (event.detail) event.target.closest?.("button")?.blur(); });
  const speed = find("speed");
  speed.addEventListener("change", () => { actions.speed(Number(speed.value)); speed.blur(); });
  const stage = find("stage");
  stage.addEventListener("mousedown", (event) => event.preventDefault()); // dragging is no reason to take the arrow keys
  addEventListener("keydown", (event) => {
    if (find("manual").open || event.target.closest?.("select, input")) return;
    if (event.target.closest?.("button") && [" ", "Enter"].includes(event.key)) return;
    const [action, ...args] = meaning(event, document.activeElement === stage) ?? [];
    if (!action) return;
    event.preventDefault();
    actions[action](...args);
  });
}
