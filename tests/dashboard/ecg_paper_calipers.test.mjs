// The calipers and the keys of the ECG paper.
import assert from "node:assert/strict";
import test from "node:test";

import * as calipers from "../../dashboard/components/ecg_paper/calipers.mjs";
import { STANDARD_12, planSheet, xOf, yOf } from "../../dashboard/components/ecg_paper/geometry.mjs";
import { KEYS, actionOf } from "../../dashboard/components/ecg_paper/keys.mjs";

const near = (found, expected) => assert.ok(Math.abs(found - expected) <= 1e-9, `${found} != ${expected}`);
const caliper = calipers.setCaliper(1, "II", 3, { s: 1, mv: 0.1 }, { s: 1.8, mv: -0.4 });
const samples = STANDARD_12.map(() => new Float32Array(5000));
const sheet = planSheet({ leads: STANDARD_12, samples, fs: 500 });

test("a caliper reads milliseconds, beats a minute and millivolts", () => {
  const { ms, bpm, mv } = calipers.measureCaliper(caliper);
  near(ms, 800);
  near(bpm, 75);
  near(mv, -0.5);
  assert.equal(calipers.caliperText(caliper), "800 ms · 75 bpm · −0.50 mV");
});

test("its ends may be swapped: only the sign of the voltage changes", () => {
  const { ms, bpm, mv } = calipers.measureCaliper({ ...caliper, from: 1.8, to: 1, a: -0.4, b: 0.1 });
  assert.deepEqual([Math.round(ms), Math.round(bpm)], [800, 75]);
  near(mv, 0.5);
});

test("an empty caliper has no rate", () => {
  const empty = { ...caliper, to: 1 };
  assert.equal(calipers.measureCaliper(empty).bpm, null);
  assert.equal(calipers.caliperText(empty), "0 ms · −0.50 mV");
});

test("march-out repeats the interval to both sides, without the caliper itself", () => {
  const times = calipers.marchOut(caliper, 0, 5);
  assert.deepEqual(times.map((s) => Number(s.toFixed(3))), [0.2, 2.6, 3.4, 4.2]);
  assert.deepEqual(calipers.marchOut({ ...caliper, from: 1.8, to: 1 }, 0, 5), times);
  assert.deepEqual(calipers.marchOut({ ...caliper, to: 1.01 }, 0, 5), []);
});

test("each part moves by itself, the whole keeps its length, and nothing leaves the sheet", () => {
  const span = [0, 10];
  near(calipers.moveCaliper(caliper, "to", 0.1, 5, span).to, 1.9);
  near(calipers.moveCaliper(caliper, "to", 0.1, 5, span).b, -0.4);
  near(calipers.moveCaliper(caliper, "a", 3, 0.2, span).a, 0.3);
  const end = calipers.moveCaliper(caliper, "end", 0.1, 0.1, span);
  assert.deepEqual([end.from, end.a], [1, 0.1]);
  near(end.to, 1.9);
  near(end.b, -0.3);
  const whole = calipers.moveCaliper(caliper, "all", 20, 0.5, span);
  near(whole.to, 10);
  near(whole.to - whole.from, 0.8);
  near(calipers.moveCaliper(caliper, "from", -5, 0, span).from, 0);
});

test("a caliper is drawn in the strip that it was set in, and in another when that is gone", () => {
  const { strip, x1, x2, y1 } = calipers.placeCaliper(sheet, caliper);
  assert.equal(strip.row, 3);
  near(x2 - x1, 20);
  near(y1, strip.baseline - 1);
  const rows = planSheet({ leads: STANDARD_12, samples, fs: 500, layout: "12x1" });
  assert.equal(calipers.placeCaliper(rows, { ...caliper, row: 9 }).strip.lead, "II");
  assert.equal(calipers.placeCaliper(sheet, { ...caliper, lead: "V6" }), null);
});

test("a pointer takes the line within reach, else the whole, else nothing", () => {
  const { strip } = calipers.placeCaliper(sheet, caliper);
  const [x, y] = [(s) => xOf(sheet, strip, s), (mv) => yOf(sheet, strip, mv)];
  const part = (px, py) => calipers.caliperPart(sheet, caliper, px, py, 1);
  assert.equal(part(x(1) + 0.5, y(1)), "from");
  assert.equal(part(x(1.8) - 0.5, y(1)), "to");
  assert.equal(part(x(1.4), y(0.1)), "a");
  assert.equal(part(x(1.4), y(-0.4)), "b");
  assert.equal(part(x(1.4), y(-0.15)), "all");
  assert.equal(part(x(1.4), y(0.5)), null);
  assert.equal(part(x(3), y(-0.15)), null);
});

test("every key means one thing, is told in the help, and leaves the browser's own alone", () => {
  const all = KEYS.flatMap(({ keys }) => keys);
  assert.equal(new Set(all).size, all.length);
  assert.ok(KEYS.every(({ show, help }) => show && help));
  for (const key of all) assert.ok(actionOf({ key }));
  assert.deepEqual(actionOf({ key: "C" }).action, "caliper");
  assert.deepEqual(actionOf({ key: "ArrowLeft", shiftKey: true }), { action: "along", by: -1, far: true, overlays: undefined });
  assert.equal(actionOf({ key: "ArrowRight" }).by, 1);
  for (const taken of [{ key: "c", ctrlKey: true }, { key: "r", metaKey: true }, { key: "Tab" }, { key: "z" }]) assert.equal(actionOf(taken), null);
});
