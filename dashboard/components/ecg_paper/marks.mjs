// What is laid over the traces: beats, waves, pacing spikes, poor leads, and how much each stretch weighed for a model.

import { indexAt, stripOf, xOf, yOf } from "./geometry.mjs";

const MARK_SEARCH_S = 0.06;
const NEAR_BEAT_S = 0.3;
export const NORMAL = "N"; // beats of any other class carry their letter
const BAND_AIR = 1.5; // mm that a wave's band reaches beyond the trace
const LEAST_HEAT = 0.04; // of the highest: weaker stretches stay clear

export const CLASS_NAMES = { N: "normal", S: "supraventricular", V: "ventricular", F: "fusion", Q: "paced or unclassified" };
export const WAVE_NAMES = { p: "P", qrs: "QRS", t: "T" };
export const OVERLAYS = {
  peaks: "R peaks",
  classes: "Beat classes",
  waves: "P, QRS and T",
  spikes: "Pacing spikes",
  reference: "Reference beats",
  quality: "Poor leads",
  heat: "Attribution",
};

/** Names of the overlays that a view has something to show for. */
export function overlaysOf(view) {
  const has = {
    peaks: view.beats.length,
    classes: view.classes.length,
    waves: Object.values(view.waves).some((of) => of.length),
    spikes: view.spikes.length,
    reference: view.reference.length,
    quality: Object.values(view.quality).some(({ verdict }) => verdict !== "good"),
    heat: view.heat !== null,
  };
  return Object.keys(OVERLAYS).filter((name) => has[name]);
}

/** [x, y, class, index] (mm) just above the trace at each beat that a strip shows; none where nothing was recorded. */
export function beatMarks(sheet, strip, values, beatsS, classes = []) {
  const marks = [];
  for (const [i, s] of beatsS.entries()) {
    if (s < strip.from || s >= strip.to) continue;
    const near = values
      .slice(indexAt(sheet, s - MARK_SEARCH_S), indexAt(sheet, s + MARK_SEARCH_S) + 1)
      .filter((v) => !Number.isNaN(v));
    if (near.length) marks.push([xOf(sheet, strip, s), yOf(sheet, strip, Math.max(...near)) - 1.5, classes[i] ?? NORMAL, i]);
  }
  return marks;
}

/** Index of the beat nearest to a time, within 0.3 s; null for none. */
export function beatNear(beatsS, s) {
  let best = null;
  for (const [i, time] of beatsS.entries())
    if (Math.abs(time - s) <= NEAR_BEAT_S && (best === null || Math.abs(time - s) < Math.abs(beatsS[best] - s))) best = i;
  return best;
}

/** Index of the next (`by` = 1) or previous (-1) beat from a time within [from, to); null for none. */
export function beatAfter(beatsS, s, by, [from, to]) {
  const found = beatsS
    .map((time, i) => [time, i])
    .filter(([time]) => time >= from && time < to && (by > 0 ? time > s + 1e-6 : time < s - 1e-6));
  return (by > 0 ? found[0] : found.at(-1))?.[1] ?? null;
}

/** The strip that carries the clear beat marks: a strip as long as the sheet, else a lead that was searched, else the first. */
export function mainStrip(sheet, beatLeads) {
  const long = sheet.strips.find((strip) => strip.long);
  const searched = beatLeads.length === 1 ? stripOf(sheet, beatLeads[0], sheet.from) : undefined;
  return long ?? searched ?? sheet.strips[0];
}

/** {top, bottom} of what a strip's trace reaches, in mm, with a little air. */
export function traceReach(sheet, strip) {
  return {
    top: strip.baseline - strip.up * sheet.gain - BAND_AIR,
    bottom: strip.baseline + strip.down * sheet.gain + BAND_AIR,
  };
}

/** {kind, x, width, top, bottom} (mm) of each [kind, onset, end] of a lead's waves that a strip shows, cut to it. */
export function waveBands(sheet, strip, waves = []) {
  return waves
    .filter(([, onset, end]) => end > strip.from && onset < strip.to)
    .map(([kind, onset, end]) => {
      const x = xOf(sheet, strip, Math.max(onset, strip.from));
      return { kind, x, width: xOf(sheet, strip, Math.min(end, strip.to)) - x, ...traceReach(sheet, strip) };
    });
}

/** {x, width, weight} (mm; weight -1 to 1) of the stretches of a strip that weighed, of {start, step, leads}. */
export function heatCells(sheet, strip, heat) {
  const weights = heat?.leads[strip.lead] ?? [];
  const highest = heat ? highestWeight(heat) : 0;
  const cells = [];
  weights.forEach((weight, i) => {
    const [from, to] = [heat.start + i * heat.step, heat.start + (i + 1) * heat.step];
    if (!highest || to <= strip.from || from >= strip.to || Math.abs(weight) < LEAST_HEAT * highest) return;
    const x = xOf(sheet, strip, Math.max(from, strip.from));
    cells.push({ x, width: xOf(sheet, strip, Math.min(to, strip.to)) - x, weight: weight / highest });
  });
  return cells;
}

const highestWeight = (heat) => Math.max(0, ...Object.values(heat.leads).map((of) => of.reduce((a, w) => Math.max(a, Math.abs(w)), 0)));

/** What the signs on the paper mean, of the overlays that are on: [sign, text] of those that are there. */
export function legendItems(view, shown) {
  const items = [];
  if (shown.has("waves")) {
    const kinds = new Set(Object.values(view.waves).flatMap((of) => of.map(([kind]) => kind)));
    items.push(...Object.keys(WAVE_NAMES).filter((kind) => kinds.has(kind)).map((kind) => [kind, WAVE_NAMES[kind]]));
  }
  if (shown.has("classes")) {
    const letters = Object.keys(CLASS_NAMES).filter((letter) => letter !== NORMAL && view.classes.includes(letter));
    items.push(...letters.map((letter) => [letter, CLASS_NAMES[letter]]));
  }
  if (shown.has("spikes") && view.spikes.length) items.push(["spike", "pacing spike"]);
  if (shown.has("reference") && view.reference.length) items.push(["reference", "reference beat"]);
  if (shown.has("quality")) {
    const verdicts = new Set(Object.values(view.quality).map(({ verdict }) => verdict));
    items.push(...["usable", "poor"].filter((verdict) => verdicts.has(verdict)).map((verdict) => [verdict, `${verdict} lead`]));
  }
  if (shown.has("heat") && view.heat) {
    items.push(["for", view.heat.label ? `for ${view.heat.label}` : "for"]);
    if (Object.values(view.heat.leads).some((of) => of.some((weight) => weight < 0))) items.push(["against", "against"]);
  }
  return items;
}
