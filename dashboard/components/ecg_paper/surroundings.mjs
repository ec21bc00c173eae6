// What the paper lies in: the theme of the page, and the screen that it is seen on.

import { INKS, isDark } from "./drawing.mjs";

const DENSITY_KEY = "einthoven.pxPerMm"; // what the reader measured, for this screen

/** Ink and font that suit the theme. */
export function readLook(element) {
  const style = getComputedStyle(element);
  const background = style.getPropertyValue("--st-background-color") || "#fff";
  return { ink: INKS[isDark(asRgb(background)) ? "dark" : "light"], font: style.fontFamily };
}

/** A CSS colour as the browser computes it: "rgb(...)". */
function asRgb(color) {
  const ctx = document.createElement("canvas").getContext("2d");
  ctx.fillStyle = color.trim();
  ctx.fillRect(0, 0, 1, 1);
  return `rgb(${[...ctx.getImageData(0, 0, 1, 1).data.slice(0, 3)].join()})`;
}

/** CSS pixels a mm of this screen, as the reader measured it; null where nobody has. */
export function readDensity() {
  try {
    const kept = JSON.parse(localStorage.getItem(DENSITY_KEY));
    return kept?.screen === screenName() ? kept.pxPerMm : null;
  } catch {
    return null; // no storage, or nothing of ours in it
  }
}

/** Keep what the reader measured. */
export function keepDensity(pxPerMm) {
  localStorage.setItem(DENSITY_KEY, JSON.stringify({ screen: screenName(), pxPerMm }));
}

/** Tells one screen from another: what was measured on one does not hold on the next. */
const screenName = () => `${screen.width}x${screen.height}@${globalThis.devicePixelRatio}`;
