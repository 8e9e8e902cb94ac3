// One camera for all heads, and one canvas behind all of their frames.
import { PerspectiveCamera, Vector3, WebGLRenderer } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";

const UP = new Vector3(0, 1, 0);
const SLOW = 45, QUICK = 22, COARSEST = 0.45; // milliseconds a picture; share of the full resolution
const NARROWEST = 0.75; // share of the square's width that is always seen
const TURNS = { 1: 0, 2: 35, 3: 90, 4: -90 }; // degrees around the head, by the digit; its left ear is at +90

/** Whether no GPU draws. Multisampling then costs thrice as much as drawing; what stands still is drawn twice as large instead. */
function isSoftware() {
  const probe = document.createElement("canvas").getContext("webgl2");
  if (!probe) return false;
  const named = probe.getExtension("WEBGL_debug_renderer_info");
  const renderer = probe.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : probe.RENDERER);
  probe.getExtension("WEBGL_lose_context")?.loseContext();
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(renderer);
}

export class Views {
  /** @param element the frames' and the canvas's parent. @param changed called when a picture must be drawn. */
  constructor(element, canvas, { position, target, view_degrees }, changed) {
    this.canvas = canvas;
    this.isSoft = isSoftware();
    this.renderer = new WebGLRenderer({ canvas, antialias: !this.isSoft, alpha: true });
    this.renderer.autoClear = false;
    this.first = new Vector3(...position);
    this.viewDegrees = view_degrees;
    this.share = 1;
    this.took = 0;
    this.camera = new PerspectiveCamera(view_degrees, 1, 0.05, 20);
    this.controls = new OrbitControls(this.camera, element);
    element.style.touchAction = ""; // the style decides whether a finger scrolls the page
    this.controls.target0.set(...target);
    this.controls.minDistance = 0.15;
    this.controls.maxDistance = 5;
    this.controls.zoomSpeed = 1.2;
    this.controls.addEventListener("change", changed);
    this.reset();
  }

  reset() {
    this.controls.target.copy(this.controls.target0);
    this.camera.position.copy(this.first);
    this.controls.update();
  }

  /** One of the views that digits stand for; 0 is the first. */
  choose(digit) {
    this.reset();
    if (digit !== "0") this.orbit(TURNS[digit], 0);
  }

  /** Turn the camera around what it looks at, degrees to the head's left and up. */
  orbit(left, up) {
    const { target } = this.controls;
    const arm = this.camera.position.clone().sub(target).applyAxisAngle(UP, (left * Math.PI) / 180);
    const across = new Vector3().crossVectors(UP, arm).normalize();
    const tilted = arm.clone().applyAxisAngle(across, (-up * Math.PI) / 180);
    if (tilted.angleTo(UP) > 0.05 && tilted.angleTo(UP) < Math.PI - 0.05) arm.copy(tilted);
    this.camera.position.copy(target).add(arm);
    this.controls.update();
  }

  zoom(factor) {
    const { target } = this.controls;
    this.camera.position.sub(target).multiplyScalar(1 / factor).add(target);
    this.controls.update();
  }

  /** Learn how long a picture in motion took, ms: where that is long, resolution gives way to motion. */
  learn(took) {
    this.took = this.took ? 0.7 * this.took + 0.3 * took : took;
    const wanted = this.took > SLOW ? this.share * 0.7 : this.took < QUICK ? this.share * 1.2 : this.share;
    const share = Math.min(Math.max(wanted, COARSEST), 1);
    if (share !== this.share) this.took = 0;
    this.share = share;
  }

  /** Draw into every frame what `sceneOf(index)` says; as finely as there is time for if things are moving. */
  draw(frames, sceneOf, moving) {
    const whole = this.canvas.getBoundingClientRect();
    const fine = this.isSoft ? 2 : Math.min(devicePixelRatio, 2);
    const ratio = moving ? Math.min(devicePixelRatio, 2) * this.share : fine;
    if (this.width !== whole.width || this.height !== whole.height || this.ratio !== ratio) {
      Object.assign(this, { width: whole.width, height: whole.height, ratio });
      this.renderer.setPixelRatio(ratio);
      this.renderer.setSize(whole.width, whole.height, false);
    }
    this.renderer.setScissorTest(false);
    this.renderer.clear();
    this.renderer.setScissorTest(true);
    frames.forEach((frame, index) => {
      const box = frame.getBoundingClientRect();
      if (box.bottom < whole.top || box.top > whole.bottom || box.width < 1 || box.height < 1) return;
      const place = [box.left - whole.left, whole.bottom - box.bottom, box.width, box.height];
      this.renderer.setViewport(...place);
      this.renderer.setScissor(...place);
      this.fit(box.width / box.height);
      this.renderer.render(sceneOf(index, this.camera), this.camera);
    });
  }

  /** The whole height of our videos' square is seen; where a frame is narrow, the outer parts of the shoulders are not. */
  fit(aspect) {
    const half = Math.tan((this.viewDegrees * Math.PI) / 360) * Math.max(NARROWEST / aspect, 1);
    this.camera.aspect = aspect;
    this.camera.fov = (Math.atan(half) * 360) / Math.PI;
    this.camera.updateProjectionMatrix();
  }
}
