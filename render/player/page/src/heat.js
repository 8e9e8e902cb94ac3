// Errors in millimetres as colours, on one fixed scale: the same definition and the same colours as in compared videos.

const STOPS = 33; // of the bar

/** Distances in mm between two sets of vertices in metres. */
export function distances(vertices, others, out) {
  for (let v = 0, i = 0; v < out.length; v++, i += 3) {
    const x = vertices[i] - others[i], y = vertices[i + 1] - others[i + 1], z = vertices[i + 2] - others[i + 2];
    out[v] = 1000 * Math.sqrt(x * x + y * y + z * z);
  }
  return out;
}

export class HeatScale {
  /** @param srgb (n, 3) bytes, from 0 mm to the end of the scale. */
  constructor(most_mm, srgb) {
    this.most = most_mm;
    this.srgb = srgb;
    this.steps = srgb.length / 3;
    this.linear = Float32Array.from(srgb, (byte) => {
      const share = byte / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
  }

  /** Linear colours of vertices. */
  colors(errors, out) {
    const last = this.steps - 1;
    for (let v = 0, i = 0; v < errors.length; v++, i += 3) {
      const step = 3 * Math.round(Math.min(errors[v] / this.most, 1) * last);
      out[i] = this.linear[step], out[i + 1] = this.linear[step + 1], out[i + 2] = this.linear[step + 2];
    }
    return out;
  }

  /** Draw the bar and its numbers. */
  show(element) {
    const stops = Array.from({ length: STOPS }, (_, n) => 3 * Math.round((n / (STOPS - 1)) * (this.steps - 1)));
    const colors = stops.map((step) => `rgb(${this.srgb.subarray(step, step + 3).join(" ")})`);
    element.querySelector("i").style.backgroundImage = `linear-gradient(var(--upwards), ${colors.join(", ")})`;
    const marks = [5, 4, 3, 2, 1, 0].map((fifth) => Number(((fifth / 5) * this.most).toPrecision(3)));
    element.querySelector("ol").replaceChildren(
      ...marks.map((mark, index) => Object.assign(document.createElement("li"), { textContent: `${index ? "" : "≥ "}${mark}` })),
    );
    element.setAttribute("aria-label", `Colours of errors from 0 to ${this.most} millimetres; pale is none.`);
  }
}
