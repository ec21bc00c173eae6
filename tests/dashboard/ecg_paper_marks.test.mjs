// What lies over the traces of the ECG paper, its words, its pages and its pictures.
import assert from "node:assert/strict";
import test from "node:test";
import { deflateSync } from "node:zlib";

import { footerText, isDark } from "../../dashboard/components/ecg_paper/drawing.mjs";
import { STANDARD_12, planSheet } from "../../dashboard/components/ecg_paper/geometry.mjs";
import * as marks from "../../dashboard/components/ecg_paper/marks.mjs";
import * as pages from "../../dashboard/components/ecg_paper/pages.mjs";
import { SvgPen } from "../../dashboard/components/ecg_paper/pens.mjs";
import * as saving from "../../dashboard/components/ecg_paper/saving.mjs";
import * as telling from "../../dashboard/components/ecg_paper/telling.mjs";

const FS = 500;
const flat = (seconds = 10) => new Float32Array(seconds * FS);
const near = (found, expected, tolerance = 1e-6) => assert.ok(Math.abs(found - expected) <= tolerance, `${found} != ${expected}`);
const sheetOf = (leads, samples, more = {}) => planSheet({ leads, samples, fs: FS, ...more });
const twelve = (samples = STANDARD_12.map(() => flat())) => sheetOf(STANDARD_12, samples);
const recordOf = (more = {}) => ({
  leads: ["II"], samples: [flat()], fs: FS, beats: [], beatOffset: 0, classes: [], waves: {}, spikes: [], reference: [], quality: {}, heat: null, ...more,
}); // prettier-ignore

test("beats are marked above their wave, in the strips that show their time", () => {
  const samples = STANDARD_12.map(() => flat());
  samples[1][500] = 1;
  const sheet = twelve(samples);
  const found = sheet.strips.map((strip) => marks.beatMarks(sheet, strip, samples[STANDARD_12.indexOf(strip.lead)], [1, 6]));
  assert.deepEqual(found.map((of) => of.length), [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 2]);
  const rhythm = sheet.strips.at(-1);
  near(found.at(-1)[0][0], rhythm.x + 25);
  near(found.at(-1)[0][1], rhythm.baseline - 11.5);
});

test("beats are not marked where nothing was recorded", () => {
  const sheet = sheetOf(["II"], [flat()]);
  assert.deepEqual(marks.beatMarks(sheet, sheet.strips[0], flat().fill(NaN), [1]), []);
});

test("each beat's mark carries its class, normal where none is known", () => {
  const sheet = sheetOf(["II"], [flat()]);
  const letters = (classes) => marks.beatMarks(sheet, sheet.strips[0], flat(), [1, 2, 3], classes).map(([, , letter]) => letter);
  assert.deepEqual(letters(["N", "V", "S"]), ["N", "V", "S"]);
  assert.deepEqual(letters([]), ["N", "N", "N"]);
});

test("the beat near a place is the nearest within 0.3 s; the next is the next in the window", () => {
  const beats = [1, 1.8, 2.6];
  assert.equal(marks.beatNear(beats, 1.6), 1);
  assert.equal(marks.beatNear(beats, 5), null);
  assert.equal(marks.beatAfter(beats, 1, 1, [0, 10]), 1);
  assert.equal(marks.beatAfter(beats, 1, -1, [0, 10]), null);
  assert.equal(marks.beatAfter(beats, 2.6, -1, [0, 10]), 1);
  assert.equal(marks.beatAfter(beats, 1.8, 1, [0, 2]), null);
});

test("beats are marked clearly in the rhythm strip, or in the lead that was searched", () => {
  const sheet = twelve();
  assert.equal(marks.mainStrip(sheet, STANDARD_12), sheet.strips.at(-1));
  const two = sheetOf(["I", "V1"], [flat(), flat()]);
  assert.equal(marks.mainStrip(two, ["V1"]).lead, "V1");
  assert.equal(marks.mainStrip(two, ["I", "V1"]).lead, "I");
  assert.equal(marks.mainStrip(sheetOf([], []), []), undefined);
});

test("a wave's band stands under its time, in the strips that show it, cut where they end", () => {
  const sheet = twelve();
  const waves = [["p", 0.1, 0.2], ["t", 2.4, 2.8]];
  const [first, second] = sheet.strips.map((strip) => marks.waveBands(sheet, strip, waves));
  assert.deepEqual(first.map(({ kind }) => kind), ["p", "t"]);
  near(first[0].x, sheet.strips[0].x + 2.5);
  near(first[0].width, 2.5);
  near(first[1].width, 2.5);
  assert.deepEqual(second.map(({ kind }) => kind), ["t"]);
  near(second[0].x, sheet.strips[1].x);
  near(second[0].width, 7.5);
  assert.ok(first[0].top < sheet.strips[0].baseline && first[0].bottom > sheet.strips[0].baseline);
  assert.deepEqual(marks.waveBands(sheet, sheet.strips[0], undefined), []);
});

test("attribution is laid on each lead's own seconds, as a share of the strongest, with its sign", () => {
  const sheet = twelve();
  const heat = { start: 2, step: 1, leads: { I: [0.5, 0.001, 0.2], aVR: [-1, -1] } };
  const [first, second] = sheet.strips.map((strip) => marks.heatCells(sheet, strip, heat));
  assert.deepEqual(first.map(({ width, weight }) => [width, weight]), [[12.5, 0.5]]);
  near(first[0].x, sheet.strips[0].x + 50);
  assert.deepEqual(second.map(({ width, weight }) => [width, weight]), [[12.5, -1], [25, -1]]);
  assert.deepEqual(marks.heatCells(sheet, sheet.strips[0], null), []);
  assert.deepEqual(marks.heatCells(sheet, sheet.strips[0], { start: 0, step: 1, leads: { I: [0, 0] } }), []);
});

test("only overlays with something to show can be switched, and only those that are on are explained", () => {
  assert.deepEqual(marks.overlaysOf(recordOf()), []);
  const record = recordOf({
    beats: [1, 2], classes: ["N", "V"], spikes: [1], waves: { II: [["t", 1, 2], ["p", 0, 1]] },
    quality: { II: { verdict: "poor" } }, heat: { start: 0, step: 1, leads: { II: [1, -1] }, label: "infarct" },
  }); // prettier-ignore
  const names = marks.overlaysOf(record);
  assert.deepEqual(names, ["peaks", "classes", "waves", "spikes", "quality", "heat"]);
  const signs = (shown) => marks.legendItems(record, new Set(shown)).map(([sign]) => sign);
  assert.deepEqual(signs(names), ["p", "t", "V", "spike", "poor", "for", "against"]);
  assert.deepEqual(signs(["waves"]), ["p", "t"]);
  assert.deepEqual(signs([]), []);
});

test("the foot says speed, gain and filter", () => {
  const sheet = sheetOf(["II"], [flat()], { speed: 50, gain: 5 });
  assert.equal(footerText(sheet, { filter: "0.05-40 Hz", note: "first 4 s" }), "50 mm/s  ·  5 mm/mV  ·  0.05-40 Hz  ·  first 4 s");
  assert.equal(footerText(sheet), "50 mm/s  ·  5 mm/mV  ·  unfiltered");
});

test("the words for the drawing tell each lead's range, its quality and the beats", () => {
  const values = flat();
  values[100] = 1.25;
  values[200] = -0.5;
  const record = recordOf({
    leads: ["II", "V1"], samples: [values, flat().fill(NaN)], beats: [0.5, 1.25, 99], classes: ["N", "V", "N"], beatOffset: 40,
    quality: { II: { verdict: "usable", reasons: ["mains: hum"] } },
  }); // prettier-ignore
  const sheet = sheetOf(record.leads, record.samples);
  assert.deepEqual(telling.leadRows(sheet, record), [
    ["II", "0.0 to 10.0 s", "−0.50 to 1.25 mV", "usable; mains: hum"],
    ["V1", "0.0 to 10.0 s", "not recorded", "not judged"],
  ]);
  assert.equal(telling.beatsText(sheet, record), "Beats at 0.50, 1.25 (ventricular) seconds.");
  assert.equal(telling.beatText(record, 1), "beat 42 at 1.250 s, ventricular");
  assert.equal(telling.readingText("II", 1.2346, -0.2), "II · 1.235 s · −0.20 mV");
  assert.equal(telling.readingText("II", 1, NaN), "II · 1.000 s · not recorded");
});

test("times are told as a clock shows them", () => {
  assert.deepEqual([0, 65, 3723].map(telling.clockText), ["0:00", "1:05", "1:02:03"]);
});

test("a window stays within the record, and only what is not loaded is fetched", () => {
  assert.equal(pages.keepWithin(55, 10, 60), 50);
  assert.equal(pages.keepWithin(-5, 10, 60), 0);
  assert.equal(pages.keepWithin(3, 10, 8), 0);
  assert.ok(pages.isLoaded(20, 10, { start: 0, end: 30 }));
  assert.ok(!pages.isLoaded(25, 10, { start: 0, end: 30 }));
});

test("the overview keeps every peak, and gaps stay gaps", () => {
  const values = flat(4);
  values[777] = 2;
  values.fill(NaN, 1000, 1500);
  const columns = pages.envelope(values, 20);
  assert.deepEqual(columns[7], [0, 2]);
  assert.deepEqual(columns.slice(10, 15), Array(5).fill(null));
  assert.equal(pages.envelope(Float32Array.of(1, 2), 5).filter(Boolean).length, 5);
});

test("a drawing states its size in millimetres, and its words are escaped", () => {
  const pen = new SvgPen({ font: "a, 'b'", measure: null });
  pen.text('<script>"&', 1, 2, { size: 10, color: "red" });
  pen.within(0, 0, 10, 10, () => pen.lines([[[0, 0], [1.23456, 2]]], "red", 1));
  const text = pen.document(500, 250, 4, { title: "a<b", description: "" });
  assert.match(text, /width="125mm" height="62.5mm" viewBox="0 0 500 250"/);
  assert.ok(!text.includes("<script>") && text.includes("a&#60;b"));
  assert.match(text, /<path d="M0 0L1.235 2"/);
});

test("a picture states its pixels a metre in a chunk that decoders accept", () => {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, crc] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    crc.writeUInt32BE(saving.crc32(body));
    return Buffer.concat([length, body, crc]);
  };
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
  const signature = Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]);
  const rest = [chunk("IDAT", deflateSync(Buffer.from([0, 9]))), chunk("IEND", Buffer.alloc(0))];
  const png = Buffer.concat([signature, chunk("IHDR", header), ...rest]);
  assert.equal(saving.crc32(Buffer.from("IEND")), 0xae426082);
  const dense = Buffer.from(saving.withDensity(png, 12));
  assert.equal(dense.length, png.length + 21);
  assert.equal(dense.toString("latin1", 37, 41), "pHYs");
  assert.deepEqual([dense.readUInt32BE(41), dense.readUInt32BE(45), dense[49]], [12000, 12000, 1]);
  assert.deepEqual(dense.subarray(54), png.subarray(33));
});

test("pictures are fine enough for print, within what a canvas can hold", () => {
  const view = { pxPerMm: 4, width: 1000, height: 500, foot: 22 };
  assert.equal(saving.pictureRatio(view, 1), 3);
  assert.equal(saving.pictureRatio({ ...view, pxPerMm: 40 }, 2), 2);
  assert.equal(saving.pictureRatio({ ...view, width: 6000 }, 1), 2);
});

test("a picture's name is safe, and says what is shown", () => {
  const sheet = { from: 10, to: 20 };
  assert.equal(saving.pictureName("../a b/100.hea", sheet, "png"), "a_b_100.hea_10.0-20.0s.png");
  assert.equal(saving.pictureName("", sheet, "svg"), "ecg_10.0-20.0s.svg");
});

test("a dark background is told from a light one", () => {
  assert.ok(isDark("rgb(12, 15, 19)"));
  assert.ok(!isDark("rgba(255, 255, 255, 0.9)"));
});
