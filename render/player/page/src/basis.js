// Vertices of any frame, from the basis that all motions of parameters share: exact, so that normals and errors are, too.

/** The tracks of a document, each with `vertices(frame, out)`: out is a Float32Array of 3V metres. */
export function tracks(document, open) {
  const bases = document.bases.map((basis) => new Basis(basis, open));
  return document.tracks.map((track) => new Track(bases[track.basis], track, open, document.frames));
}

class Basis {
  constructor({ rest, displacements, step, skinning }, open) {
    this.rest = open(rest);
    this.displacements = open(displacements);
    this.step = step;
    this.skinning = open(skinning);
    this.joints = skinning.shape[1];
    this.shape = new Float32Array(this.rest.length);
  }

  /** The shape before it is posed: the rest plus weighted displacements. */
  shaped(weights) {
    const { shape, displacements } = this;
    shape.set(this.rest);
    const n = shape.length;
    for (let k = 0; k < weights.length; k++) {
      const weight = weights[k] * this.step;
      if (weight === 0) continue;
      for (let i = 0, d = k * n; i < n; i++, d++) shape[i] += weight * displacements[d];
    }
    return shape;
  }

  /** Linear blend skinning by one row-major 3 x 4 matrix a joint. */
  posed(weights, transforms, out) {
    const shape = this.shaped(weights);
    const { skinning, joints } = this;
    const m = new Float64Array(12);
    for (let v = 0, i = 0, s = 0; i < shape.length; v++, i += 3, s += joints) {
      m.fill(0);
      for (let j = 0; j < joints; j++) {
        const share = skinning[s + j];
        if (share === 0) continue;
        for (let e = 0, t = 12 * j; e < 12; e++, t++) m[e] += share * transforms[t];
      }
      const x = shape[i], y = shape[i + 1], z = shape[i + 2];
      out[i] = m[0] * x + m[1] * y + m[2] * z + m[3];
      out[i + 1] = m[4] * x + m[5] * y + m[6] * z + m[7];
      out[i + 2] = m[8] * x + m[9] * y + m[10] * z + m[11];
    }
    return out;
  }
}

class Track {
  constructor(basis, { weights, transforms }, open, frames) {
    this.basis = basis;
    this.weights = open(weights);
    this.transforms = open(transforms);
    this.nWeights = this.weights.length / frames;
    this.nTransforms = this.transforms.length / frames;
  }

  vertices(frame, out) {
    const weights = this.weights.subarray(frame * this.nWeights, (frame + 1) * this.nWeights);
    const transforms = this.transforms.subarray(frame * this.nTransforms, (frame + 1) * this.nTransforms);
    return this.basis.posed(weights, transforms, out);
  }
}

/** Normals at vertices: the sum of the faces' around, weighted by area; unit length, or zero without faces. */
export function normals(vertices, faces, out) {
  out.fill(0);
  for (let f = 0; f < faces.length; f += 3) {
    const i = 3 * faces[f], j = 3 * faces[f + 1], k = 3 * faces[f + 2];
    const x = vertices[i], y = vertices[i + 1], z = vertices[i + 2];
    const ax = vertices[j] - x, ay = vertices[j + 1] - y, az = vertices[j + 2] - z;
    const bx = vertices[k] - x, by = vertices[k + 1] - y, bz = vertices[k + 2] - z;
    const nx = ay * bz - az * by, ny = az * bx - ax * bz, nz = ax * by - ay * bx;
    out[i] += nx, out[i + 1] += ny, out[i + 2] += nz;
    out[j] += nx, out[j + 1] += ny, out[j + 2] += nz;
    out[k] += nx, out[k + 1] += ny, out[k + 2] += nz;
  }
  for (let i = 0; i < out.length; i += 3) {
    const length = Math.sqrt(out[i] ** 2 + out[i + 1] ** 2 + out[i + 2] ** 2);
    if (length > 0) out[i] /= length, out[i + 1] /= length, out[i + 2] /= length;
  }
  return out;
}
