// A record longer than a sheet: which window is shown, and the bar that leads to the others.

import { CanvasPen } from "./pens.mjs";
import { clockText } from "./telling.mjs";

const A_MOMENT = 1e-3; // seconds

/** Where a window of `lengthS` begins that was asked to begin at `s`: within the record. */
export function keepWithin(s, lengthS, durationS) {
  return Math.max(0, Math.min(s, durationS - lengthS));
}

/** Whether a window lies in what is loaded. */
export function isLoaded(s, lengthS, { start, end }) {
  return s >= start - A_MOMENT && s + lengthS <= end + A_MOMENT;
}

/** The lowest and highest sample of each of `columns` columns: [[low, high] | null, ...]. */
export function envelope(values, columns) {
  return Array.from({ length: columns }, (_, k) => {
    let [low, high] = [Infinity, -Infinity];
    const stop = Math.max(Math.floor((k * values.length) / columns) + 1, Math.floor(((k + 1) * values.length) / columns));
    for (let i = Math.floor((k * values.length) / columns); i < stop; i += 1)
      if (!Number.isNaN(values[i])) [low, high] = [Math.min(low, values[i]), Math.max(high, values[i])];
    return low <= high ? [low, high] : null;
  });
}

/** The bar under the controls: buttons to turn the page, and a slider over the whole record. */
export class Navigator {
  constructor(root, turnTo) {
    this.bar = root.querySelector(".pages");
    this.slider = root.querySelector(".overview");
    this.canvas = this.slider.querySelector("canvas");
    this.where = root.querySelector(".where");
    this.turnTo = turnTo;
    for (const [name, by] of [["earlier", -1], ["later", 1]])
      root.querySelector(`.${name}`).addEventListener("click", () => this.turn(by));
    this.slider.addEventListener("keydown", (event) => this.onKey(event));
    for (const type of ["pointerdown", "pointermove", "pointerup"]) this.slider.addEventListener(type, (event) => this.onPointer(event));
  }

  show({ from, length, duration, overview, ink, font }) {
    Object.assign(this, { from, length, duration, overview, ink, font });
    this.bar.hidden = duration <= length + A_MOMENT;
    if (this.bar.hidden) return;
    const text = `${clockText(from)} to ${clockText(from + length)} of ${clockText(duration)}`;
    this.where.textContent = text;
    const limit = duration - length;
    const state = { valuemin: 0, valuemax: limit.toFixed(1), valuenow: from.toFixed(1), valuetext: text };
    for (const [name, value] of Object.entries(state)) this.slider.setAttribute(`aria-${name}`, value);
    this.bar.querySelector(".earlier").disabled = from <= A_MOMENT;
    this.bar.querySelector(".later").disabled = from >= limit - A_MOMENT;
    this.draw(from);
  }

  turn(by) {
    this.go(this.from + by * this.length);
  }

  go(s) {
    this.turnTo(keepWithin(s, this.length, this.duration));
  }

  onKey(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageUp: -10, PageDown: 10 };
    const edges = { Home: 0, End: this.duration };
    if (event.key in steps) this.turn(steps[event.key]);
    else if (event.key in edges) this.go(edges[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  onPointer(event) {
    if (event.type === "pointerdown") this.slider.setPointerCapture(event.pointerId);
    else if (!this.slider.hasPointerCapture(event.pointerId)) return;
    const { left, width } = this.slider.getBoundingClientRect();
    const s = keepWithin(((event.clientX - left) / width) * this.duration - this.length / 2, this.length, this.duration);
    if (event.type === "pointerup") this.go(s);
    else this.draw(s);
  }

  draw(from) {
    const [ratio, width, height] = [globalThis.devicePixelRatio || 1, this.slider.clientWidth, this.slider.clientHeight];
    Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    const pen = new CanvasPen(this.canvas, { ratio, font: this.font });
    const { ink } = this;
    pen.rect(0, 0, width, height, ink.paper);
    if (this.overview) {
      const columns = envelope(this.overview, Math.max(1, Math.floor(width)));
      const known = columns.filter(Boolean);
      const [low, high] = [Math.min(...known.map(([a]) => a)), Math.max(...known.map(([, b]) => b))];
      const y = (mv) => height - 3 - ((mv - low) / (high - low || 1)) * (height - 6);
      const lines = columns.flatMap((pair, k) => (pair ? [[[k + 0.5, y(pair[0])], [k + 0.5, y(pair[1]) - 0.5]]] : []));
      pen.lines(lines, ink.quiet, 1);
    } else pen.rect(0, height / 2 - 1, width, 2, ink.quiet, 0.5);
    const [x, wide] = [(from / this.duration) * width, Math.max(4, (this.length / this.duration) * width)];
    pen.rect(x, 0, wide, height, ink.select, 0.25);
    for (const edge of [x, x + wide - 2]) pen.rect(edge, 0, 2, height, ink.select);
  }
}
