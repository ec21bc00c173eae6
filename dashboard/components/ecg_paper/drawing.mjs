// The paper as it is seen through a view: grid, traces, what lies over them, and the foot that says the scale.
//
// A view is {pxPerMm, left, top, width, height, foot}: CSS pixels a mm, how far the sheet is scrolled, its size, and
// the height of the foot beneath it. Everything is drawn by a pen of `pens.mjs`.

import { fineOpacity, shownMm } from "./camera.mjs";
import { caliperText, marchOut, placeCaliper } from "./calipers.mjs";
import { LABEL_MM, SQUARE, calibrationPulse, labelSpot, scaleBar, traceLines, xOf, yOf } from "./geometry.mjs";
import { NORMAL, WAVE_NAMES, beatMarks, heatCells, legendItems, mainStrip, traceReach, waveBands } from "./marks.mjs";

const FOOT_LINE = 22; // px
const FOOT_TEXT = 12;
const FOOT_EDGE = 10;
const SIGN = { before: 15, after: 15 };

export const INKS = {
  light: {
    p: "#0f8a6c", qrs: "#c77700", t: "#7a52c7", odd: "#b3261e", for: "#d95f02", against: "#2166ac",
    usable: "#8a6d00", poor: "#8d5a5a", reference: "#3d5a00", select: "#0a5fc4",
    paper: "#fffdfb", fine: "rgba(208, 74, 74, 0.20)", heavy: "rgba(208, 74, 74, 0.46)",
    trace: "#14171c", text: "#14171c", quiet: "#5b616b", mark: "#0a5fc4", faint: "#5a8cc9", caliper: "#7b1fa2",
  },
  dark: {
    p: "#3ecf9f", qrs: "#f0a93a", t: "#b292ff", odd: "#ff7a70", for: "#ff9d4d", against: "#5aa9ff",
    usable: "#d8b740", poor: "#c99a9a", reference: "#b5d334", select: "#63b3ff",
    paper: "#11151a", fine: "rgba(255, 128, 116, 0.13)", heavy: "rgba(255, 128, 116, 0.30)",
    trace: "#e8f1ea", text: "#f2f5f3", quiet: "#a4adb8", mark: "#63b3ff", faint: "#44719c", caliper: "#e39bff",
  },
}; // prettier-ignore

/** Whether a CSS colour ("rgb(14, 17, 23)") is a dark background. */
export function isDark(color) {
  const [r, g, b] = (color.match(/[\d.]+/g) || ["255", "255", "255"]).map(Number);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
}

/** What the paper says at its foot. */
export function footerText(sheet, { filter = "unfiltered", note = "" } = {}) {
  return [`${sheet.speed} mm/s`, `${sheet.gain} mm/mV`, filter, note].filter(Boolean).join("  ·  ");
}

/** {rows, height}: what the foot shows in its lines, [x, sign, text] each, and how high (px) it is for that. */
export function planFoot(pen, sheet, record, shown, width) {
  const items = legendItems(record, shown).map(([sign, text]) => [sign, text, pen.widthOf(text, FOOT_TEXT) + SIGN.before + SIGN.after]);
  const words = 24 * SQUARE + pen.widthOf(footerText(sheet, record), FOOT_TEXT) + pen.widthOf("5 mm = 200 ms = 0.5 mV", FOOT_TEXT);
  const whole = items.reduce((sum, [, , wide]) => sum + wide, 0);
  const rows = [[]];
  let x = width - whole - FOOT_EDGE;
  for (const [sign, text, wide] of items) {
    if (words + whole > width && (rows.length === 1 || x + wide > width)) [x] = [FOOT_EDGE, rows.push([])];
    rows.at(-1).push([x, sign, text]);
    x += wide;
  }
  return { rows, height: FOOT_LINE * rows.length };
}

/** Draw the sheet, what lies over it, and its foot. `shown` names the overlays that are on. */
export function drawPaper(pen, sheet, record, { view, ink, shown, ratio }) {
  const mm = shownMm(view);
  const at = {
    px: view.pxPerMm,
    x: (x) => x * view.pxPerMm - view.left,
    y: (y) => y * view.pxPerMm - view.top,
    points: (line) => line.map(([x, y]) => [x * view.pxPerMm - view.left, y * view.pxPerMm - view.top]),
  };
  const strips = sheet.strips.filter(
    (strip) => strip.x - 20 < mm.right && strip.x + strip.width > mm.left && strip.top - 30 < mm.bottom && strip.bottom + 30 > mm.top,
  );
  const valuesOf = (strip) => record.samples[record.leads.indexOf(strip.lead)];
  const main = mainStrip(sheet, record.beatLeads);
  pen.rect(0, 0, view.width, view.height + view.foot, ink.paper);
  pen.within(0, 0, view.width, view.height, () => {
    for (const strip of strips) drawGround(pen, sheet, strip, record, { at, ink, shown });
    drawGrid(pen, mm, { at, view, ink, ratio });
    // Before the traces: a label never covers a wave.
    for (const strip of strips) drawLabel(pen, sheet, strip, record, { at, view, ink, shown, values: valuesOf(strip) });
    if (shown.has("waves")) for (const strip of strips) drawWaves(pen, waveBands(sheet, strip, record.waves[strip.lead]), { at, ink });
    const width = Math.min(1.6, Math.max(1, at.px * 0.3));
    for (const strip of strips) {
      if (strip.first) pen.lines([at.points(calibrationPulse(sheet, strip))], ink.trace, width);
      else pen.lines([at.points([[strip.x, strip.baseline - 3], [strip.x, strip.baseline + 3]])], ink.quiet, 1);
      const lines = traceLines(sheet, strip, valuesOf(strip), { perMm: at.px * ratio, left: mm.left, right: mm.right });
      if (lines.length)
        pen.within(at.x(strip.x) - width, 0, strip.width * at.px + 2 * width, view.height, () =>
          pen.lines(lines.map(at.points), ink.trace, width),
        );
    }
    for (const strip of strips) drawBeats(pen, sheet, strip, record, { at, ink, shown, values: valuesOf(strip), clear: strip === main });
    if (main && shown.has("spikes")) drawSpikes(pen, sheet, main, record.spikes, { at, ink });
    if (shown.has("reference")) for (const strip of strips) drawReference(pen, sheet, strip, record.reference, { at, ink });
  });
  drawFoot(pen, sheet, record, { view, ink, shown });
}

function drawGrid(pen, mm, { at, view, ink, ratio }) {
  const dots = Math.max(1, Math.round(ratio));
  const line = dots / ratio;
  const before = (dots >> 1) / ratio;
  const draw = (step, skip, color, alpha) => {
    for (let x = Math.ceil(Math.max(0, mm.left - 1) / step) * step; x <= mm.right + 1; x += step)
      if (!skip || x % skip) pen.rect(pen.crisp(at.x(x)) - before, 0, line, view.height, color, alpha);
    for (let y = Math.ceil(Math.max(0, mm.top - 1) / step) * step; y <= mm.bottom + 1; y += step)
      if (!skip || y % skip) pen.rect(0, pen.crisp(at.y(y)) - before, view.width, line, color, alpha);
  };
  draw(1, SQUARE, ink.fine, fineOpacity(at.px));
  draw(SQUARE, 0, ink.heavy, 1);
}

/** What lies under the grid of a strip: how poor its signal is, how much each stretch weighed. */
function drawGround(pen, sheet, strip, record, { at, ink, shown }) {
  const verdict = record.quality[strip.lead]?.verdict;
  const area = [at.x(strip.x), at.y(strip.top), strip.width * at.px, (strip.bottom - strip.top) * at.px];
  if (shown.has("quality") && (verdict === "poor" || verdict === "usable")) {
    pen.rect(...area, ink[verdict], verdict === "poor" ? 0.2 : 0.08);
    if (verdict === "poor") pen.within(...area, () => pen.lines(hatch(...area), ink.poor, 1, { alpha: 0.5 }));
  }
  if (shown.has("heat"))
    for (const { x, width, weight } of heatCells(sheet, strip, record.heat))
      pen.rect(at.x(x), area[1], width * at.px, area[3], weight > 0 ? ink.for : ink.against, 0.6 * Math.abs(weight));
}

function hatch(x, y, width, height) {
  const lines = [];
  for (let d = -height; d < width; d += 12) lines.push([[x + d, y + height], [x + d + height, y]]);
  return lines;
}

/** A strip's name, at its start or, where that is out of sight, at the edge of the view. */
function drawLabel(pen, sheet, strip, record, { at, view, ink, shown, values }) {
  const [x, y] = labelSpot(sheet, strip, values);
  const size = Math.max(11, Math.min(18, LABEL_MM * at.px));
  const left = Math.min(Math.max(at.x(x), 8), at.x(strip.x + strip.width) - 3 * size);
  const scrolled = left > at.x(x) + 1;
  const top = scrolled ? Math.max(at.y(strip.top) + size, at.y(strip.baseline) - LABEL_MM * 2.4 * at.px) : at.y(y);
  const style = { size, weight: 600, color: ink.text, halo: ink.paper };
  pen.text(strip.lead, left, Math.min(view.height - 4, Math.max(size + 2, top)), style);
  const verdict = record.quality[strip.lead]?.verdict;
  if (shown.has("quality") && verdict === "poor") {
    const after = left + pen.widthOf(strip.lead, size, 600) + 6;
    pen.text("poor", after, Math.max(size + 2, top), { size: Math.max(10, size * 0.75), color: ink.poor, halo: ink.paper });
  }
}

/** A tinted band behind each wave, with a solid foot that still tells where it ends when bands meet. */
function drawWaves(pen, bands, { at, ink }) {
  for (const { kind, x, width, top, bottom } of bands) {
    pen.rect(at.x(x), at.y(top), width * at.px, (bottom - top) * at.px, ink[kind], 0.13);
    pen.rect(at.x(x), at.y(bottom), width * at.px, Math.max(2, 0.9 * at.px), ink[kind], 0.85);
  }
}

/** Triangles on the clear strip and dots elsewhere; beats that are not normal carry their letter instead. */
function drawBeats(pen, sheet, strip, record, { at, ink, shown, values, clear }) {
  const [peaks, classes] = [shown.has("peaks"), shown.has("classes")];
  if (!peaks && !classes) return;
  const size = 1.5 * at.px;
  for (const [x, y, letter] of beatMarks(sheet, strip, values, record.beats, record.classes)) {
    const [px, py] = [at.x(x), Math.max(at.y(y), 3 * at.px)];
    const odd = classes && letter !== NORMAL;
    if (odd && (clear || sheet.strips.every((other) => !other.long)))
      pen.text(letter, px, py, { size: Math.max(10, 3 * at.px), weight: 700, color: ink.odd, align: "center", halo: ink.paper });
    else if (peaks && clear) pen.shape([[px, py], [px - size * 0.75, py - size * 1.3], [px + size * 0.75, py - size * 1.3]], ink.mark);
    else if (peaks || odd) pen.dot(px, py, Math.max(1.5, 0.55 * at.px), odd ? ink.odd : ink.faint);
  }
}

/** Short upright lines under the trace, where pacing spikes were found. */
function drawSpikes(pen, sheet, strip, spikesS, { at, ink }) {
  const top = traceReach(sheet, strip).bottom + 1.5;
  for (const s of spikesS)
    if (s >= strip.from && s < strip.to) pen.rect(at.x(xOf(sheet, strip, s)), at.y(top), Math.max(1.5, 0.4 * at.px), 3 * at.px, ink.odd);
}

/** Upright ticks above the trace, where the reference has its beats. */
function drawReference(pen, sheet, strip, beatsS, { at, ink }) {
  for (const s of beatsS)
    if (s >= strip.from && s < strip.to)
      pen.rect(at.x(xOf(sheet, strip, s)) - 1, at.y(strip.top + 0.5), 2, Math.max(5, 3 * at.px), ink.reference);
}

/** Scale bar, speed, gain, filter and note to the left; what the signs mean to the right, or beneath. */
function drawFoot(pen, sheet, record, { view, ink, shown }) {
  const top = view.height;
  pen.rect(0, top, view.width, 1, ink.heavy);
  const line = (k) => top + FOOT_LINE * k + FOOT_LINE / 2 + FOOT_TEXT * 0.36;
  const bar = scaleBar(sheet, view.pxPerMm);
  const [x, y, length] = [FOOT_EDGE, top + FOOT_LINE / 2, bar.mm * view.pxPerMm];
  pen.lines([[[x, y], [x + length, y]], [[x, y - 4], [x, y + 4]], [[x + length, y - 4], [x + length, y + 4]]], ink.text, 1.5);
  const words = `${bar.mm} mm = ${1000 * bar.s} ms = ${bar.mv} mV`;
  pen.text(words, x + length + 8, line(0), { size: FOOT_TEXT, color: ink.text });
  const after = x + length + 8 + pen.widthOf(words, FOOT_TEXT) + 24;
  pen.text(footerText(sheet, record), after, line(0), { size: FOOT_TEXT, color: ink.quiet });
  planFoot(pen, sheet, record, shown, view.width).rows.forEach((items, row) => {
    for (const [left, sign, text] of items) {
      drawSign(pen, sign, left, line(row), ink);
      pen.text(text, left + SIGN.before, line(row), { size: FOOT_TEXT, color: ink.quiet });
    }
  });
}

function drawSign(pen, sign, x, y, ink) {
  if (sign === "spike" || sign === "reference") pen.rect(x + 4, y - 10, 2, 11, sign === "spike" ? ink.odd : ink.reference);
  else if (sign in WAVE_NAMES || sign in ink) pen.rect(x, y - 9, 10, 10, ink[sign]);
  else pen.text(sign, x, y, { size: FOOT_TEXT, weight: 700, color: ink.odd });
}

/** Draw what the reader does on the paper: selection, calipers, cursor. */
export function drawHand(pen, sheet, record, hand, { view, ink }) {
  const at = { x: (x) => x * view.pxPerMm - view.left, y: (y) => y * view.pxPerMm - view.top };
  pen.within(0, 0, view.width, view.height, () => {
    for (const strip of sheet.strips.filter(({ lead }) => lead === hand.lead))
      pen.rect(at.x(strip.x) - 4, at.y(strip.baseline - 5), 3, 10 * view.pxPerMm, ink.select);
    if (hand.window) drawWindow(pen, sheet, hand, { at, ink });
    if (hand.beat !== null && record.beats[hand.beat] !== undefined) drawChosenBeat(pen, sheet, record, hand, { at, ink });
    for (const caliper of hand.calipers) drawCaliper(pen, sheet, caliper, { at, ink, view, active: caliper.id === hand.active, march: hand.march });
    if (hand.cursor) drawCursor(pen, sheet, hand.cursor, { at, ink, view });
  });
}

function drawWindow(pen, sheet, { window: [from, to] }, { at, ink }) {
  for (const strip of sheet.strips) {
    const [first, last] = [Math.max(from, strip.from), Math.min(to, strip.to)];
    if (last <= first) continue;
    const x = at.x(xOf(sheet, strip, first));
    const width = at.x(xOf(sheet, strip, last)) - x;
    pen.rect(x, at.y(strip.top), width, at.y(strip.bottom) - at.y(strip.top), ink.select, 0.14);
    for (const edge of [x, x + width]) pen.rect(edge - 0.5, at.y(strip.top), 1, at.y(strip.bottom) - at.y(strip.top), ink.select, 0.8);
  }
}

function drawChosenBeat(pen, sheet, record, { beat }, { at, ink }) {
  const s = record.beats[beat];
  for (const strip of sheet.strips)
    if (s >= strip.from && s < strip.to) {
      const x = at.x(xOf(sheet, strip, s));
      pen.lines([[[x, at.y(strip.top)], [x, at.y(strip.bottom)]]], ink.select, 1.5, { dash: [4, 3] });
    }
}

function drawCaliper(pen, sheet, caliper, { at, ink, view, active, march }) {
  const place = placeCaliper(sheet, caliper);
  if (!place) return;
  const { strip } = place;
  const [x1, x2, y1, y2] = [at.x(place.x1), at.x(place.x2), at.y(place.y1), at.y(place.y2)];
  const [top, bottom] = [at.y(strip.top), at.y(strip.bottom)];
  const [left, right] = [Math.min(x1, x2), Math.max(x1, x2)];
  const width = active ? 1.75 : 1.25;
  pen.rect(left, Math.min(y1, y2), right - left, Math.abs(y2 - y1), ink.caliper, active ? 0.1 : 0.05);
  pen.lines([[[x1, top], [x1, bottom]], [[x2, top], [x2, bottom]]], ink.caliper, width);
  pen.lines([[[left, y1], [right, y1]], [[left, y2], [right, y2]]], ink.caliper, width, { dash: [5, 3] });
  if (active) for (const [x, y] of [[x1, (y1 + y2) / 2], [x2, (y1 + y2) / 2], [(x1 + x2) / 2, y1], [(x1 + x2) / 2, y2]]) pen.dot(x, y, 3.5, ink.caliper);
  if (active && march)
    for (const along of sheet.strips.filter(({ row }) => row === strip.row))
      for (const s of marchOut(caliper, along.from, along.to)) {
        const x = at.x(xOf(sheet, along, s));
        pen.lines([[[x, top], [x, bottom]]], ink.caliper, 1.25, { dash: [3, 3] });
      }
  drawFlag(pen, caliperText(caliper), (left + right) / 2, top + 12, { view, ink, color: ink.caliper });
}

/** Words on a plate of paper, kept within the view. */
function drawFlag(pen, words, x, y, { view, ink, color, align = "center" }) {
  const width = pen.widthOf(words, 12, 600) + 12;
  const left = Math.max(2, Math.min(view.width - width - 2, align === "center" ? x - width / 2 : x));
  const middle = Math.max(12, Math.min(view.height - 12, y));
  pen.rect(left, middle - 10, width, 20, ink.paper, 0.92);
  const [right, top, bottom] = [left + width, middle - 10, middle + 10];
  pen.lines([[[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]], color, 1);
  pen.text(words, left + 6, middle + 4.3, { size: 12, weight: 600, color });
}

function drawCursor(pen, sheet, { strip, s, mv, words }, { at, ink, view }) {
  const x = at.x(xOf(sheet, strip, s));
  pen.lines([[[x, at.y(strip.top)], [x, at.y(strip.bottom)]]], ink.text, 1, { alpha: 0.55 });
  if (!Number.isNaN(mv)) pen.dot(x, at.y(yOf(sheet, strip, mv)), 3.5, ink.select);
  const near = x + pen.widthOf(words, 12, 600) + 30 < view.width ? x + 10 : x - pen.widthOf(words, 12, 600) - 24;
  drawFlag(pen, words, near, at.y(strip.bottom) - 12, { view, ink, color: ink.text, align: "left" });
}
