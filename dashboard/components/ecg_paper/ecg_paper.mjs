// ECG paper: a calibrated drawing of a recording on a canvas.
//
// The first half is geometry in millimetres of paper, pure functions without a page to draw on; `paint` puts a sheet
// onto a canvas, and the default export is what Streamlit calls. One millimetre has the same number of pixels in both
// directions at any size, so that 25 mm/s and 10 mm/mV hold whatever the width of the window.

export const STANDARD_12 = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];
export const COLUMNS_3X4 = [["I", "II", "III"], ["aVR", "aVL", "aVF"], ["V1", "V2", "V3"], ["V4", "V5", "V6"]];
export const RHYTHM_LEAD = "II";

const SQUARE = 5; // mm between the heavy lines
const LEFT = 15; // mm before the traces: the calibration pulse stands here
const RIGHT = 5;
const FOOTER = 10;
const MIN_WIDTH = 270; // mm: 10 s at 25 mm/s and the margins; shorter recordings leave the rest of the paper blank
const COLUMN_S = 2.5;
const MIN_3X4_S = 5;
const PULSE_S = 0.2;
const PULSE_MV = 1;
const ROW_GAP = { least: 20, most: 45, air: 4 }; // mm between baselines
const HEADROOM = { least: 15, most: 35, air: 8 }; // mm above the first baseline
const FOOTROOM = { least: 10, most: 25, air: 2 }; // mm below the last baseline
const LABEL = { indent: 1.2, above: 8, air: 4, size: 3.4, width: 6.5 }; // mm
const MARK_SEARCH_S = 0.06;
const NORMAL = "N"; // beats of any other class carry their letter
const BAND = { air: 1.5, foot: 0.9 }; // mm that a wave's band reaches beyond the trace, and its solid foot
const MIN_PX_PER_MM = 2.4; // under this the paper scrolls sideways instead of shrinking further
const FINE_FROM_PX = 2; // fine lines fade in between these two scales
const FINE_FULL_PX = 4;

// ---------------------------------------------------------------------------------------------------------- geometry

/** Little-endian float32 samples in base64, lead after lead -> one Float32Array a lead (mV, NaN where not recorded). */
export function decodeSamples(base64, nLeads) {
  const bytes = Uint8Array.from(atob(base64), (ch) => ch.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const n = nLeads ? Math.floor(bytes.length / 4 / nLeads) : 0;
  return Array.from({ length: nLeads }, (_, lead) =>
    Float32Array.from({ length: n }, (_, i) => view.getFloat32(4 * (lead * n + i), true)),
  );
}

/** "3x4+1" for 12 leads long enough to be read in quarters, else "strips": every lead on a row of its own. */
export function chooseLayout(leads, durationS) {
  return durationS >= MIN_3X4_S && STANDARD_12.every((name) => leads.includes(name)) ? "3x4+1" : "strips";
}

/** Rows of {lead, from, to}: which lead is drawn over which seconds of the window. */
export function arrangeRows(layout, leads, durationS) {
  if (layout === "strips") return leads.map((lead) => [{ lead, from: 0, to: durationS }]);
  const columnS = Math.min(COLUMN_S, durationS / COLUMNS_3X4.length);
  const rows = COLUMNS_3X4[0].map((_, row) =>
    COLUMNS_3X4.map((column, k) => ({ lead: column[row], from: k * columnS, to: (k + 1) * columnS })),
  );
  const rest = leads.filter((name) => !STANDARD_12.includes(name));
  const whole = COLUMNS_3X4.length * columnS;
  return [...rows, ...[RHYTHM_LEAD, ...rest].map((lead) => [{ lead, from: 0, to: whole }])];
}

/** {level, up, down}: median, and how far the samples of a stretch reach above and below it (mV); zeros where empty. */
export function measureStretch(values, fs, from, to) {
  const known = values.slice(Math.ceil(from * fs), Math.ceil(to * fs)).filter((v) => !Number.isNaN(v)).sort();
  if (!known.length) return { level: 0, up: 0, down: 0 };
  const level = known[known.length >> 1];
  return { level, up: known[known.length - 1] - level, down: level - known[0] };
}

/** The whole sheet in mm: its size, and for each strip where it stands. `samples` is one array (mV) a lead. */
export function planSheet({ leads, samples, fs, speed = 25, gain = 10, layout: wanted }) {
  const durationS = samples.length ? samples[0].length / fs : 0;
  const layout = wanted ?? chooseLayout(leads, durationS);
  const rows = arrangeRows(layout, leads, durationS).map((row) =>
    row.map((part) => ({ ...part, ...measureStretch(samples[leads.indexOf(part.lead)], fs, part.from, part.to) })),
  );
  const reach = (row, side) => gain * Math.max(...row.map((part) => part[side]));
  const strips = [];
  let baseline = 0;
  rows.forEach((row, r) => {
    baseline += r
      ? toSquares(reach(rows[r - 1], "down") + reach(row, "up"), ROW_GAP)
      : toSquares(reach(row, "up"), HEADROOM);
    for (const part of row) {
      const x = LEFT + (part.from - row[0].from) * speed;
      strips.push({ ...part, row: r, x, width: (part.to - part.from) * speed, baseline, first: part === row[0] });
    }
  });
  const below = rows.length ? toSquares(reach(rows[rows.length - 1], "down"), FOOTROOM) : 0;
  const widest = Math.max(0, ...strips.map((strip) => strip.x + strip.width));
  return {
    width: Math.max(MIN_WIDTH, Math.ceil((widest + RIGHT) / SQUARE) * SQUARE),
    height: baseline + below + FOOTER,
    layout,
    fs,
    speed,
    gain,
    strips,
  };
}

function toSquares(mm, { least, most, air }) {
  return Math.min(most, Math.max(least, Math.ceil((mm + air) / SQUARE) * SQUARE));
}

/** mm from the left edge at which a strip shows the time `s` of the window. */
export const xOf = (sheet, strip, s) => strip.x + (s - strip.from) * sheet.speed;

/** mm from the top edge at which a strip shows `mv`; its median lies on its baseline. */
export const yOf = (sheet, strip, mv) => strip.baseline - (mv - strip.level) * sheet.gain;

/** The trace of a strip as polylines [[x, y], ...] in mm: the pen is lifted where nothing was recorded. */
export function traceLines(sheet, strip, values) {
  const lines = [];
  let line = null;
  const stop = Math.min(values.length, Math.ceil(strip.to * sheet.fs));
  for (let i = Math.ceil(strip.from * sheet.fs); i < stop; i += 1) {
    if (Number.isNaN(values[i])) {
      line = null;
      continue;
    }
    if (!line) lines.push((line = []));
    line.push([xOf(sheet, strip, i / sheet.fs), yOf(sheet, strip, values[i])]);
  }
  return lines;
}

/** [x, y, class] (mm) just above the trace at each beat that a strip shows; none where the lead was not recorded. */
export function beatMarks(sheet, strip, values, beatsS, classes = []) {
  const marks = [];
  for (const [i, s] of beatsS.entries()) {
    if (s < strip.from || s >= strip.to) continue;
    const near = values
      .slice(Math.max(0, Math.round((s - MARK_SEARCH_S) * sheet.fs)), Math.round((s + MARK_SEARCH_S) * sheet.fs) + 1)
      .filter((v) => !Number.isNaN(v));
    if (near.length) marks.push([xOf(sheet, strip, s), yOf(sheet, strip, Math.max(...near)) - 1.5, classes[i] ?? NORMAL]);
  }
  return marks;
}

/** The strip that carries the clear beat marks: the rhythm strip, else the lead that was searched, else the first. */
export function mainStrip(sheet, beatLeads) {
  if (sheet.layout === "3x4+1") return sheet.strips.find((strip) => strip.row === COLUMNS_3X4[0].length);
  return (beatLeads.length === 1 && sheet.strips.find((strip) => strip.lead === beatLeads[0])) || sheet.strips[0];
}

/** {kind, x, width, top, bottom} (mm) of each [kind, onset, end] of a lead's waves that a strip shows, cut to it. */
export function waveBands(sheet, strip, waves = []) {
  return waves
    .filter(([, onset, end]) => end > strip.from && onset < strip.to)
    .map(([kind, onset, end]) => {
      const x = xOf(sheet, strip, Math.max(onset, strip.from));
      return {
        kind,
        x,
        width: xOf(sheet, strip, Math.min(end, strip.to)) - x,
        top: strip.baseline - strip.up * sheet.gain - BAND.air,
        bottom: strip.baseline + strip.down * sheet.gain + BAND.air,
      };
    });
}

/** What the signs on the paper mean: [sign, text] of those that are there. */
export function legendItems({ waves = {}, classes = [], spikes = [] }) {
  const kinds = new Set(Object.values(waves).flatMap((of) => of.map(([kind]) => kind)));
  const others = new Set(classes.filter((letter) => letter !== NORMAL));
  return [
    ...["p", "qrs", "t"].filter((kind) => kinds.has(kind)).map((kind) => [kind, WAVE_NAMES[kind]]),
    ...Object.keys(CLASS_NAMES).filter((letter) => others.has(letter)).map((letter) => [letter, CLASS_NAMES[letter]]),
    ...(spikes.length ? [["spike", "pacing spike"]] : []),
  ];
}

/** Where a strip's name stands (mm): at its start, above whatever the trace does there. */
export function labelSpot(sheet, strip, values) {
  const first = Math.ceil(strip.from * sheet.fs);
  const start = values.slice(first, first + Math.ceil((LABEL.width / sheet.speed) * sheet.fs));
  const top = Math.min(strip.baseline, ...start.filter((v) => !Number.isNaN(v)).map((v) => yOf(sheet, strip, v)));
  return [strip.x + LABEL.indent, Math.max(LABEL.size, Math.min(strip.baseline - LABEL.above, top - LABEL.air))];
}

/** The calibration pulse before a row, as one polyline in mm: 1 mV high and 0.2 s long. */
export function calibrationPulse(sheet, strip) {
  const length = PULSE_S * sheet.speed;
  const lead = Math.max(1, (LEFT - 4 - length) / 2);
  const [x, y, top] = [strip.x - 2 - length - lead, strip.baseline, strip.baseline - PULSE_MV * sheet.gain];
  return [[x - lead, y], [x, y], [x, top], [x + length, top], [x + length, y], [x + length + lead, y]];
}

/** {pxPerMm, width, height} of the canvas in device pixels, the same scale in both directions. */
export function fitSheet(sheet, containerPx, deviceRatio = 1) {
  const width = Math.round(Math.max(containerPx, MIN_PX_PER_MM * sheet.width) * deviceRatio);
  const pxPerMm = width / sheet.width;
  return { pxPerMm, width, height: Math.round(sheet.height * pxPerMm) };
}

/** How strongly the fine grid shows at a scale (CSS pixels a mm): dense lines would turn into a grey veil. */
export function fineOpacity(pxPerMm) {
  return Math.min(1, Math.max(0, (pxPerMm - FINE_FROM_PX) / (FINE_FULL_PX - FINE_FROM_PX)) * 0.7 + 0.3);
}

/** What the paper says at its foot. */
export function footerText(sheet, { note = "" } = {}) {
  return [`${sheet.speed} mm/s`, `${sheet.gain} mm/mV`, "unfiltered", note].filter(Boolean).join("  ·  ");
}

// ----------------------------------------------------------------------------------------------------------- drawing

const WAVE_NAMES = { p: "P", qrs: "QRS", t: "T" };
const CLASS_NAMES = { S: "supraventricular", V: "ventricular", F: "fusion", Q: "paced or unclassified" };

const INKS = {
  light: {
    p: "#0f8a6c", qrs: "#c77700", t: "#7a52c7", odd: "#b3261e",
    paper: "#fffdfb", fine: "rgba(208, 74, 74, 0.20)", heavy: "rgba(208, 74, 74, 0.46)",
    trace: "#14171c", text: "#14171c", quiet: "#5b616b", mark: "#0a5fc4", faint: "rgba(10, 95, 196, 0.55)",
  },
  dark: {
    p: "#3ecf9f", qrs: "#f0a93a", t: "#b292ff", odd: "#ff7a70",
    paper: "#11151a", fine: "rgba(255, 128, 116, 0.13)", heavy: "rgba(255, 128, 116, 0.30)",
    trace: "#e8f1ea", text: "#f2f5f3", quiet: "#a4adb8", mark: "#63b3ff", faint: "rgba(99, 179, 255, 0.6)",
  },
}; // prettier-ignore

/** Whether a CSS colour ("rgb(14, 17, 23)") is a dark background. */
export function isDark(color) {
  const [r, g, b] = (color.match(/[\d.]+/g) || ["255", "255", "255"]).map(Number);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b < 128;
}

/** Draw a sheet onto a canvas that `fitSheet` has sized. */
export function paint(canvas, sheet, view, { fit, deviceRatio, ink, font }) {
  const ctx = canvas.getContext("2d");
  const px = fit.pxPerMm;
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.fillStyle = ink.paper;
  ctx.fillRect(0, 0, fit.width, fit.height);
  paintGrid(ctx, sheet, fit, deviceRatio, ink);
  ctx.lineJoin = ctx.lineCap = "round";
  const stroke = (points, color, width) => {
    ctx.strokeStyle = color;
    ctx.lineWidth = width * deviceRatio;
    ctx.beginPath();
    points.forEach(([x, y], i) => (i ? ctx.lineTo(x * px, y * px) : ctx.moveTo(x * px, y * px)));
    if (points.length === 1) ctx.lineTo(points[0][0] * px, points[0][1] * px);
    ctx.stroke();
  };
  // Before the traces: a label never covers a wave.
  ctx.font = `600 ${LABEL.size * px}px ${font}`;
  ctx.fillStyle = ink.text;
  for (const strip of sheet.strips) {
    const [x, y] = labelSpot(sheet, strip, view.samples[view.leads.indexOf(strip.lead)]);
    halo(ctx, strip.lead, x * px, y * px, ink, px);
  }
  const main = mainStrip(sheet, view.beatLeads);
  for (const strip of sheet.strips) paintBands(ctx, px, waveBands(sheet, strip, view.waves?.[strip.lead]), ink);
  const pen = Math.min(1.6, Math.max(1, (px / deviceRatio) * 0.3));
  for (const strip of sheet.strips) {
    const values = view.samples[view.leads.indexOf(strip.lead)];
    if (strip.first) stroke(calibrationPulse(sheet, strip), ink.trace, pen);
    else stroke([[strip.x, strip.baseline - 3], [strip.x, strip.baseline + 3]], ink.quiet, 1);
    ctx.save();
    ctx.beginPath();
    ctx.rect(strip.x * px - pen, 0, strip.width * px + 2 * pen, (sheet.height - FOOTER + 2) * px);
    ctx.clip();
    for (const line of traceLines(sheet, strip, values)) stroke(line, ink.trace, pen);
    ctx.restore();
    const marks = beatMarks(sheet, strip, values, view.beats, view.classes);
    if (strip === main) paintMarks(ctx, px, marks, { ink, font });
    else paintDots(ctx, px, marks, ink);
  }
  if (main) paintSpikes(ctx, px, sheet, main, view.spikes ?? [], ink);
  const size = Math.max(2.7 * px, 10 * deviceRatio);
  ctx.textBaseline = "middle";
  paintLegend(ctx, sheet, legendItems(view), { px, ink, font, size });
  ctx.font = `${size}px ${font}`;
  ctx.fillStyle = ink.quiet;
  halo(ctx, footerText(sheet, view), LEFT * px, (sheet.height - FOOTER / 2) * px, ink, 4 * deviceRatio);
}

function paintGrid(ctx, sheet, fit, deviceRatio, ink) {
  const px = fit.pxPerMm;
  const line = Math.max(1, Math.round(deviceRatio));
  const draw = (step, skip, color) => {
    ctx.fillStyle = color;
    for (let mm = 0; mm <= sheet.width; mm += step)
      if (!skip || mm % skip) ctx.fillRect(Math.round(mm * px) - (line >> 1), 0, line, fit.height);
    for (let mm = 0; mm <= sheet.height; mm += step)
      if (!skip || mm % skip) ctx.fillRect(0, Math.round(mm * px) - (line >> 1), fit.width, line);
  };
  ctx.globalAlpha = fineOpacity(px / deviceRatio);
  draw(1, SQUARE, ink.fine);
  ctx.globalAlpha = 1;
  draw(SQUARE, 0, ink.heavy);
}

/** A tinted band behind each wave, with a solid foot that still tells where it ends when bands meet. */
function paintBands(ctx, px, bands, ink) {
  for (const { kind, x, width, top, bottom } of bands) {
    ctx.fillStyle = ink[kind];
    ctx.globalAlpha = 0.13;
    ctx.fillRect(x * px, top * px, width * px, (bottom - top) * px);
    ctx.globalAlpha = 0.85;
    ctx.fillRect(x * px, bottom * px, width * px, BAND.foot * px);
  }
  ctx.globalAlpha = 1;
}

/** Normal beats are triangles; the others their letter, in a colour of their own. */
function paintMarks(ctx, px, marks, { ink, font }) {
  const size = 1.5 * px;
  ctx.save();
  ctx.font = `700 ${3 * px}px ${font}`;
  ctx.textAlign = "center";
  for (const [x, y, letter] of marks) {
    ctx.fillStyle = letter === NORMAL ? ink.mark : ink.odd;
    if (letter === NORMAL) {
      ctx.beginPath();
      ctx.moveTo(x * px, y * px);
      ctx.lineTo(x * px - size * 0.75, y * px - size * 1.3);
      ctx.lineTo(x * px + size * 0.75, y * px - size * 1.3);
      ctx.fill();
    } else halo(ctx, letter, x * px, y * px, ink, px);
  }
  ctx.restore();
}

function paintDots(ctx, px, marks, ink) {
  ctx.fillStyle = ink.faint;
  for (const [x, y] of marks) {
    ctx.beginPath();
    ctx.arc(x * px, y * px, 0.55 * px, 0, 2 * Math.PI);
    ctx.fill();
  }
}

/** Short upright lines under the trace, where pacing spikes were found. */
function paintSpikes(ctx, px, sheet, strip, spikesS, ink) {
  ctx.fillStyle = ink.odd;
  const top = strip.baseline + strip.down * sheet.gain + BAND.air + 1.5;
  for (const s of spikesS)
    if (s >= strip.from && s < strip.to) ctx.fillRect(xOf(sheet, strip, s) * px, top * px, Math.max(1, 0.4 * px), 3 * px);
}

/** The legend, right-aligned at the foot of the paper. */
function paintLegend(ctx, sheet, items, { px, ink, font, size }) {
  const y = (sheet.height - FOOTER / 2) * px;
  let x = (sheet.width - RIGHT) * px;
  for (const [sign, text] of [...items].reverse()) {
    ctx.font = `${size}px ${font}`;
    x -= ctx.measureText(text).width;
    ctx.fillStyle = ink.quiet;
    halo(ctx, text, x, y, ink, size / 3);
    x -= size * 1.25;
    ctx.fillStyle = ink[sign] ?? ink.odd;
    if (sign in WAVE_NAMES) ctx.fillRect(x, y - size * 0.4, size * 0.8, size * 0.8);
    else if (sign === "spike") ctx.fillRect(x + size * 0.4, y - size * 0.5, Math.max(1, 0.4 * px), size);
    else {
      ctx.font = `700 ${size}px ${font}`;
      halo(ctx, sign, x, y, ink, size / 3);
    }
    x -= size * 1.1;
  }
}

function halo(ctx, text, x, y, ink, width) {
  ctx.strokeStyle = ink.paper;
  ctx.lineWidth = width;
  ctx.strokeText(text, x, y);
  ctx.fillText(text, x, y);
}

// --------------------------------------------------------------------------------------------------------- component

class PaperView {
  constructor(root) {
    this.canvas = root.querySelector("canvas");
    this.frame = this.canvas.parentElement;
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(this.frame);
    // The canvas inherits the theme's text colour with a transition: its end tells that the theme has changed.
    this.canvas.addEventListener("transitionend", () => this.draw());
  }

  update(data) {
    const samples = decodeSamples(data.samples, data.leads.length);
    this.view = { ...data, samples, beatLeads: data.beat_leads };
    this.sheet = planSheet({ ...this.view });
    this.canvas.setAttribute("aria-label", data.description);
    this.draw();
  }

  draw() {
    if (!this.sheet || !this.frame.clientWidth) return;
    const deviceRatio = globalThis.devicePixelRatio || 1;
    const fit = fitSheet(this.sheet, this.frame.clientWidth, deviceRatio);
    Object.assign(this.canvas, { width: fit.width, height: fit.height });
    Object.assign(this.canvas.style, { width: `${fit.width / deviceRatio}px`, height: `${fit.height / deviceRatio}px` });
    const style = getComputedStyle(this.frame);
    const ink = INKS[isDark(style.backgroundColor) ? "dark" : "light"];
    paint(this.canvas, this.sheet, this.view, { fit, deviceRatio, ink, font: style.fontFamily });
    this.canvas.dataset.pxPerMm = fit.pxPerMm / deviceRatio;
  }

  destroy() {
    this.observer.disconnect();
  }
}

const views = new WeakMap();

export default function ecgPaper({ data, parentElement }) {
  if (!views.has(parentElement)) views.set(parentElement, new PaperView(parentElement));
  views.get(parentElement).update(data);
  return () => {
    views.get(parentElement)?.destroy();
    views.delete(parentElement);
  };
}
