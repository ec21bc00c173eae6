// What is on the paper: the samples of a window, and what was found in it.

import { decodeSamples } from "./geometry.mjs";

/** What Python sends, with its samples decoded; those of `before` are kept where they are the same. */
export function readRecord(data, before) {
  const same = before && before.packed === data.samples && before.leads.length === data.leads.length;
  return {
    id: data.record,
    packed: data.samples,
    samples: same ? before.samples : decodeSamples(data.samples, data.leads.length),
    leads: data.leads,
    fs: data.fs,
    start: data.start_s,
    duration: data.duration_s,
    beats: data.beats,
    beatOffset: data.beat_offset,
    classes: data.classes,
    beatLeads: data.beat_leads,
    waves: data.waves,
    spikes: data.spikes,
    reference: data.reference,
    quality: data.quality,
    heat: data.heat && { start: data.heat.start_s, step: data.heat.step_s, leads: data.heat.leads, label: data.heat.label },
    overview: data.overview ? decodeSamples(data.overview, 1)[0] : null,
    filter: data.filter,
    note: data.note,
    title: data.title,
    description: data.description,
  };
}
