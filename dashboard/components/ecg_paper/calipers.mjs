// Calipers: two instants and two levels of one lead. Values in, new values out.

import { mvAt, stripOf, timeAt, xOf, yOf } from "./geometry.mjs";

export const FINE = { s: 0.004, mv: 0.01 }; // what an arrow key moves; ten times as far with Shift
const MIN_MARCH_S = 0.04; // closer marks than one small square would be a veil
const LINES = ["from", "to", "a", "b"];

/** A caliper between two places {s, mv} of a lead. `row` tells which of a lead's strips it was set in. */
export function setCaliper(id, lead, row, start, end = start) {
  return { id, lead, row, from: start.s, to: end.s, a: start.mv, b: end.mv };
}

/** {ms, bpm, mv} of a caliper: length, as a rate (null for none), and rise from the first level to the second. */
export function measureCaliper({ from, to, a, b }) {
  const seconds = Math.abs(to - from);
  return { ms: 1000 * seconds, bpm: seconds ? 60 / seconds : null, mv: b - a };
}

/** What a caliper reads, in words. */
export function caliperText(caliper) {
  const { ms, bpm, mv } = measureCaliper(caliper);
  const rate = bpm !== null && bpm < 1000 ? ` · ${bpm.toFixed(0)} bpm` : "";
  return `${ms.toFixed(0)} ms${rate} · ${mv < 0 ? "−" : ""}${Math.abs(mv).toFixed(2)} mV`;
}

/** Instants within [from, to) at which the caliper's interval repeats itself to both sides, its own two left out. */
export function marchOut(caliper, from, to) {
  const [first, second] = [Math.min(caliper.from, caliper.to), Math.max(caliper.from, caliper.to)];
  const step = second - first;
  if (step < MIN_MARCH_S) return [];
  const times = [];
  for (let k = Math.ceil((from - first) / step - 1e-9); first + k * step < to; k += 1)
    if (k !== 0 && k !== 1) times.push(first + k * step);
  return times;
}

/** A caliper with one part moved: an end, a level, or all of it; it stays within [start, stop] seconds. */
export function moveCaliper(caliper, part, ds, dmv, [start, stop] = [-Infinity, Infinity]) {
  const moved = { ...caliper };
  if (part === "all") {
    const [first, last] = [Math.min(caliper.from, caliper.to), Math.max(caliper.from, caliper.to)];
    const by = Math.min(stop - last, Math.max(start - first, ds));
    return { ...moved, from: caliper.from + by, to: caliper.to + by, a: caliper.a + dmv, b: caliper.b + dmv };
  }
  if (part === "from" || part === "start") moved.from = Math.min(stop, Math.max(start, caliper.from + ds));
  if (part === "to" || part === "end") moved.to = Math.min(stop, Math.max(start, caliper.to + ds));
  if (part === "a" || part === "start") moved.a = caliper.a + dmv;
  if (part === "b" || part === "end") moved.b = caliper.b + dmv;
  return moved;
}

/** Where a caliper is drawn on a sheet, in mm: {strip, x1, x2, y1, y2}; null where its lead or time is not shown. */
export function placeCaliper(sheet, caliper) {
  const strip = stripOf(sheet, caliper.lead, caliper.from, caliper.row) ?? stripOf(sheet, caliper.lead, caliper.to, caliper.row);
  if (!strip) return null;
  const x = (s) => xOf(sheet, strip, Math.min(strip.to, Math.max(strip.from, s)));
  return { strip, x1: x(caliper.from), x2: x(caliper.to), y1: yOf(sheet, strip, caliper.a), y2: yOf(sheet, strip, caliper.b) };
}

/** The part of a caliper at a place (mm): a line within reach, else "all" between them, else null. */
export function caliperPart(sheet, caliper, x, y, reach) {
  const place = placeCaliper(sheet, caliper);
  if (!place) return null;
  const { strip, x1, x2, y1, y2 } = place;
  if (y < strip.top - reach || y > strip.bottom + reach) return null;
  const between = x >= Math.min(x1, x2) - reach && x <= Math.max(x1, x2) + reach;
  const distances = [Math.abs(x - x1), Math.abs(x - x2), between ? Math.abs(y - y1) : Infinity, between ? Math.abs(y - y2) : Infinity];
  const nearest = distances.indexOf(Math.min(...distances));
  if (distances[nearest] <= reach) return LINES[nearest];
  return between && y >= Math.min(y1, y2) - reach && y <= Math.max(y1, y2) + reach ? "all" : null;
}

/** The place {s, mv} of a strip at x, y mm. */
export const placeAt = (sheet, strip, x, y) => ({ s: timeAt(sheet, strip, x), mv: mvAt(sheet, strip, y) });
