// Pictures to keep: what the view shows, with its physical size in the file, so that a print has true millimetres.

import { drawHand, drawPaper } from "./drawing.mjs";
import { CanvasPen, SvgPen, fitCanvas } from "./pens.mjs";

const PRINT_PX_PER_MM = 12; // about 300 dots an inch
const MAX_SIDE = 12000; // device pixels that browsers still give a canvas
const PNG_HEADER = 33; // signature and IHDR: what must come before pHYs

/** Device pixels a CSS pixel for a picture of a view: fit for print, never coarser than the screen. */
export function pictureRatio({ pxPerMm, width, height, foot }, deviceRatio) {
  return Math.min(Math.max(deviceRatio, PRINT_PX_PER_MM / pxPerMm), MAX_SIDE / Math.max(width, height + foot));
}

/** A PNG with its pixels a metre stated (chunk pHYs). */
export function withDensity(png, pxPerMm) {
  const chunk = new DataView(new ArrayBuffer(21));
  chunk.setUint32(0, 9);
  [0x70, 0x48, 0x59, 0x73].forEach((byte, i) => chunk.setUint8(4 + i, byte));
  chunk.setUint32(8, Math.round(1000 * pxPerMm));
  chunk.setUint32(12, Math.round(1000 * pxPerMm));
  chunk.setUint8(16, 1);
  chunk.setUint32(17, crc32(new Uint8Array(chunk.buffer, 4, 13)));
  const whole = new Uint8Array(png.length + 21);
  whole.set(png.subarray(0, PNG_HEADER));
  whole.set(new Uint8Array(chunk.buffer), PNG_HEADER);
  whole.set(png.subarray(PNG_HEADER), PNG_HEADER + 21);
  return whole;
}

/** The checksum of a PNG chunk (ISO 3309). */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** A file name made of what the caller calls the recording and what is shown of it. */
export function pictureName(title, sheet, suffix) {
  const stem = (title || "ecg").replace(/[^\w.-]+/g, "_").replace(/^[._]+|[._]+$/g, "").slice(0, 80) || "ecg";
  return `${stem}_${sheet.from.toFixed(1)}-${sheet.to.toFixed(1)}s.${suffix}`;
}

/** Hand a file to the reader. */
function download(bytes, type, name) {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Draw what a paper shows, calipers and selection with it, but not where the pointer is. */
function drawAll(pen, { sheet, record, hand }, scene) {
  drawPaper(pen, sheet, record, scene);
  const { calipers, active, march, lead, beat, window } = hand;
  drawHand(pen, sheet, record, { calipers, active, march, lead, beat, window, cursor: null }, scene);
}

/** Hand over what a paper shows as a picture. */
export async function savePng(paper, scene) {
  const { view, font } = scene;
  const ratio = pictureRatio(view, scene.ratio);
  const canvas = document.createElement("canvas");
  fitCanvas(canvas, view, ratio);
  drawAll(new CanvasPen(canvas, { ratio, font }), paper, { ...scene, ratio });
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  const png = withDensity(new Uint8Array(await blob.arrayBuffer()), view.pxPerMm * ratio);
  download(png, "image/png", pictureName(paper.record.title, paper.sheet, "png"));
}

/** Hand over what a paper shows as a drawing. */
export function saveSvg(paper, scene) {
  const { view, font } = scene;
  const pen = new SvgPen({ font, measure: new CanvasPen(document.createElement("canvas"), { ratio: 1, font }) });
  drawAll(pen, paper, { ...scene, ratio: pictureRatio(view, scene.ratio) });
  const { title, description } = paper.record;
  const text = pen.document(view.width, view.height + view.foot, view.pxPerMm, { title: title || "ECG", description });
  download(text, "image/svg+xml", pictureName(title, paper.sheet, "svg"));
}
