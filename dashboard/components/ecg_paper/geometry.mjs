// ECG paper in millimetres: which lead stands where, and what a place on the sheet means in seconds and millivolts.
//
// Times are seconds from the first sample of the recording. A strip's median lies on its baseline, whatever its offset.

export const STANDARD_12 = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];
export const RHYTHM_LEAD = "II";
export const SPEEDS = [12.5, 25, 50]; // mm/s
export const GAINS = [5, 10, 20]; // mm/mV
export const SQUARE = 5; // mm between the heavy lines

const GRIDS = {
  "3x4+1": [["I", "II", "III"], ["aVR", "aVL", "aVF"], ["V1", "V2", "V3"], ["V4", "V5", "V6"]],
  "6x2": [["I", "II", "III", "aVR", "aVL", "aVF"], ["V1", "V2", "V3", "V4", "V5", "V6"]],
}; // prettier-ignore
const PAGE_S = 10; // what a grid of columns shows in all
const MIN_GRID_S = 5; // shorter windows are not cut into columns
const LEFT = 15; // mm before the traces: the calibration pulse stands here
const RIGHT = 5;
const MIN_WIDTH = 270; // mm: 10 s at 25 mm/s and the margins; shorter recordings leave the rest of the paper blank
const PULSE_S = 0.2;
const PULSE_MV = 1;
const ROW_GAP = { least: 20, most: 45, air: 4 }; // mm between baselines
const HEADROOM = { least: 15, most: 35, air: 8 }; // mm above the first baseline
const FOOTROOM = { least: 10, most: 25, air: 2 }; // mm below the last baseline
const LABEL = { indent: 1.2, above: 8, air: 4, size: 3.4, width: 6.5 }; // mm
const NEARLY = 1e-6; // seconds: times that differ by less are the same sample

/** Little-endian float32 samples in base64, lead after lead -> one Float32Array a lead (mV, NaN where not recorded). */
export function decodeSamples(base64, nLeads) {
  const bytes = Uint8Array.from(atob(base64), (ch) => ch.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const n = nLeads ? Math.floor(bytes.length / 4 / nLeads) : 0;
  return Array.from({ length: nLeads }, (_, lead) =>
    Float32Array.from({ length: n }, (_, i) => view.getFloat32(4 * (lead * n + i), true)),
  );
}

/** Names of the layouts that these leads can be shown in, the customary first. */
export function layoutsFor(leads, durationS) {
  const grids = durationS >= MIN_GRID_S && STANDARD_12.every((name) => leads.includes(name)) ? Object.keys(GRIDS) : [];
  return leads.length > 1 ? [...grids, "12x1", "strip"] : ["strip"];
}

/** Seconds that one sheet of a layout shows of a window. */
export function pageSeconds(layout, durationS) {
  return layout in GRIDS ? Math.min(PAGE_S, durationS) : durationS;
}

/** Rows of {lead, from, to}: which lead is drawn over which seconds. `lead` is that of the single strip. */
export function arrangeRows(layout, leads, from, durationS, lead) {
  const to = from + durationS;
  if (layout === "strip") return leads.length ? [[{ lead: leads.includes(lead) ? lead : rhythmLead(leads), from, to }]] : [];
  if (!(layout in GRIDS)) return leads.map((name) => [{ lead: name, from, to }]);
  const columns = GRIDS[layout];
  const columnS = durationS / columns.length;
  const rows = columns[0].map((_, row) =>
    columns.map((column, k) => ({ lead: column[row], from: from + k * columnS, to: from + (k + 1) * columnS })),
  );
  const rhythm = layout === "3x4+1" ? [rhythmLead(leads)] : [];
  const rest = leads.filter((name) => !STANDARD_12.includes(name));
  return [...rows, ...[...rhythm, ...rest].map((name) => [{ lead: name, from, to, long: true }])];
}

const rhythmLead = (leads) => (leads.includes(RHYTHM_LEAD) ? RHYTHM_LEAD : leads[0]);

/** {level, up, down}: median, and how far the samples from index `first` up to `stop` reach above and below it (mV). */
export function measureStretch(values, first, stop) {
  const known = values.slice(first, stop).filter((v) => !Number.isNaN(v)).sort();
  if (!known.length) return { level: 0, up: 0, down: 0 };
  const level = known[known.length >> 1];
  return { level, up: known[known.length - 1] - level, down: level - known[0] };
}

/** Index of the first sample at or after a time. */
export const indexAt = (sheet, s) => Math.max(0, Math.ceil((s - sheet.start - NEARLY) * sheet.fs));

/** The whole sheet in mm: its size, and for each strip where it stands. `samples` is one array (mV) a lead from `start`. */
export function planSheet({ leads, samples, fs, start = 0, from = start, speed = 25, gain = 10, layout: wanted, lead }) {
  const loadedS = samples.length ? samples[0].length / fs : 0;
  const layouts = layoutsFor(leads, loadedS);
  const layout = layouts.includes(wanted) ? wanted : layouts[0];
  const shownS = Math.min(pageSeconds(layout, loadedS), start + loadedS - from);
  const sheet = { layout, fs, start, from, to: from + shownS, speed, gain };
  const rows = arrangeRows(layout, leads, from, shownS, lead).map((row) =>
    row.map((part) => {
      const values = samples[leads.indexOf(part.lead)];
      return { ...part, ...measureStretch(values, indexAt(sheet, part.from), indexAt(sheet, part.to)) };
    }),
  );
  const reach = (row, side) => gain * Math.max(...row.map((part) => part[side]));
  const strips = [];
  let baseline = 0;
  rows.forEach((row, r) => {
    const above = r
      ? toSquares(reach(rows[r - 1], "down") + reach(row, "up"), ROW_GAP)
      : toSquares(reach(row, "up"), HEADROOM);
    baseline += above;
    const below = r + 1 < rows.length
      ? toSquares(reach(row, "down") + reach(rows[r + 1], "up"), ROW_GAP) / 2
      : toSquares(reach(row, "down"), FOOTROOM);
    const [top, bottom] = [baseline - (r ? above / 2 : above), baseline + below];
    for (const part of row) {
      const x = LEFT + (part.from - row[0].from) * speed;
      const width = (part.to - part.from) * speed;
      strips.push({ ...part, row: r, x, width, baseline, top, bottom, first: part === row[0] });
    }
  });
  const widest = Math.max(0, ...strips.map((strip) => strip.x + strip.width));
  return {
    ...sheet,
    strips,
    width: Math.max(MIN_WIDTH, Math.ceil((widest + RIGHT) / SQUARE - NEARLY) * SQUARE),
    height: strips.length ? strips.at(-1).bottom : 0,
  };
}

function toSquares(mm, { least, most, air }) {
  return Math.min(most, Math.max(least, Math.ceil((mm + air) / SQUARE) * SQUARE));
}

/** mm from the left edge at which a strip shows a time. */
export const xOf = (sheet, strip, s) => strip.x + (s - strip.from) * sheet.speed;

/** mm from the top edge at which a strip shows `mv`; its median lies on its baseline. */
export const yOf = (sheet, strip, mv) => strip.baseline - (mv - strip.level) * sheet.gain;

/** The time that a strip shows at `x` mm, kept within the strip. */
export const timeAt = (sheet, strip, x) => Math.min(strip.to, Math.max(strip.from, strip.from + (x - strip.x) / sheet.speed));

/** The mV that a strip shows at `y` mm. */
export const mvAt = (sheet, strip, y) => strip.level + (strip.baseline - y) / sheet.gain;

/** The sample nearest to a time (mV); NaN where nothing was recorded. */
export function valueAt(sheet, values, s) {
  return values[Math.min(values.length - 1, Math.max(0, Math.round((s - sheet.start) * sheet.fs)))] ?? NaN;
}

/** The strip meant by a place on the sheet: its trace or its baseline is the nearest in that column. */
export function stripAt(sheet, x, y, valuesOf) {
  let best = null;
  let least = Infinity;
  for (const strip of sheet.strips) {
    if (x < strip.x - (strip.first ? LEFT : 0) || (x >= strip.x + strip.width && !isLastOfRow(sheet, strip))) continue;
    const mv = valueAt(sheet, valuesOf(strip), timeAt(sheet, strip, x));
    const trace = Number.isNaN(mv) ? Infinity : Math.abs(y - yOf(sheet, strip, mv));
    const distance = Math.min(Math.abs(y - strip.baseline), trace);
    if (distance < least) [best, least] = [strip, distance];
  }
  return best;
}

const isLastOfRow = (sheet, strip) => sheet.strips.every((other) => other.row !== strip.row || other.x <= strip.x);

/** The strip of a lead that shows a time: the one in row `row` where there are several, else the first. */
export function stripOf(sheet, lead, s, row) {
  const showing = sheet.strips.filter((strip) => strip.lead === lead && s >= strip.from - NEARLY && s <= strip.to + NEARLY);
  return showing.find((strip) => strip.row === row) ?? showing[0];
}

/** The trace of a strip as polylines [[x, y], ...] in mm: the pen is lifted where nothing was recorded.
 *
 * At `perMm` points across (device pixels), denser samples are thinned to the lowest and the highest of each column,
 * at their own times: no peak is lost or moved. Only what lies between `left` and `right` mm is returned.
 */
export function traceLines(sheet, strip, values, { perMm = Infinity, left = -Infinity, right = Infinity } = {}) {
  const margin = 1 / sheet.fs;
  const from = Math.max(strip.from, strip.from + (left - strip.x) / sheet.speed - margin);
  const to = Math.min(strip.to, strip.from + (right - strip.x) / sheet.speed + 2 * margin);
  const stop = Math.min(values.length, indexAt(sheet, to));
  const bucket = Math.max(1, Math.floor(sheet.fs / (sheet.speed * perMm)));
  const lines = [];
  let line = null;
  const add = (i) => line.push([xOf(sheet, strip, sheet.start + i / sheet.fs), yOf(sheet, strip, values[i])]);
  for (let i = indexAt(sheet, from); i < stop; ) {
    if (Number.isNaN(values[i])) {
      line = null;
      i += 1;
      continue;
    }
    if (!line) lines.push((line = []));
    let [low, high, end] = [i, i, i + 1];
    for (; end < Math.min(stop, i + bucket) && !Number.isNaN(values[end]); end += 1) {
      if (values[end] < values[low]) low = end;
      if (values[end] > values[high]) high = end;
    }
    add(Math.min(low, high));
    if (low !== high) add(Math.max(low, high));
    i = end;
  }
  return lines;
}

/** Where a strip's name stands (mm, bottom left of the text): above what the trace does at its start. */
export function labelSpot(sheet, strip, values) {
  const first = indexAt(sheet, strip.from);
  const start = values.slice(first, first + Math.ceil((LABEL.width / sheet.speed) * sheet.fs));
  const top = Math.min(strip.baseline, ...start.filter((v) => !Number.isNaN(v)).map((v) => yOf(sheet, strip, v)));
  const usual = Math.max(strip.baseline - LABEL.above, strip.top + LABEL.size);
  return [strip.x + LABEL.indent, Math.max(LABEL.size, Math.min(usual, top - LABEL.air))];
}

export const LABEL_MM = LABEL.size;

/** The calibration pulse before a row, as one polyline in mm: 1 mV high and 0.2 s long. */
export function calibrationPulse(sheet, strip) {
  const length = PULSE_S * sheet.speed;
  const lead = Math.max(0.5, (LEFT - 4 - length) / 2);
  const [x, y, top] = [strip.x - 2 - length - lead, strip.baseline, strip.baseline - PULSE_MV * sheet.gain];
  return [[x - lead, y], [x, y], [x, top], [x + length, top], [x + length, y], [x + length + lead, y]];
}

/** {mm, s, mv}: a bar that suits a scale (CSS pixels a mm), and what it stands for. */
export function scaleBar(sheet, pxPerMm) {
  const mm = pxPerMm > 24 ? 1 : pxPerMm < 2.4 ? 10 : SQUARE;
  return { mm, s: mm / sheet.speed, mv: mm / sheet.gain };
}
