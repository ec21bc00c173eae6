// The reader's hand on the paper: pointer, touch and keys; cursor, calipers and selection.

import { ZOOM_STEP } from "./camera.mjs";
import { FINE, caliperPart, caliperText, moveCaliper, placeAt, setCaliper } from "./calipers.mjs";
import { RHYTHM_LEAD, SQUARE, stripAt, stripOf, timeAt, valueAt, xOf } from "./geometry.mjs";
import { PARTS, actionOf } from "./keys.mjs";
import { beatAfter, beatNear } from "./marks.mjs";
import { beatText, readingText } from "./telling.mjs";

const DRAG_PX = 4; // less is a click
const REACH_PX = { mouse: 6, pen: 8, touch: 18 };
const NEW_CALIPER_S = 0.2;

export class Hand {
  /** `paper` shows: {sheet, record, view, tool} and the functions drawHand, draw, changed, say, act. */
  constructor(paper, stage, frame) {
    Object.assign(this, { paper, stage, frame });
    this.reset();
    const on = (element, types, act, options) => types.forEach((type) => element.addEventListener(type, act, options));
    on(stage, ["pointerdown"], (event) => this.onDown(event));
    on(stage, ["pointermove"], (event) => this.onMove(event));
    on(stage, ["pointerup"], (event) => this.onUp(event));
    on(stage, ["pointercancel"], () => (this.drag = null));
    on(stage, ["pointerleave"], () => this.drag || this.point(null));
    on(frame, ["wheel"], (event) => this.onWheel(event), { passive: false });
    on(frame, ["touchstart", "touchmove", "touchend"], (event) => this.onPinch(event), { passive: false });
    on(frame, ["keydown"], (event) => this.onKey(event));
  }

  reset() {
    Object.assign(this, { calipers: [], active: null, part: PARTS[0], march: false, cursor: null, lead: null, beat: null, window: null });
    Object.assign(this, { drag: null, pinch: null, lastId: 0 });
  }

  get caliper() {
    return this.calipers.find(({ id }) => id === this.active) ?? null;
  }

  set caliper(value) {
    this.calipers = this.calipers.map((caliper) => (caliper.id === value.id ? value : caliper));
  }

  // -------------------------------------------------------------------------------------------------------- pointer

  at(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    const { view } = this.paper;
    const [px, py] = [event.clientX - left, event.clientY - top];
    return { x: (px + view.left) / view.pxPerMm, y: (py + view.top) / view.pxPerMm, px, py, inFoot: py >= view.height };
  }

  onDown(event) {
    const at = this.at(event);
    if (event.button > 1 || at.inFoot || this.pinch) return;
    this.frame.focus({ preventScroll: true });
    const { sheet, tool, view } = this.paper;
    if (event.button === 1 || tool === "pan") this.drag = { kind: "pan" };
    else {
      const reach = (REACH_PX[event.pointerType] ?? REACH_PX.mouse) / view.pxPerMm;
      const hit = this.caliperAt(at, reach);
      const strip = this.stripAt(at);
      if (hit) this.drag = { kind: "caliper", ...hit };
      else if (!strip) return;
      else if (tool === "caliper") this.drag = { kind: "new", strip, start: placeAt(sheet, strip, at.x, at.y) };
      else this.drag = { kind: "select", strip, start: timeAt(sheet, strip, at.x), touch: event.pointerType === "touch" };
    }
    Object.assign(this.drag, { px: event.clientX, py: event.clientY, x: at.x, y: at.y, moved: false });
    if (!this.drag.touch) this.stage.setPointerCapture(event.pointerId);
    if (this.drag.kind !== "select") event.preventDefault();
  }

  caliperAt({ x, y }, reach) {
    const active = this.caliper;
    for (const caliper of [active, ...this.calipers.filter((other) => other !== active)]) {
      const part = caliper && caliperPart(this.paper.sheet, caliper, x, y, reach);
      if (part) return { caliper, part };
    }
    return null;
  }

  stripAt({ x, y }) {
    return stripAt(this.paper.sheet, x, y, (strip) => this.paper.valuesOf(strip));
  }

  onMove(event) {
    const at = this.at(event);
    const { drag } = this;
    if (!drag) {
      const reach = REACH_PX.mouse / this.paper.view.pxPerMm;
      this.stage.dataset.part = this.caliperAt(at, reach)?.part ?? "";
      if (event.pointerType !== "touch") this.point(at.inFoot ? null : at);
      return;
    }
    drag.moved ||= Math.hypot(event.clientX - drag.px, event.clientY - drag.py) >= DRAG_PX;
    if (!drag.moved) return;
    this.cursor = null;
    this.drags[drag.kind].call(this, drag, at, event);
    this.paper.drawHand();
  }

  drags = {
    pan(drag, _, event) {
      this.paper.scrollBy(drag.px - event.clientX, drag.py - event.clientY);
      [drag.px, drag.py] = [event.clientX, event.clientY];
    },
    caliper({ caliper, part, x, y }, at) {
      const { sheet } = this.paper;
      this.active = caliper.id;
      this.caliper = moveCaliper(caliper, part, (at.x - x) / sheet.speed, (y - at.y) / sheet.gain, [sheet.from, sheet.to]);
      this.paper.say(caliperText(this.caliper), false);
    },
    new(drag, at) {
      const end = placeAt(this.paper.sheet, drag.strip, at.x, at.y);
      if (!drag.id) drag.id = this.add(drag.strip, drag.start, end);
      const { lead, row } = drag.strip;
      this.caliper = setCaliper(drag.id, lead, row, drag.start, end);
      this.paper.say(caliperText(this.caliper), false);
    },
    select(drag, at) {
      if (drag.touch) return;
      const end = timeAt(this.paper.sheet, drag.strip, at.x);
      this.lead = drag.strip.lead;
      this.window = [Math.min(drag.start, end), Math.max(drag.start, end)];
      this.paper.say(`${this.lead} · ${this.window[0].toFixed(3)} to ${this.window[1].toFixed(3)} s`, false);
    },
  };

  onUp(event) {
    const { drag } = this;
    this.drag = null;
    if (!drag || drag.kind === "pan") return;
    if (drag.moved && !drag.touch) this.paper.changed();
    else if (drag.kind === "caliper") this.choose(drag.caliper);
    else if (drag.kind === "select" && !drag.moved) this.take(drag.strip, timeAt(this.paper.sheet, drag.strip, this.at(event).x));
  }

  add(strip, start, end) {
    this.lastId += 1;
    this.calipers = [...this.calipers, setCaliper(this.lastId, strip.lead, strip.row, start, end)];
    this.active = this.lastId;
    return this.lastId;
  }

  choose(caliper) {
    this.active = caliper?.id ?? null;
    this.paper.changed();
  }

  /** Select a lead, and the beat near a time. */
  take(strip, s) {
    const { record } = this.paper;
    Object.assign(this, { lead: strip.lead, beat: beatNear(record.beats, s), window: null });
    this.paper.say([strip.lead, this.beat === null ? "no beat here" : beatText(record, this.beat)].join(" · "));
    this.paper.changed();
  }

  /** Put the cursor where the pointer is. */
  point(at) {
    const strip = at && this.stripAt(at);
    this.cursor = strip ? this.cursorAt(strip, timeAt(this.paper.sheet, strip, at.x)) : null;
    this.paper.drawHand();
  }

  cursorAt(strip, s) {
    const mv = valueAt(this.paper.sheet, this.paper.valuesOf(strip), s);
    return { strip, s, mv, words: readingText(strip.lead, s, mv) };
  }

  onWheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const at = this.at(event);
    this.paper.zoomBy(event.deltaY < 0 ? ZOOM_STEP : 1 / ZOOM_STEP, at);
  }

  onPinch(event) {
    if (event.touches.length !== 2) {
      this.pinch = null;
      return;
    }
    event.preventDefault();
    this.drag = null;
    const [a, b] = event.touches;
    const apart = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    if (!this.pinch) this.pinch = { apart, pxPerMm: this.paper.view.pxPerMm };
    const middle = { clientX: (a.clientX + b.clientX) / 2, clientY: (a.clientY + b.clientY) / 2 };
    this.paper.zoomTo((this.pinch.pxPerMm * apart) / this.pinch.apart, this.at(middle));
  }

  // ----------------------------------------------------------------------------------------------------------- keys

  onKey(event) {
    const asked = actionOf(event);
    if (!asked || event.target !== this.frame) return;
    event.preventDefault();
    event.stopPropagation(); // Streamlit has keys of its own
    if (asked.action in this.keys) this.keys[asked.action].call(this, asked);
    else this.paper.act(asked.action, asked);
    this.paper.drawHand();
  }

  keys = {
    along({ by, far }) {
      const { sheet } = this.paper;
      if (this.caliper) return this.nudge(by * FINE.s * (far ? 10 : 1), 0);
      const { strip, s } = this.cursorOrStart();
      const step = ((far ? SQUARE : 1) / sheet.speed) * by;
      return this.read(strip, Math.min(strip.to, Math.max(strip.from, s + step)));
    },
    across({ by, far }) {
      if (this.caliper) return this.nudge(0, -by * FINE.mv * (far ? 10 : 1));
      const { strip, s } = this.cursorOrStart();
      const { strips } = this.paper.sheet;
      const showing = strips.filter((other) => s >= other.from - 1e-9 && s <= other.to + 1e-9);
      const next = showing[showing.indexOf(strip) + by] ?? strips[strips.indexOf(strip) + by] ?? strip;
      return this.read(next, Math.min(next.to, Math.max(next.from, s)));
    },
    beat({ by }) {
      const { sheet, record } = this.paper;
      const { strip, s } = this.cursorOrStart();
      const index = beatAfter(record.beats, s, by, [sheet.from, sheet.to]);
      if (index === null) return this.paper.say("No further beat here.");
      const time = record.beats[index];
      const there = time >= strip.from && time < strip.to ? strip : (stripOf(sheet, strip.lead, time) ?? this.homeStrip(time));
      this.cursor = this.cursorAt(there, time);
      this.paper.reveal(xOf(sheet, there, time));
      return this.paper.say(`${beatText(record, index)} · ${this.cursor.words}`);
    },
    take() {
      const { strip, s, mv } = this.cursorOrStart();
      if (this.paper.tool !== "caliper") return this.take(strip, s);
      const level = Number.isNaN(mv) ? strip.level : mv;
      this.add(strip, { s, mv: level }, { s: Math.min(strip.to, s + NEW_CALIPER_S), mv: level });
      this.cursor = null;
      this.paper.say(caliperText(this.caliper));
      return this.paper.changed();
    },
    end() {
      this.part = PARTS[(PARTS.indexOf(this.part) + 1) % PARTS.length];
      this.paper.say({ end: "Second end", start: "First end", all: "Whole caliper" }[this.part]);
    },
    next() {
      if (!this.calipers.length) return;
      const place = this.calipers.findIndex(({ id }) => id === this.active);
      this.choose(this.calipers[(place + 1) % this.calipers.length]);
      this.paper.say(caliperText(this.caliper));
    },
    march() {
      this.march = !this.march;
      this.paper.say(this.march ? "March-out on" : "March-out off");
    },
    remove() {
      this.calipers = this.calipers.filter(({ id }) => id !== this.active);
      this.choose(this.calipers.at(-1));
    },
    clear() {
      if (this.active !== null) this.active = null;
      else Object.assign(this, { lead: null, beat: null, window: null, cursor: null });
      this.paper.changed();
    },
  };

  nudge(ds, dmv) {
    const { sheet } = this.paper;
    this.caliper = moveCaliper(this.caliper, this.part, ds, dmv, [sheet.from, sheet.to]);
    this.paper.say(caliperText(this.caliper));
    this.paper.changedSoon();
  }

  homeStrip(s) {
    return stripOf(this.paper.sheet, RHYTHM_LEAD, s) ?? this.paper.sheet.strips[0];
  }

  /** The cursor, or where one that is not there begins: at the left of the first strip in view. */
  cursorOrStart() {
    if (this.cursor) return this.cursor;
    const { sheet, view } = this.paper;
    const strip = sheet.strips.find((one) => one.x + one.width > view.left / view.pxPerMm) ?? sheet.strips[0];
    return this.cursorAt(strip, timeAt(sheet, strip, view.left / view.pxPerMm));
  }

  read(strip, s) {
    this.cursor = this.cursorAt(strip, s);
    this.paper.reveal(xOf(this.paper.sheet, strip, s));
    this.paper.say(this.cursor.words);
  }
}
