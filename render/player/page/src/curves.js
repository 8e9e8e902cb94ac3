// The timeline: sound, beats, errors and mouths over time, under a playhead; click or drag to seek, with shift to choose a range.

const LABELS = 92, RIGHT = 14, TIMES = 18, GAP = 6;
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];

export class Timeline {
  constructor(element, document, actors, waves) {
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.duration = document.frames / document.fps;
    this.fps = document.fps;
    this.beats = document.beats;
    this.waves = waves;
    this.rows = [
      { label: "lip error", short: "lips", curves: actors.slice(1).map((actor) => ({ color: actor.color, values: actor.lips })) },
      { label: "mouth open", short: "mouth", curves: actors.map((actor, n) => ({ color: n ? actor.color : null, values: actor.opening })) },
    ];
    for (const row of this.rows) row.curves = row.curves.filter(({ values }) => values);
    this.rows = this.rows.filter(({ curves }) => curves.length);
    const bands = this.rows.length + (Object.keys(waves).length ? 1 : 0);
    element.style.height = `${Math.max(bands, 0.5) * 58 + TIMES}px`;
    this.playhead = element.querySelector(".playhead");
    this.range = element.querySelector(".range");
    this.pointer = element.querySelector(".pointer");
  }

  x(seconds) { return this.left + (this.width * seconds) / this.duration; }

  seconds(x) { return Math.min(Math.max((x - this.left) / this.width, 0), 1) * this.duration; }

  /** Report what the pointer does: `seek(seconds)`, `choose(from, to)` with shift held. */
  listen(seek, choose) {
    const at = (event) => this.seconds(event.clientX - this.element.getBoundingClientRect().left);
    let anchor = null;
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      this.element.setPointerCapture(event.pointerId);
      anchor = { from: at(event), choosing: event.shiftKey };
      if (!anchor.choosing) seek(anchor.from);
    });
    this.element.addEventListener("pointermove", (event) => {
      this.point(at(event));
      if (anchor?.choosing) choose(Math.min(anchor.from, at(event)), Math.max(anchor.from, at(event)));
      else if (anchor) seek(at(event));
    });
    for (const end of ["pointerup", "pointercancel"]) this.element.addEventListener(end, () => { anchor = null; });
    this.element.addEventListener("pointerleave", () => { this.pointer.hidden = true; });
  }

  point(seconds) {
    this.pointer.hidden = false;
    this.pointer.style.left = `${this.x(seconds)}px`;
    this.pointer.classList.toggle("late", seconds > 0.9 * this.duration);
    this.pointer.firstElementChild.textContent = `${seconds.toFixed(2)} s`;
  }

  move(seconds) { this.playhead.style.transform = `translateX(${this.x(seconds)}px)`; }

  choose(range, looping) {
    this.range.hidden = !range;
    this.range.classList.toggle("looping", looping);
    if (!range) return;
    this.range.style.left = `${this.x(range[0])}px`;
    this.range.style.width = `${this.x(range[1]) - this.x(range[0])}px`;
  }

  draw() {
    const { width, height } = this.element.getBoundingClientRect();
    const ratio = devicePixelRatio;
    this.narrow = width < 560;
    this.left = this.narrow ? 64 : LABELS;
    this.width = Math.max(width - this.left - RIGHT, 1);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const brush = this.canvas.getContext("2d");
    brush.scale(ratio, ratio);
    const style = getComputedStyle(this.element);
    this.color = (name) => style.getPropertyValue(name).trim();
    brush.font = `11px ${style.fontFamily}`;
    const waves = Object.keys(this.waves).length ? 1 : 0;
    const bands = waves + this.rows.length;
    const each = (height - TIMES) / Math.max(bands, 1);
    const band = (number) => ({ top: number * each, bottom: (number + 1) * each - GAP });
    for (let number = 0; number < bands; number++) {
      brush.fillStyle = this.color("--paper");
      brush.fillRect(this.left, band(number).top, this.width, each - GAP);
    }
    if (waves) this.wave(brush, band(0));
    this.mark(brush, bands ? band(bands - 1).bottom : height - TIMES);
    this.rows.forEach((row, number) => this.row(brush, row, band(waves + number)));
    this.times(brush, height);
    this.playhead.style.height = `${height - TIMES + 2}px`;
  }

  label(brush, { top, bottom }, name, unit) {
    brush.textAlign = "left";
    brush.textBaseline = "middle";
    brush.fillStyle = this.color("--ink");
    brush.fillText(name, 2, (top + bottom) / 2 - 7);
    brush.fillStyle = this.color("--faint");
    brush.fillText(unit, 2, (top + bottom) / 2 + 7);
  }

  wave(brush, { top, bottom }) {
    this.label(brush, { top, bottom }, "sound", this.beats.length ? "| beats" : "");
    const middle = (top + bottom) / 2, half = (0.47 * (bottom - top)) / 127;
    for (const name of ["bgm", "vocals"]) {
      const values = this.waves[name];
      if (!values) continue;
      const columns = values.length / 2, step = this.width / columns;
      brush.fillStyle = this.color(`--${name}`);
      brush.beginPath();
      for (let n = 0; n < columns; n++) brush.lineTo(this.left + (n + 0.5) * step, middle - half * values[2 * n + 1] - 0.4);
      for (let n = columns - 1; n >= 0; n--) brush.lineTo(this.left + (n + 0.5) * step, middle - half * values[2 * n] + 0.4);
      brush.fill();
    }
  }

  mark(brush, bottom) {
    brush.strokeStyle = this.color("--beat");
    brush.lineWidth = 1;
    brush.beginPath();
    for (const beat of this.beats) {
      if (beat >= this.duration) continue;
      const x = Math.round(this.x(beat)) + 0.5;
      brush.moveTo(x, 0);
      brush.lineTo(x, bottom);
    }
    brush.stroke();
  }

  row(brush, { label, short, curves }, { top, bottom }) {
    let low = 0, high = 0.1;
    for (const { values } of curves) for (const value of values) low = Math.min(low, value), high = Math.max(high, value);
    [low, high] = [low < 0 ? low - 0.05 * (high - low) : 0, high + 0.05 * (high - low)];
    const y = (value) => bottom - ((value - low) / (high - low)) * (bottom - top);
    this.label(brush, { top, bottom }, this.narrow ? short : label, "mm");
    brush.textAlign = "right";
    brush.fillStyle = this.color("--faint");
    brush.fillText(high.toFixed(1), this.left - 5, top + 5);
    brush.fillText(low < 0 ? low.toFixed(1) : "0", this.left - 5, bottom - 5);
    brush.save();
    brush.beginPath();
    brush.rect(this.left, top, this.width, bottom - top);
    brush.clip();
    brush.lineJoin = "round";
    for (const { color, values } of curves) {
      brush.strokeStyle = color ?? this.color("--ink");
      brush.lineWidth = 1.5;
      brush.beginPath();
      values.forEach((value, frame) => brush.lineTo(this.x(frame / this.fps), y(value)));
      brush.stroke();
    }
    brush.restore();
  }

  times(brush, height) {
    const step = STEPS.find((step) => (this.duration / step) * 52 <= this.width) ?? STEPS.at(-1);
    brush.textAlign = "center";
    brush.textBaseline = "middle";
    brush.fillStyle = this.color("--faint");
    for (let n = 0; n * step <= this.duration + 1e-6; n++) {
      brush.fillText(`${Number((n * step).toFixed(1))} s`, Math.min(this.x(n * step), this.left + this.width - 4), height - TIMES / 2 + 2);
    }
  }
}
