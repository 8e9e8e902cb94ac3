// What time it is in the clip. With sound, the sound's own clock tells; without, the computer's.
//
// Times are of what is heard now, not of what is handed to the loudspeaker now: the context says how far these are apart. A
// picture, too, is seen a while after it was drawn, so that only what is left of that distance counts.

const SCREEN = 0.025; // seconds from drawing a picture to seeing it, one and a half pictures of a usual display
const AHEAD = 0.02; // seconds from the call to the first sample, so that its time is known exactly

/** Nothing is heard; time passes. */
export class Silence {
  now() { return performance.now() / 1000; }
  async ready() {}
  start() { return this.now(); }
  stop() {}
}

/** The mix, played from any instant at any speed; pitch goes with speed, as on tape. */
export class Voice {
  constructor(buffer) {
    this.buffer = buffer;
    this.muted = false;
    this.context = null;
    this.source = null;
    this.settled = 0;
  }

  /** Browsers let sound begin only after a key or a click: the context is made then. */
  async ready() {
    if (!this.context) {
      this.context = new AudioContext({ latencyHint: "interactive" });
      this.volume = this.context.createGain();
      this.volume.gain.value = Number(!this.muted);
      this.volume.connect(this.context.destination);
    }
    if (this.context.state !== "running") await this.context.resume();
  }

  /** Seconds that sound takes to the ear longer than a picture to the eye; small changes are ignored: time runs evenly. */
  get latency() {
    const estimate = Math.max((this.context.outputLatency || this.context.baseLatency || 0) - SCREEN, 0);
    if (Math.abs(estimate - this.settled) > 0.01) this.settled = estimate;
    return this.settled;
  }

  now() { return this.context.currentTime - this.latency; }

  start(offset, rate, loop) {
    const at = this.context.currentTime + AHEAD;
    this.source = new AudioBufferSourceNode(this.context, { buffer: this.buffer, playbackRate: rate });
    if (loop) Object.assign(this.source, { loop: true, loopStart: loop[0], loopEnd: loop[1] });
    this.source.connect(this.volume);
    this.source.start(at, offset);
    return at;
  }

  stop() {
    this.source?.stop();
    this.source?.disconnect();
    this.source = null;
  }

  mute(muted) {
    this.muted = muted;
    if (this.volume) this.volume.gain.value = Number(!muted);
  }
}

/** The mix decoded to 48 kHz samples; rejects where the browser cannot. */
export async function decodedSound(flac) {
  const context = new OfflineAudioContext(2, 1, 48000);
  return context.decodeAudioData(flac.slice().buffer);
}

export class Clock {
  /** @param duration of the clip, seconds. @param voice what tells the time. */
  constructor(duration, voice) {
    this.duration = duration;
    this.voice = voice;
    this.playing = false;
    this.rate = 1;
    this.loop = null;
    this.held = 0;
    this.started = 0;
    this.asked = 0;
  }

  /** Seconds into the clip. */
  time() {
    if (!this.playing) return this.held;
    const time = this.held + Math.max(this.voice.now() - this.started, 0) * this.rate;
    if (this.loop && time >= this.loop[1]) {
      const [from, to] = this.loop;
      return from + ((time - from) % (to - from));
    }
    if (time < this.duration) return time;
    this.pause(this.duration);
    return this.duration;
  }

  async play() {
    const asked = ++this.asked;
    await this.voice.ready();
    if (asked !== this.asked || this.playing) return; // paused meanwhile
    if (this.held >= this.duration) this.held = 0;
    this.begin();
  }

  pause(at = this.time()) {
    this.asked++;
    if (this.playing) this.voice.stop();
    this.playing = false;
    this.held = at;
  }

  seek(time) { this.change(() => { this.held = Math.min(Math.max(time, 0), this.duration); }); }

  setRate(rate) { this.change(() => { this.rate = rate; }); }

  /** @param loop [from, to] in seconds, or null. */
  setLoop(loop) { this.change(() => { this.loop = loop; }); }

  /** Change something; what plays goes on from where it is, or from where it is put. */
  change(how) {
    const { playing } = this;
    this.held = this.time();
    if (playing) this.voice.stop();
    this.playing = false;
    how();
    if (playing && (this.held < this.duration || this.loop)) this.begin();
  }

  begin() {
    if (this.loop && (this.held >= this.loop[1] || this.held >= this.duration)) this.held = this.loop[0];
    this.started = this.voice.start(this.held, this.rate, this.loop);
    this.playing = true;
  }
}
