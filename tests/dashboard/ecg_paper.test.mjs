// The geometry of the ECG paper: calibration, layouts, gaps. Run by pytest, or by hand: node --test tests/dashboard/*.mjs
import assert from "node:assert/strict";
import test from "node:test";

import * as camera from "../../dashboard/components/ecg_paper/camera.mjs";
import * as paper from "../../dashboard/components/ecg_paper/geometry.mjs";

const FS = 500;
const ramp = (seconds, mvPerS = 0) => Float32Array.from({ length: seconds * FS }, (_, i) => (i / FS) * mvPerS);
const sheetOf = (leads, samples, more = {}) => paper.planSheet({ leads, samples, fs: FS, ...more });
const flat = (leads, seconds = 10) => leads.map(() => ramp(seconds));
const near = (found, expected, tolerance = 1e-6) => assert.ok(Math.abs(found - expected) <= tolerance, `${found} != ${expected}`);
const stripsOf = (sheet) => sheet.strips.map((strip) => strip.lead);

test("one second is 25 mm wide and one millivolt 10 mm high", () => {
  const sheet = sheetOf(["II"], [ramp(10, 0.1)]);
  const [line] = paper.traceLines(sheet, sheet.strips[0], ramp(10, 0.1));
  near(line[FS][0] - line[0][0], 25);
  near(line[0][1] - line[FS][1], 1, 1e-5);
  near(paper.yOf(sheet, sheet.strips[0], 0) - paper.yOf(sheet, sheet.strips[0], 1), 10);
});

test("the calibration pulse is 1 mV high, 0.2 s long, and stands before the trace", () => {
  const sheet = sheetOf(["II"], flat(["II"]));
  const pulse = paper.calibrationPulse(sheet, sheet.strips[0]);
  near(pulse[1][1] - pulse[2][1], 10);
  near(pulse[3][0] - pulse[2][0], 5);
  assert.ok(pulse.every(([x]) => x > 0 && x < sheet.strips[0].x));
});

test("twelve leads stand in three rows of four with lead II below", () => {
  const sheet = sheetOf(paper.STANDARD_12, flat(paper.STANDARD_12));
  assert.equal(sheet.layout, "3x4+1");
  assert.deepEqual(stripsOf(sheet), ["I", "aVR", "V1", "V4", "II", "aVL", "V2", "V5", "III", "aVF", "V3", "V6", "II"]);
  assert.deepEqual(sheet.strips.slice(0, 4).map(({ from, to }) => [from, to]), [[0, 2.5], [2.5, 5], [5, 7.5], [7.5, 10]]);
  const rhythm = sheet.strips.at(-1);
  assert.deepEqual([rhythm.from, rhythm.to, rhythm.width], [0, 10, 250]);
  const [first] = sheet.strips;
  for (const strip of sheet.strips) near(paper.xOf(sheet, strip, strip.from) - first.x, strip.from * 25);
});

test("the order of the leads in the file does not change where they stand", () => {
  const shuffled = [...paper.STANDARD_12].reverse();
  const sheet = sheetOf(shuffled, shuffled.map((_, k) => ramp(10).fill(k)));
  assert.equal(sheet.strips[0].lead, "I");
  assert.equal(sheet.strips[0].level, shuffled.indexOf("I"));
});

test("rows keep apart as far as their waves reach, in whole squares", () => {
  const tall = sheetOf(["I", "II"], [ramp(10), Float32Array.from({ length: 5000 }, (_, i) => (i % 500 ? 0 : 2.5))]);
  const low = sheetOf(["I", "II"], flat(["I", "II"]));
  const gap = ({ strips }) => strips[1].baseline - strips[0].baseline;
  assert.equal(gap(low), 20);
  assert.equal(gap(tall), 30);
  assert.ok(tall.strips.every(({ baseline }) => baseline % 5 === 0));
});

test("the pen is lifted where nothing was recorded", () => {
  const values = ramp(10);
  values.fill(NaN, 1000, 2000);
  values.fill(NaN, 4500);
  const sheet = sheetOf(["II"], [values]);
  const lines = paper.traceLines(sheet, sheet.strips[0], values);
  assert.deepEqual(lines.map((line) => line.length), [1000, 2500]);
  near(lines[1][0][0], sheet.strips[0].x + 4 * 25);
});

test("an offset moves a strip's trace onto its baseline", () => {
  const sheet = sheetOf(["II"], [ramp(10).fill(300)]);
  near(paper.yOf(sheet, sheet.strips[0], 300), sheet.strips[0].baseline);
});

test("samples are decoded lead after lead, NaN included", () => {
  const bytes = Buffer.alloc(16);
  [1.5, NaN, -2, 0].forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
  assert.deepEqual(paper.decodeSamples(bytes.toString("base64"), 2), [Float32Array.of(1.5, NaN), Float32Array.of(-2, 0)]);
});


test("other speeds and gains scale the trace and the pulse alike", () => {
  for (const speed of paper.SPEEDS)
    for (const gain of paper.GAINS) {
      const sheet = sheetOf(["II"], [ramp(4, 0.1)], { speed, gain });
      const [strip] = sheet.strips;
      near(paper.xOf(sheet, strip, 1) - paper.xOf(sheet, strip, 0), speed);
      near(paper.yOf(sheet, strip, 0) - paper.yOf(sheet, strip, 1), gain);
      const pulse = paper.calibrationPulse(sheet, strip);
      near(pulse[1][1] - pulse[2][1], gain);
      near(pulse[3][0] - pulse[2][0], 0.2 * speed);
    }
});

test("a place on the sheet is the time and the voltage that are drawn there", () => {
  const sheet = sheetOf(paper.STANDARD_12, flat(paper.STANDARD_12), { speed: 50, gain: 20 });
  for (const strip of sheet.strips) {
    near(paper.timeAt(sheet, strip, paper.xOf(sheet, strip, strip.from + 0.7)), strip.from + 0.7);
    near(paper.mvAt(sheet, strip, paper.yOf(sheet, strip, -0.35)), -0.35);
  }
});

test("six by two shows five seconds of each lead, and a strip all of one", () => {
  const two = sheetOf(paper.STANDARD_12, flat(paper.STANDARD_12), { layout: "6x2" });
  assert.deepEqual(stripsOf(two), ["I", "V1", "II", "V2", "III", "V3", "aVR", "V4", "aVL", "V5", "aVF", "V6"]);
  assert.deepEqual([two.strips[1].from, two.strips[1].to], [5, 10]);
  const all = sheetOf(paper.STANDARD_12, flat(paper.STANDARD_12), { layout: "12x1" });
  assert.deepEqual(stripsOf(all), paper.STANDARD_12);
  const one = sheetOf(paper.STANDARD_12, flat(paper.STANDARD_12), { layout: "strip", lead: "V5" });
  assert.deepEqual(stripsOf(one), ["V5"]);
  assert.equal(one.strips[0].width, 250);
  assert.deepEqual(stripsOf(sheetOf(["V1", "II"], flat(["V1", "II"]), { layout: "strip" })), ["II"]);
});

test("leads beyond the twelve get rows of their own", () => {
  const leads = [...paper.STANDARD_12, "V7"];
  assert.deepEqual(stripsOf(sheetOf(leads, flat(leads))).slice(-2), ["II", "V7"]);
});

test("other lead sets, and twelve leads too short for quarters, stand row by row", () => {
  for (const leads of [["II"], ["V1", "ECG1"], ["I", "II", "III"], ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]])
    assert.deepEqual(stripsOf(sheetOf(leads, flat(leads), { layout: "3x4+1" })), leads);
  const short = sheetOf(paper.STANDARD_12, flat(paper.STANDARD_12, 2));
  assert.equal(short.layout, "12x1");
  assert.ok(short.width >= 270);
});

test("a sheet of a longer window shows the ten seconds that were asked for, at their own times", () => {
  const samples = paper.STANDARD_12.map(() => ramp(30, 0.1));
  const sheet = sheetOf(paper.STANDARD_12, samples, { start: 100, from: 112 });
  assert.deepEqual([sheet.from, sheet.to], [112, 122]);
  const rhythm = sheet.strips.at(-1);
  const [line] = paper.traceLines(sheet, rhythm, samples[1]);
  assert.equal(line.length, 5000);
  near(line[0][0], rhythm.x);
  near(paper.valueAt(sheet, samples[1], 115), 1.5, 1e-5);
  const tail = sheetOf(paper.STANDARD_12, samples, { start: 100, from: 124 });
  near(tail.to, 130);
});

test("thinned out for few pixels, no peak is lost or moved", () => {
  const values = ramp(10);
  const peaks = [17, 1234, 2500, 4998];
  peaks.forEach((i, k) => (values[i] = k % 2 ? -1 : 1.5));
  const sheet = sheetOf(["II"], [values]);
  const [strip] = sheet.strips;
  const [line] = paper.traceLines(sheet, strip, values, { perMm: 2 });
  assert.ok(line.length <= 2 * 2 * 250 + 2);
  for (const i of peaks) {
    const [x, y] = [paper.xOf(sheet, strip, i / FS), paper.yOf(sheet, strip, values[i])];
    assert.ok(line.some(([px, py]) => Math.abs(px - x) < 1e-9 && Math.abs(py - y) < 1e-9), `sample ${i}`);
  }
  for (let i = 1; i < line.length; i += 1) assert.ok(line[i][0] > line[i - 1][0]);
});

test("only what is in view is traced", () => {
  const values = ramp(10);
  const sheet = sheetOf(["II"], [values]);
  const [line] = paper.traceLines(sheet, sheet.strips[0], values, { left: 100, right: 150 });
  assert.ok(line[0][0] <= 100 && line[0][0] > 99);
  assert.ok(line.at(-1)[0] >= 150 && line.at(-1)[0] < 151);
});

test("a lead of which nothing was recorded keeps its place and has no trace", () => {
  const missing = ramp(10).fill(NaN);
  const sheet = sheetOf(["I", "II"], [missing, ramp(10)]);
  assert.equal(sheet.strips.length, 2);
  assert.deepEqual(paper.traceLines(sheet, sheet.strips[0], missing), []);
  assert.ok(Number.isFinite(sheet.height));
  assert.equal(sheetOf([], []).strips.length, 0);
});

test("a pointer means the trace or the baseline that is nearest, in its column", () => {
  const samples = paper.STANDARD_12.map(() => ramp(10));
  samples[7].fill(1.9, 2600, 2700); // V2 reaches up to V1's row
  const sheet = sheetOf(paper.STANDARD_12, samples);
  const valuesOf = (strip) => samples[paper.STANDARD_12.indexOf(strip.lead)];
  const at = (s, row) => {
    const strip = sheet.strips.find((one) => one.row === row && s >= one.from && s < one.to);
    return [paper.xOf(sheet, strip, s), strip.baseline];
  };
  for (const [s, row, lead] of [[1, 0, "I"], [3, 1, "aVL"], [9, 2, "V6"], [9, 3, "II"]])
    assert.equal(paper.stripAt(sheet, ...at(s, row), valuesOf).lead, lead);
  const v2 = sheet.strips.find(({ lead }) => lead === "V2");
  const x = paper.xOf(sheet, v2, 5.3);
  assert.equal(paper.stripAt(sheet, x, paper.yOf(sheet, v2, 1.8), valuesOf).lead, "V2");
  assert.equal(paper.stripAt(sheet, -20, 10, valuesOf), null);
});

test("a strip's name stands above the waves at its start, and never off the paper", () => {
  const spike = (mv) => ramp(10).map((_, i) => (i === 20 ? mv : 0));
  const [low, high, huge] = [0, 1.5, 400].map((mv) => {
    const sheet = sheetOf(["II"], [spike(mv)]);
    return { sheet, y: paper.labelSpot(sheet, sheet.strips[0], spike(mv))[1] };
  });
  near(low.y, low.sheet.strips[0].baseline - 8);
  near(high.y, high.sheet.strips[0].baseline - 15 - 4);
  assert.ok(huge.y > 3);
});

test("a heavy square is a whole number of device pixels at any width, ratio and zoom", () => {
  const sheet = sheetOf(paper.STANDARD_12, flat(paper.STANDARD_12));
  for (const width of [320, 820, 1033, 1440])
    for (const ratio of [1, 1.25, 1.5, 2]) {
      let scale = camera.fitScale(sheet, width, ratio);
      assert.ok(scale * sheet.width <= Math.max(width, camera.MIN_PX_PER_MM * sheet.width) + 1e-6);
      for (let k = 0; k < 5; k += 1) {
        near(5 * scale * ratio, Math.round(5 * scale * ratio), 1e-6);
        const next = camera.zoomScale(scale, camera.ZOOM_STEP, ratio);
        assert.ok(next > scale);
        scale = next;
      }
      assert.ok(camera.zoomScale(scale, 1 / camera.ZOOM_STEP, ratio) < scale);
    }
  assert.equal(camera.zoomScale(camera.MAX_PX_PER_MM, 2), camera.MAX_PX_PER_MM);
});

test("zooming keeps the place under the pointer", () => {
  const offset = camera.scrollKeeping(200, 300, 4, 10);
  near((offset + 300) / 10, (200 + 300) / 4);
});

test("the scale bar says what its length means, and suits the zoom", () => {
  const sheet = sheetOf(["II"], flat(["II"]), { speed: 50, gain: 20 });
  assert.deepEqual(paper.scaleBar(sheet, 4), { mm: 5, s: 0.1, mv: 0.25 });
  assert.equal(paper.scaleBar(sheet, 30).mm, 1);
  assert.equal(camera.truePercent(5, null), null);
  near(camera.truePercent(5, 4), 125);
});

test("fine lines fade as they come closer, and never vanish", () => {
  assert.equal(camera.fineOpacity(5), 1);
  assert.ok(camera.fineOpacity(3) < 1);
  near(camera.fineOpacity(1), 0.3);
});
