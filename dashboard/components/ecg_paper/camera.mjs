// From millimetres of paper to pixels of a screen: one scale in both directions, at any size.

import { SQUARE } from "./geometry.mjs";

export const MIN_PX_PER_MM = 2.4; // under this the paper scrolls sideways instead of shrinking further
export const MAX_PX_PER_MM = 40;
export const ZOOM_STEP = 1.25;
export const CARD_MM = 85.6; // width of a bank card (ISO/IEC 7810 ID-1): what a screen is measured with
const FINE_FROM_PX = 2; // fine lines fade in between these two scales
const FINE_FULL_PX = 4;

/** The nearest scale not above `pxPerMm` at which a heavy square is a whole number of device pixels: an even grid. */
export function evenScale(pxPerMm, deviceRatio = 1) {
  return Math.max(1, Math.floor(SQUARE * pxPerMm * deviceRatio + 1e-6)) / SQUARE / deviceRatio;
}

/** CSS pixels a mm at which a sheet fills a width, and a height where one is given. */
export function fitScale(sheet, widthPx, deviceRatio = 1, heightPx = Infinity) {
  const wanted = Math.min(widthPx / sheet.width, heightPx / sheet.height);
  return evenScale(Math.max(MIN_PX_PER_MM, wanted) + 1e-9, deviceRatio);
}

/** The next scale when zooming by `factor`, even, and always another one unless the limit is reached. */
export function zoomScale(pxPerMm, factor, deviceRatio = 1) {
  const step = 1 / SQUARE / deviceRatio;
  const wanted = evenScale(pxPerMm * factor, deviceRatio);
  const moved = factor > 1 ? Math.max(wanted, evenScale(pxPerMm, deviceRatio) + step) : wanted;
  return Math.min(MAX_PX_PER_MM, Math.max(1, moved));
}

/** How strongly the fine grid shows at a scale (CSS pixels a mm): dense lines would turn into a grey veil. */
export function fineOpacity(pxPerMm) {
  return Math.min(1, Math.max(0, (pxPerMm - FINE_FROM_PX) / (FINE_FULL_PX - FINE_FROM_PX)) * 0.7 + 0.3);
}

/** {width, height} of the view (CSS px) on a sheet: all of it where there is room, else a window to look through. */
export function viewSize(sheet, pxPerMm, widthPx, heightPx) {
  return { width: widthPx, height: Math.min(Math.ceil(sheet.height * pxPerMm), Math.ceil(heightPx)) };
}

/** What of a sheet a view shows, in mm: {left, top, right, bottom}. */
export function shownMm({ pxPerMm, left, top, width, height }) {
  return { left: left / pxPerMm, top: top / pxPerMm, right: (left + width) / pxPerMm, bottom: (top + height) / pxPerMm };
}

/** Scroll offset after a change of scale that keeps the place under `at` (px from the view's edge) where it is. */
export function scrollKeeping(offset, at, before, after) {
  return Math.max(0, ((offset + at) / before) * after - at);
}

/** How large a view is against paper, in percent; null where the screen's density is not known. */
export function truePercent(pxPerMm, screenPxPerMm) {
  return screenPxPerMm ? (100 * pxPerMm) / screenPxPerMm : null;
}
