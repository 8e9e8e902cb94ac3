// The moving heads: vertices, normals and errors of one frame, and three.js meshes that show them.
import {
  AmbientLight, BufferAttribute, BufferGeometry, Color, DirectionalLight, DoubleSide, DynamicDrawUsage, FrontSide, Group, Mesh,
  MeshBasicMaterial, MeshLambertMaterial, MeshStandardMaterial, Scene, SRGBColorSpace,
} from "three";
import { normals } from "./basis.js";
import { distances } from "./heat.js";

const LAMP = 0.3; // the share of light that comes from the camera where colours tell errors (render/compare/heat.py)

/** Everything that is shown of a clip at one frame. */
export class Heads {
  constructor(document, actors, tracks, scale, open) {
    const { head } = document;
    this.tracks = tracks;
    this.scale = scale;
    this.faces = open(head.faces);
    const tints = new BufferAttribute(open(head.tints), 3);
    const index = new BufferAttribute(this.faces, 1);
    const n = tints.count;
    this.plain = new Scene();
    this.heated = new Scene();
    this.rigs = [rig(head.lights, head.ambient), rig([{ towards: [0, 0, 1], color: Array(3).fill(LAMP * Math.PI) }], Array(3).fill(1 - LAMP))];
    this.plain.add(this.rigs[0]);
    this.heated.add(this.rigs[1]);
    const surfaces = head.parts.map((part) => surface(part));
    const chalk = head.parts.map((part) => new MeshLambertMaterial({ ...offset, vertexColors: true, side: side(part) }));
    const edges = new MeshBasicMaterial({ color: 0x0d1c33, wireframe: true, transparent: true, opacity: 0.3 });
    this.truth = { track: actors[0].straight, vertices: new Float32Array(3 * n) };
    this.all = actors.map((actor) => {
      const position = new BufferAttribute(new Float32Array(3 * n), 3).setUsage(DynamicDrawUsage);
      const normal = new BufferAttribute(new Float32Array(3 * n), 3).setUsage(DynamicDrawUsage);
      const color = new BufferAttribute(new Float32Array(3 * n), 3).setUsage(DynamicDrawUsage);
      const mesh = (colors, materials) => {
        const geometry = new BufferGeometry().setIndex(index);
        geometry.setAttribute("position", position).setAttribute("normal", normal).setAttribute("color", colors);
        head.parts.forEach((part, number) => geometry.addGroup(3 * part.start, 3 * part.count, number));
        const made = new Mesh(geometry, materials);
        made.frustumCulled = made.visible = false;
        return made;
      };
      const lit = mesh(tints, surfaces), heat = mesh(color, chalk);
      const wires = [lit, heat].map(({ geometry }) => Object.assign(new Mesh(geometry, edges), { frustumCulled: false, visible: false }));
      lit.add(wires[0]);
      heat.add(wires[1]);
      this.plain.add(lit);
      this.heated.add(heat);
      return {
        actor, position, normal, color, lit, heat, wires,
        straight: new Float32Array(3 * n), errors: new Float32Array(n), isTruth: actor === actors[0],
      };
    });
  }

  /** Put all heads into a frame. */
  show(frame, withHeat) {
    if (withHeat) this.tracks[this.truth.track].vertices(frame, this.truth.vertices);
    for (const head of this.all) {
      this.tracks[head.actor.drawn].vertices(frame, head.position.array);
      normals(head.position.array, this.faces, head.normal.array);
      head.position.needsUpdate = head.normal.needsUpdate = true;
      if (withHeat && !head.isTruth) {
        this.scale.colors(this.errors(frame, head), head.color.array);
        head.color.needsUpdate = true;
      }
    }
  }

  /** (V,) mm at zero head pose, of a head that is not the ground truth's. */
  errors(frame, head) {
    const { drawn, straight } = head.actor;
    const vertices = drawn === straight ? head.position.array : this.tracks[straight].vertices(frame, head.straight);
    return distances(vertices, this.truth.vertices, head.errors);
  }

  /** The scene with only that head in it. */
  alone(head, withHeat, withWires, camera) {
    const heated = withHeat && !head.isTruth;
    for (const other of this.all) {
      other.lit.visible = other === head && !heated;
      other.heat.visible = other === head && heated;
      for (const wires of other.wires) wires.visible = withWires;
    }
    for (const lights of this.rigs) lights.quaternion.copy(camera.quaternion);
    return heated ? this.heated : this.plain;
  }
}

const offset = { polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 }; // for the edges that are drawn over it
const side = (part) => (part.double_sided ? DoubleSide : FrontSide);

function surface(part) {
  const color = new Color().setRGB(...part.color, SRGBColorSpace);
  return new MeshStandardMaterial({ ...offset, color, roughness: part.roughness, metalness: 0, vertexColors: true, side: side(part) });
}

/** Lights that turn with the camera, as in our videos. */
function rig(lights, ambient) {
  const group = new Group();
  // Light from everywhere is given as what a white surface sends back; three.js wants what arrives.
  const around = new AmbientLight(new Color(...ambient), Math.PI);
  group.add(around);
  for (const { towards, color } of lights) {
    const lamp = new DirectionalLight(new Color(...color), 1);
    lamp.position.set(...towards);
    group.add(lamp, lamp.target);
  }
  return group;
}
