// The ECG paper as a Streamlit component: it keeps what is shown and how, and tells Python what was chosen.
//
// The other modules of this folder hold the geometry, the drawing and the hand; Python joins them into one script.

import { evenScale, fitScale, scrollKeeping, truePercent, viewSize, zoomScale, MAX_PX_PER_MM, ZOOM_STEP } from "./camera.mjs";
import { caliperText } from "./calipers.mjs";
import { Controls } from "./controls.mjs";
import { drawHand, drawPaper, planFoot } from "./drawing.mjs";
import { pageSeconds, planSheet } from "./geometry.mjs";
import { Hand } from "./hand.mjs";
import { overlaysOf } from "./marks.mjs";
import { Navigator, isLoaded, keepWithin } from "./pages.mjs";
import { CanvasPen, fitCanvas } from "./pens.mjs";
import { readRecord } from "./record.mjs";
import { savePng, saveSvg } from "./saving.mjs";
import { keepDensity, readDensity, readLook } from "./surroundings.mjs";
import { tellSheet } from "./telling.mjs";

const QUIET_MS = 400; // a row of key strokes is told to Python once
const STATUS_PX = 30;
const LEAST_VIEW = 0.6; // of the window's height, once the paper is larger than the view

export class PaperView {
  constructor(root, tell) {
    this.root = root.querySelector(".paper");
    const find = (name) => this.root.querySelector(`.${name}`);
    Object.assign(this, { frame: find("frame"), spacer: find("sheet"), stage: find("stage"), canvas: find("drawing") });
    Object.assign(this, { overlay: find("hand"), reading: find("reading"), scale: find("scale"), spoken: find("spoken"), told: find("told") });
    this.tell = tell;
    this.tool = "select";
    this.zoom = null; // CSS pixels a mm; null fits the width
    this.options = {};
    this.hidden = new Set();
    this.controls = new Controls(this.root, {
      tool: (name) => this.setTool(name),
      choose: (name, value) => this.choose(name, value),
      act: (name) => this.act(name),
      overlay: (name) => this.toggle([name]),
      density: (pxPerMm) => this.setDensity(pxPerMm),
    });
    this.hand = new Hand(this, this.stage, this.frame);
    this.navigator = new Navigator(this.root, (s) => this.turnTo(s));
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.root);
    this.frame.addEventListener("scroll", () => this.drawSoon());
    // The canvas inherits the theme's text colour with a transition: its end tells that the theme has changed.
    this.canvas.addEventListener("transitionend", ({ propertyName }) => propertyName === "color" && this.draw());
  }

  destroy() {
    this.observer.disconnect();
    this.controls.destroy();
    clearTimeout(this.quiet);
    cancelAnimationFrame(this.pending);
  }

  // ----------------------------------------------------------------------------------------------------------- data

  update(data) {
    const another = this.record?.id !== data.record;
    this.record = readRecord(data, this.record);
    this.selects = data.select;
    const asked = JSON.stringify([data.layout, data.speed, data.gain, data.hidden]);
    if (asked !== this.askedBefore) {
      this.options = { ...this.options, layout: data.layout ?? undefined, speed: data.speed, gain: data.gain };
      this.hidden = new Set(data.hidden);
      this.askedBefore = asked;
    }
    if (another) {
      this.hand.reset();
      this.from = this.record.start;
    }
    this.frame.removeAttribute("aria-busy");
    this.plan();
  }

  get loaded() {
    const { start, samples, fs } = this.record;
    return { start, end: start + (samples.length ? samples[0].length / fs : 0) };
  }

  valuesOf(strip) {
    return this.record.samples[this.record.leads.indexOf(strip.lead)];
  }

  get overlays() {
    return overlaysOf(this.record);
  }

  get shown() {
    return new Set(this.overlays.filter((name) => !this.hidden.has(name)));
  }

  /** Lay the sheet out anew, and show it. */
  plan() {
    this.hand.cursor = null;
    const { start, end } = this.loaded;
    if (this.from < start - 1e-3 || this.from >= end) this.from = start; // what was turned to has not come
    this.sheet = planSheet({ ...this.record, from: this.from, ...this.options });
    this.from = this.sheet.from;
    this.frame.setAttribute("aria-label", this.record.description);
    this.canvas.setAttribute("aria-label", this.record.description);
    this.told.replaceChildren(...tellSheet(this.sheet, this.record));
    this.draw();
  }

  /** Show the window from `s` on; what is not loaded, Python fetches. */
  turnTo(s) {
    const { duration, samples, fs } = this.record;
    const length = pageSeconds(this.sheet.layout, samples[0].length / fs);
    const from = keepWithin(s, length, duration);
    if (Math.abs(from - this.from) < 1e-3) return;
    if (isLoaded(from, length, this.loaded)) {
      this.from = from;
      this.plan();
    } else {
      this.from = from;
      this.frame.setAttribute("aria-busy", "true");
      this.say("Fetching ...");
      this.tell("window", { record: this.record.id, start_s: from, length_s: this.loaded.end - this.loaded.start });
    }
  }

  // ---------------------------------------------------------------------------------------------------------- asked

  setTool(name) {
    this.tool = name;
    this.showControls();
  }

  choose(name, value) {
    this.options[name] = name === "speed" || name === "gain" ? Number(value) : value;
    this.plan();
  }

  toggle(names) {
    for (const name of names) if (!this.hidden.delete(name)) this.hidden.add(name);
    this.draw();
  }

  setDensity(pxPerMm) {
    keepDensity(pxPerMm);
    this.showControls();
    this.showScale();
  }

  act(action, { by = 1, overlays = [] } = {}) {
    const { length, duration } = { length: this.sheet.to - this.sheet.from, duration: this.record.duration };
    const acts = {
      in: () => this.zoomBy(ZOOM_STEP),
      out: () => this.zoomBy(1 / ZOOM_STEP),
      zoom: () => this.zoomBy(ZOOM_STEP ** by),
      fit: () => this.zoomTo(null),
      true: () => (readDensity() ? this.zoomTo(readDensity(), null, false) : this.measureScreen()),
      png: () => savePng(this, this.scene),
      svg: () => saveSvg(this, this.scene),
      full: () => (this.root.getRootNode().fullscreenElement ? document.exitFullscreen() : this.root.requestFullscreen()),
      help: () => this.controls.openHelp(),
      page: () => this.turnTo(this.sheet.from + by * length),
      edge: () => this.turnTo(by < 0 ? 0 : duration - length),
      overlay: () => this.toggle(overlays),
      select: () => this.setTool("select"),
      caliper: () => this.setTool("caliper"),
      pan: () => this.setTool("pan"),
    };
    acts[action]();
  }

  measureScreen() {
    const menu = this.root.querySelector(".size");
    menu.open = true;
    menu.querySelector(".density").focus();
    this.say("First measure the screen.");
  }

  zoomBy(factor, at) {
    this.zoomTo(zoomScale(this.view.pxPerMm, factor, this.ratio), at);
  }

  /** Show at `pxPerMm` (null fits) with the place under `at`, else the middle, kept where it is. */
  zoomTo(pxPerMm, at = null, even = true) {
    const before = this.view;
    const limited = pxPerMm && Math.min(MAX_PX_PER_MM, Math.max(1, pxPerMm));
    this.zoom = limited && even ? evenScale(limited, this.ratio) : limited;
    this.size();
    const [x, y] = at ? [at.px, at.py] : [before.width / 2, before.height / 2];
    this.frame.scrollLeft = scrollKeeping(before.left, x, before.pxPerMm, this.view.pxPerMm);
    this.frame.scrollTop = scrollKeeping(before.top, y, before.pxPerMm, this.view.pxPerMm);
    this.draw();
  }

  scrollBy(x, y) {
    this.frame.scrollLeft += x;
    this.frame.scrollTop += y;
  }

  /** Scroll so that `x` mm is in sight. */
  reveal(x) {
    const { view } = this;
    const px = x * view.pxPerMm;
    const margin = Math.min(60, view.width / 4);
    if (px < view.left + margin) this.frame.scrollLeft = px - view.width / 3;
    else if (px > view.left + view.width - margin) this.frame.scrollLeft = px - (2 * view.width) / 3;
  }

  // --------------------------------------------------------------------------------------------------------- shown

  get ratio() {
    return globalThis.devicePixelRatio || 1;
  }

  /** Give the frame and the sheet in it their sizes, and note what is in view. */
  size() {
    const { sheet, ratio } = this;
    const { font } = this.look;
    const border = this.frame.offsetWidth - this.frame.clientWidth;
    const full = document.fullscreenElement || this.root.getRootNode().fullscreenElement;
    const width = Math.max(1, this.root.clientWidth - (full ? 24 : 0) - 2);
    const foot = planFoot(new CanvasPen(this.overlay, { ratio, font }), sheet, this.record, this.shown, width).height;
    const room = full ? innerHeight - this.frame.offsetTop - foot - STATUS_PX - 16 : Infinity;
    const fit = fitScale(sheet, width, ratio, room);
    const pxPerMm = this.zoom ?? fit;
    const view = viewSize(sheet, pxPerMm, width, Math.min(room, this.zoom ? Math.max(LEAST_VIEW * innerHeight, sheet.height * fit) : Infinity));
    const [across, down] = [sheet.width * pxPerMm > width + 0.5, sheet.height * pxPerMm > view.height + 0.5];
    Object.assign(this.frame.style, { overflowX: across ? "scroll" : "hidden", overflowY: down ? "scroll" : "hidden" });
    const [barX, barY] = [this.frame.offsetHeight - this.frame.clientHeight, this.frame.offsetWidth - this.frame.clientWidth];
    view.width -= Math.max(0, barY - Math.min(border, 2));
    this.frame.style.height = `${view.height + foot + Math.max(2, barX)}px`;
    Object.assign(this.spacer.style, {
      width: `${Math.max(view.width, across ? sheet.width * pxPerMm : 0)}px`,
      height: `${Math.max(view.height, down ? sheet.height * pxPerMm : 0) + foot}px`,
    });
    this.stage.style.width = `${view.width}px`;
    this.fit = fit;
    this.view = { pxPerMm, ...view, foot, left: this.frame.scrollLeft, top: this.frame.scrollTop };
  }

  /** How a sheet is drawn now. */
  get scene() {
    return { view: this.view, ink: this.look.ink, font: this.look.font, shown: this.shown, ratio: this.ratio };
  }

  drawSoon() {
    cancelAnimationFrame(this.pending);
    this.pending = requestAnimationFrame(() => this.draw());
  }

  draw() {
    if (!this.sheet || !this.root.clientWidth) return;
    this.look = readLook(this.root);
    this.size();
    const { view, ratio, record, sheet, scene } = this;
    for (const canvas of [this.canvas, this.overlay]) fitCanvas(canvas, view, ratio);
    const { ink, font } = this.look;
    drawPaper(new CanvasPen(this.canvas, { ratio, font }), sheet, record, scene);
    this.canvas.dataset.pxPerMm = view.pxPerMm;
    this.drawHand();
    this.showControls();
    this.showScale();
    const length = sheet.to - sheet.from;
    this.navigator.show({ from: this.from, length, duration: record.duration, overview: record.overview, ink, font });
  }

  drawHand() {
    const { ink, font } = this.look;
    const pen = new CanvasPen(this.overlay, { ratio: this.ratio, font });
    pen.ctx.clearRect(0, 0, this.view.width, this.view.height + this.view.foot);
    drawHand(pen, this.sheet, this.record, this.hand, { view: this.view, ink });
    const words = this.hand.cursor?.words ?? (this.hand.caliper ? `${this.hand.caliper.lead} · ${caliperText(this.hand.caliper)}` : "");
    if (words) this.reading.textContent = words;
  }

  showControls() {
    const { record, sheet, tool, overlays, shown } = this;
    const zoom = this.zoom ? `${Math.round((100 * this.zoom) / this.fit)} %` : "Fit";
    this.controls.show({ record, sheet, tool, zoom, overlays, shown, density: readDensity() });
  }

  showScale() {
    const percent = truePercent(this.view.pxPerMm, readDensity());
    const size = percent === null ? "" : ` · ${percent.toFixed(0)} % of true size`;
    this.scale.textContent = `1 mm = ${Number(this.view.pxPerMm.toFixed(2))} px${size}`;
  }

  /** Put words where they are read, and aloud where a screen reader listens. */
  say(words, aloud = true) {
    this.reading.textContent = words;
    if (aloud) this.spoken.textContent = words;
  }

  // ----------------------------------------------------------------------------------------------------- handed over

  changedSoon() {
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => this.changed(), QUIET_MS);
  }

  /** Draw what the hand did, and tell Python where it asked for it. */
  changed() {
    this.drawHand();
    if (!this.selects) return;
    const { lead, beat, window, caliper } = this.hand;
    this.tell("selection", {
      record: this.record.id,
      lead,
      window,
      beat: beat === null ? null : beat + this.record.beatOffset,
      caliper: caliper && { lead: caliper.lead, from_s: caliper.from, to_s: caliper.to, from_mv: caliper.a, to_mv: caliper.b },
    });
  }
}

const views = new WeakMap();

export default function ecgPaper({ data, parentElement, setStateValue }) {
  const known = views.get(parentElement);
  if (known) known.tell = setStateValue;
  else views.set(parentElement, new PaperView(parentElement, setStateValue));
  views.get(parentElement).update(data);
  return () => {
    views.get(parentElement)?.destroy();
    views.delete(parentElement);
  };
}
