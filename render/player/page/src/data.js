// The clip's document and its arrays, as the Python side has written them (render/player/payload.py).

const KINDS = { float32: Float32Array, int16: Int16Array, int8: Int8Array, uint8: Uint8Array, uint32: Uint32Array };

/** The bytes that a base64 text stands for. */
export function decoded(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** A function from an array's name in the document, {at, type, shape}, to the array. */
export function opened(bytes) {
  return ({ at, type, shape }) => {
    const length = shape.reduce((product, size) => product * size, 1);
    return new KINDS[type](bytes.buffer, bytes.byteOffset + at, length);
  };
}

/** Curves and tracks of a document with their arrays in place. */
export function actors(document, open) {
  const curve = (name) => name && open(name);
  return document.actors.map((actor) => ({ ...actor, lips: curve(actor.lips_mm), opening: curve(actor.opening_mm) }));
}
