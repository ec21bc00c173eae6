// Words for what is shown: the read-out, and the text that stands for the drawing where it cannot be seen.

import { indexAt } from "./geometry.mjs";
import { CLASS_NAMES } from "./marks.mjs";

const minus = (text) => text.replace("-", "−");

/** A time as a clock shows it: 0:05, 12:30, 1:02:03. */
export function clockText(s) {
  const whole = Math.floor(s + 1e-6);
  const [h, m, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, String(whole % 60).padStart(2, "0")];
  return h ? `${h}:${String(m).padStart(2, "0")}:${rest}` : `${m}:${rest}`;
}

/** Lead, time and voltage at a place. */
export function readingText(lead, s, mv) {
  return `${lead} · ${s.toFixed(3)} s · ${Number.isNaN(mv) ? "not recorded" : minus(`${mv.toFixed(2)} mV`)}`;
}

/** What a beat is: its number, time and class. */
export function beatText(record, index) {
  const letter = record.classes[index];
  return `beat ${record.beatOffset + index + 1} at ${record.beats[index].toFixed(3)} s${letter ? `, ${CLASS_NAMES[letter] ?? letter}` : ""}`;
}

/** One row for each lead of a sheet: [lead, seconds, lowest to highest mV, quality]. */
export function leadRows(sheet, record) {
  return sheet.strips.map((strip) => {
    const values = record.samples[record.leads.indexOf(strip.lead)];
    const known = values.slice(indexAt(sheet, strip.from), indexAt(sheet, strip.to)).filter((v) => !Number.isNaN(v));
    let [low, high] = [Infinity, -Infinity];
    for (const v of known) [low, high] = [Math.min(low, v), Math.max(high, v)];
    const { verdict, reasons = [] } = record.quality[strip.lead] ?? {};
    return [
      strip.lead,
      `${strip.from.toFixed(1)} to ${strip.to.toFixed(1)} s`,
      known.length ? minus(`${low.toFixed(2)}`) + minus(` to ${high.toFixed(2)} mV`) : "not recorded",
      [verdict ?? "not judged", ...reasons].join("; "),
    ];
  });
}

/** The beats of a sheet in a sentence. */
export function beatsText(sheet, record) {
  const shown = record.beats.map((s, i) => [s, record.classes[i]]).filter(([s]) => s >= sheet.from && s < sheet.to);
  if (!shown.length) return "No beats are marked here.";
  const times = shown.map(([s, letter]) => `${s.toFixed(2)}${letter && letter !== "N" ? ` (${CLASS_NAMES[letter] ?? letter})` : ""}`);
  return `Beats at ${times.join(", ")} seconds.`;
}

/** What stands for the drawing where it cannot be seen: a table of the leads, and the beats. */
export function tellSheet(sheet, record) {
  const table = document.createElement("table");
  const scale = `${sheet.layout}, ${sheet.speed} mm/s, ${sheet.gain} mm/mV`;
  table.createCaption().textContent = `${record.description}. Shown: ${scale}.`;
  const head = table.createTHead().insertRow();
  for (const name of ["Lead", "Time", "Range", "Quality"])
    head.append(Object.assign(document.createElement("th"), { textContent: name, scope: "col" }));
  const body = table.createTBody();
  for (const cells of leadRows(sheet, record)) {
    const row = body.insertRow();
    for (const text of cells) row.insertCell().textContent = text;
  }
  return [table, Object.assign(document.createElement("p"), { textContent: beatsText(sheet, record) })];
}
