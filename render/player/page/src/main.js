// The page: data in, a clock, and everything that follows it.
import "./style.css";
import { tracks } from "./basis.js";
import { Clock, decodedSound, Silence, Voice } from "./clock.js";
import { connect, KEYS } from "./controls.js";
import { Timeline } from "./curves.js";
import { actors as opened_actors, decoded, opened } from "./data.js";
import { Heads } from "./heads.js";
import { HeatScale } from "./heat.js";
import { Views } from "./views.js";

const LONGEST = 50; // milliseconds that a picture is taken to stand
const STIRS = 200; // milliseconds after which what was moved stands still
const SPEEDS = [0.25, 0.5, 0.75, 1, 1.5, 2];
const find = (id) => document.getElementById(id);

const clip = JSON.parse(find("document").textContent);
const open = opened(decoded(find("arrays").textContent.trim()));
find("arrays").textContent = "";
const actors = opened_actors(clip, open);
const duration = clip.frames / clip.fps;
const scale = new HeatScale(clip.heat.most_mm, open(clip.heat.colors));
const waves = Object.fromEntries(Object.entries(clip.waves).map(([name, wave]) => [name, open(wave)]));

const state = { heat: false, wireframe: false, looping: false, range: null, frame: -1, dirty: true, drawn: 0, coarse: false, stirred: 0, drewAt: 0, ticked: 0, stands: 16 };
const facts = [...clip.facts, ...clip.sound_notes];

let voice = new Silence();
if (clip.sound) {
  try {
    voice = new Voice(await decodedSound(open(clip.sound)));
  } catch (error) {
    tell(`This browser cannot decode the clip's sound (${error.message || error.name}): it plays without.`);
  }
}
const clock = new Clock(duration, voice);
const heads = new Heads(clip, actors, tracks(clip, open), scale, open);
const timeline = new Timeline(find("timeline"), clip, actors, waves);
const cells = actors.map(cell);
find("cells").replaceChildren(...cells.map(({ element }) => element));
find("cells").style.setProperty("--heads", String(actors.length));
scale.show(find("scale"));
document.body.dataset.sound = voice instanceof Voice ? "yes" : "no";
find("clip").textContent = clip.id;
find("model").textContent = clip.model.startsWith("stand-in") ? `${clip.model}: not FLAME, licence-free` : clip.model;
find("mute").hidden = !(voice instanceof Voice);
find("timeline").setAttribute("aria-valuemax", duration.toFixed(2));
find("facts").replaceChildren(...facts.map((fact) => Object.assign(document.createElement("li"), { textContent: fact })));
find("keys").replaceChildren(
  ...KEYS.flatMap((pair) => ["dt", "dd"].map((kind, n) => Object.assign(document.createElement(kind), { textContent: pair[n] }))),
);

let views = null;
try {
  views = new Views(find("stage"), find("canvas"), clip.camera, () => { state.dirty = true; state.stirred = performance.now(); });
} catch {
  tell("This browser has no WebGL: the heads cannot be drawn. Sound and curves play.");
}

const frameAt = (seconds) => Math.min(Math.floor(seconds * clip.fps + 1e-4), clip.frames - 1);
const frameNow = () => frameAt(clock.time());
const range = () => state.range ?? [0, duration];

const actions = {
  toggle() { clock.playing ? (clock.pause(), say("Paused")) : (clock.play(), say("Playing")); },
  seek(seconds) { clock.seek(seconds); },
  seekFrame(frame) { clock.seek(Math.min(Math.max(frame, 0), clip.frames - 1) / clip.fps); },
  step(frames) { const frame = frameNow(); clock.pause(); actions.seekFrame(frame + frames); },
  second(seconds) { clock.seek(clock.time() + seconds); },
  faster(steps) { actions.speed(SPEEDS[Math.min(Math.max(SPEEDS.indexOf(clock.rate) + steps, 0), SPEEDS.length - 1)]); },
  speed(rate) { clock.setRate(rate); find("speed").value = String(rate); say(`Speed ${rate}`); },
  from() { const now = clock.time(); choose(now, range()[1] > now + 0.1 ? range()[1] : duration); },
  to() { const now = clock.time(); choose(range()[0] < now - 0.1 ? range()[0] : 0, now); },
  loop() { setLoop(!state.looping); say(state.looping ? "Loop on" : "Loop off"); },
  forget() { state.range = null; setLoop(state.looping); },
  mute() { if (voice instanceof Voice) { voice.mute(!voice.muted); press("mute", voice.muted); say(voice.muted ? "Muted" : "Sound on"); } },
  heat() { state.heat = !state.heat; press("heat", state.heat); find("scale").hidden = !state.heat; state.frame = -1; say(`Heat map ${state.heat ? "on" : "off"}`); },
  wireframe() { state.wireframe = !state.wireframe; press("wireframe", state.wireframe); state.dirty = true; say(`Wireframe ${state.wireframe ? "on" : "off"}`); },
  view(digit) { views?.choose(digit); },
  orbit(left, up) { views?.orbit(left, up); },
  zoom(factor) { views?.zoom(factor); },
  help() { find("manual").showModal(); },
};

function press(id, on) { find(id).setAttribute("aria-pressed", String(on)); }

function say(text) { find("said").textContent = text; }

function tell(problem) {
  find("problem").hidden = false;
  find("problem").textContent = problem;
  facts.push(problem);
}

function choose(from, to) {
  if (to - from < 2 / clip.fps) return;
  state.range = [from, to];
  setLoop(true);
}

function setLoop(on) {
  state.looping = on;
  press("loop", on);
  clock.setLoop(on ? range() : null);
  timeline.choose(state.range, on);
}

/** A frame for a head, with its name and what is known of it now. */
function cell(actor, number) {
  const element = document.createElement("figure");
  const color = number ? actor.color : "var(--ink)";
  element.innerHTML = '<figcaption><i></i><b></b><span class="now"></span></figcaption><div class="view" role="img"></div>';
  element.querySelector("i").style.background = color;
  element.querySelector("b").textContent = element.querySelector("b").title = actor.name;
  element.querySelector(".view").setAttribute("aria-label", `Head of ${actor.name}`);
  return { element, view: element.querySelector(".view"), now: element.querySelector(".now"), mean: mean(actor, number) };
}

function mean(actor, number) {
  if (!number || !actor.lips) return "";
  const lips = actor.lips.reduce((sum, value) => sum + value, 0) / actor.lips.length;
  return ` · mean ${lips.toFixed(1)}`;
}

/** What stands in the captions and beside the buttons at a frame. */
function write(frame, seconds) {
  actors.forEach((actor, number) => {
    const lips = number && actor.lips ? `lips ${actor.lips[frame].toFixed(1)}${cells[number].mean} mm` : "";
    cells[number].now.textContent = lips;
  });
  const text = `${seconds.toFixed(2)} / ${duration.toFixed(2)} s`;
  find("time").innerHTML = `<b>${text}</b> <span>frame ${frame} of ${clip.frames}</span>`;
  find("timeline").setAttribute("aria-valuenow", seconds.toFixed(2));
  find("timeline").setAttribute("aria-valuetext", `${seconds.toFixed(2)} seconds, frame ${frame} of ${clip.frames}`);
}

function tick() {
  // A picture stands until the next tick: what it shows is the middle of that time.
  const now = performance.now();
  state.stands = 0.9 * state.stands + 0.1 * Math.min(now - state.ticked, LONGEST);
  state.ticked = now;
  const seconds = clock.time();
  const frame = frameAt(clock.playing ? seconds + (clock.rate * state.stands) / 2000 : seconds);
  document.body.classList.toggle("playing", clock.playing);
  if (find("play").ariaLabel !== (clock.playing ? "Pause" : "Play")) find("play").ariaLabel = clock.playing ? "Pause" : "Play";
  timeline.move(seconds);
  if (frame !== state.frame) {
    heads.show(frame, state.heat);
    write(frame, frame / clip.fps);
    state.frame = frame;
    state.dirty = true;
    state.stirred = now;
  }
  if (state.coarse && state.drewAt) views.learn(now - state.drewAt);
  state.drewAt = 0;
  const moving = clock.playing || now - state.stirred < STIRS;
  if (views && (state.dirty || (state.coarse && !moving))) {
    views.draw(cells.map(({ view }) => view), (index, camera) => heads.alone(heads.all[index], state.heat, state.wireframe, camera), moving);
    state.drawn++;
    state.coarse = moving;
    state.drewAt = now;
  }
  state.dirty = false;
  requestAnimationFrame(tick);
}

/** As many columns as make the heads largest; in a narrow window the style decides. */
function arrange() {
  const { width, height } = find("stage").getBoundingClientRect();
  const side = (columns) => Math.min(width / columns, height / Math.ceil(actors.length / columns) - 30);
  const choices = actors.map((_, n) => n + 1);
  const best = choices.reduce((a, b) => (side(b) > side(a) ? b : a));
  find("cells").style.setProperty("--columns", String(best));
  state.dirty = true;
}

function layOut() {
  timeline.draw();
  timeline.choose(state.range, state.looping);
  state.dirty = true;
}

connect(actions);
timeline.listen(actions.seek, choose);
new ResizeObserver(layOut).observe(find("timeline"));
new ResizeObserver(arrange).observe(find("stage"));
for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) matchMedia(query).addEventListener("change", layOut);
layOut();
// For scripts: everything that the page knows of itself (docs/player.md).
window.player = { clip, clock, voice, heads, state, actions, views, frameNow };
requestAnimationFrame(tick);
