// The geometry of the ECG paper: calibration, layouts, gaps. Run by pytest, or by hand: node --test tests/dashboard
import assert from "node:assert/strict";
import test from "node:test";

import * as paper from "../../dashboard/components/ecg_paper/ecg_paper.mjs";

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

test("other speeds and gains scale the trace and the pulse alike", () => {
  const sheet = sheetOf(["II"], [ramp(4, 0.1)], { speed: 50, gain: 5 });
  const [strip] = sheet.strips;
  near(paper.xOf(sheet, strip, 1) - paper.xOf(sheet, strip, 0), 50);
  const xs = paper.calibrationPulse(sheet, strip).map(([x]) => x);
  const ys = paper.calibrationPulse(sheet, strip).map(([, y]) => y);
  near(Math.max(...ys) - Math.min(...ys), 5);
  near(xs[3] - xs[2], 10);
  assert.equal(paper.footerText(sheet, { note: "first 4 s" }), "50 mm/s  ·  5 mm/mV  ·  unfiltered  ·  first 4 s");
});

test("the calibration pulse is 1 mV high, 0.2 s long, and stands before the trace", () => {
  const sheet = sheetOf(["II"], flat(["II"]));
  const pulse = paper.calibrationPulse(sheet, sheet.strips[0]);
  near(pulse[1][1] - pulse[2][1], 10);
  near(pulse[3][0] - pulse[2][0], 5);
  assert.ok(pulse.every(([x]) => x > 0 && x < sheet.strips[0].x));
});

test("a millimetre has as many pixels across as down at any width and device ratio", () => {
  const sheet = sheetOf(paper.STANDARD_12, flat(paper.STANDARD_12));
  for (const width of [320, 820, 1033, 1440])
    for (const ratio of [1, 1.5, 2]) {
      const fit = paper.fitSheet(sheet, width, ratio);
      near(fit.width / sheet.width, fit.pxPerMm);
      near(fit.height, sheet.height * fit.pxPerMm, 0.5);
      assert.ok(fit.width >= width * ratio - 0.5);
    }
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

test("leads beyond the twelve get rows of their own", () => {
  const leads = [...paper.STANDARD_12, "V7"];
  assert.deepEqual(stripsOf(sheetOf(leads, flat(leads))).slice(-2), ["II", "V7"]);
});

test("other lead sets, and twelve leads too short for quarters, stand row by row", () => {
  for (const leads of [["II"], ["V1", "ECG1"], ["I", "II", "III"], ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"]])
    assert.deepEqual(stripsOf(sheetOf(leads, flat(leads))), leads);
  const short = sheetOf(paper.STANDARD_12, flat(paper.STANDARD_12, 2));
  assert.equal(short.layout, "strips");
  assert.ok(short.width >= 270);
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

test("a lead of which nothing was recorded keeps its place and has no trace", () => {
  const missing = ramp(10).fill(NaN);
  const sheet = sheetOf(["I", "II"], [missing, ramp(10)]);
  assert.equal(sheet.strips.length, 2);
  assert.deepEqual(paper.traceLines(sheet, sheet.strips[0], missing), []);
  assert.deepEqual(paper.beatMarks(sheet, sheet.strips[0], missing, [1]), []);
  assert.ok(Number.isFinite(sheet.height));
});

test("an offset moves a strip's trace onto its baseline", () => {
  const sheet = sheetOf(["II"], [ramp(10).fill(300)]);
  near(paper.yOf(sheet, sheet.strips[0], 300), sheet.strips[0].baseline);
});

test("beats are marked above their wave, in the strips that show their time", () => {
  const samples = paper.STANDARD_12.map(() => ramp(10));
  samples[1][500] = 1;
  const sheet = sheetOf(paper.STANDARD_12, samples);
  const marks = sheet.strips.map((strip) => paper.beatMarks(sheet, strip, samples[paper.STANDARD_12.indexOf(strip.lead)], [1, 6]));
  assert.deepEqual(marks.map((found) => found.length), [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 2]);
  const rhythm = sheet.strips.at(-1);
  near(marks.at(-1)[0][0], rhythm.x + 25);
  near(marks.at(-1)[0][1], rhythm.baseline - 11.5);
});

test("each beat's mark carries its class, normal where none is known", () => {
  const samples = [ramp(10)];
  const sheet = sheetOf(["II"], samples);
  const letters = (classes) => paper.beatMarks(sheet, sheet.strips[0], samples[0], [1, 2, 3], classes).map(([, , letter]) => letter);
  assert.deepEqual(letters(["N", "V", "S"]), ["N", "V", "S"]);
  assert.deepEqual(letters(undefined), ["N", "N", "N"]);
});

test("beats are marked clearly in the rhythm strip, or in the lead that was searched", () => {
  const twelve = sheetOf(paper.STANDARD_12, flat(paper.STANDARD_12));
  assert.equal(paper.mainStrip(twelve, paper.STANDARD_12), twelve.strips.at(-1));
  const two = sheetOf(["I", "V1"], flat(["I", "V1"]));
  assert.equal(paper.mainStrip(two, ["V1"]).lead, "V1");
  assert.equal(paper.mainStrip(two, ["I", "V1"]).lead, "I");
  assert.equal(paper.mainStrip(sheetOf([], []), []), undefined);
});

test("a wave's band stands under its time, in the strips that show it, cut where they end", () => {
  const sheet = sheetOf(paper.STANDARD_12, flat(paper.STANDARD_12));
  const waves = [["p", 0.1, 0.2], ["t", 2.4, 2.8]];
  const [first, second] = sheet.strips.map((strip) => paper.waveBands(sheet, strip, waves));
  assert.deepEqual(first.map(({ kind }) => kind), ["p", "t"]);
  near(first[0].x, sheet.strips[0].x + 2.5);
  near(first[0].width, 2.5);
  near(first[1].width, 2.5);
  assert.deepEqual(second.map(({ kind }) => kind), ["t"]);
  near(second[0].x, sheet.strips[1].x);
  near(second[0].width, 7.5);
  assert.ok(first[0].top < sheet.strips[0].baseline && first[0].bottom > sheet.strips[0].baseline);
  assert.deepEqual(paper.waveBands(sheet, sheet.strips[0], undefined), []);
});

test("the legend explains the signs that are there, and no others", () => {
  const signs = (view) => paper.legendItems(view).map(([sign]) => sign);
  assert.deepEqual(signs({}), []);
  assert.deepEqual(signs({ waves: { II: [["t", 1, 2], ["p", 0, 1]] }, classes: ["N", "V", "N"], spikes: [1] }), ["p", "t", "V", "spike"]);
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

test("samples are decoded lead after lead, NaN included", () => {
  const bytes = Buffer.alloc(16);
  [1.5, NaN, -2, 0].forEach((value, i) => bytes.writeFloatLE(value, 4 * i));
  assert.deepEqual(paper.decodeSamples(bytes.toString("base64"), 2), [Float32Array.of(1.5, NaN), Float32Array.of(-2, 0)]);
});

test("fine lines fade as they come closer, and never vanish", () => {
  assert.equal(paper.fineOpacity(5), 1);
  assert.ok(paper.fineOpacity(3) < 1);
  near(paper.fineOpacity(1), 0.3);
});

test("a dark background is told from a light one", () => {
  assert.ok(paper.isDark("rgb(12, 15, 19)"));
  assert.ok(!paper.isDark("rgba(255, 255, 255, 0.9)"));
});
