// What the keys do on the paper. The help shows this very list.

export const KEYS = [
  { keys: ["ArrowLeft", "ArrowRight"], show: "← →", action: "along", help: "Read along the trace, a millimetre (Shift: 5 mm) at a time; with a caliper, move it by 4 ms (Shift: 40 ms)" },
  { keys: ["ArrowUp", "ArrowDown"], show: "↑ ↓", action: "across", help: "Go to the lead above or below; with a caliper, move it by 0.01 mV (Shift: 0.1 mV)" },
  { keys: [",", "."], show: ", .", action: "beat", help: "Previous and next beat" },
  { keys: ["Enter"], show: "Enter", action: "take", help: "Select lead and beat, or set a caliper, where you read" },
  { keys: ["s"], show: "S", action: "select", help: "Select: click a beat, drag a stretch of time" },
  { keys: ["c"], show: "C", action: "caliper", help: "Caliper: drag from one place to another" },
  { keys: ["h"], show: "H", action: "pan", help: "Hand: drag the paper (or hold the middle button)" },
  { keys: ["x"], show: "X", action: "end", help: "Which part of the caliper the arrows move: second end, first end, all" },
  { keys: ["n"], show: "N", action: "next", help: "Next caliper" },
  { keys: ["m"], show: "M", action: "march", help: "March out: repeat the caliper's interval along the row" },
  { keys: ["Delete", "Backspace"], show: "Del", action: "remove", help: "Remove the caliper" },
  { keys: ["Escape"], show: "Esc", action: "clear", help: "Let go of the caliper, then of the selection" },
  { keys: ["+", "=", "-"], show: "+ −", action: "zoom", help: "Zoom (also Ctrl and the wheel, or two fingers)" },
  { keys: ["0"], show: "0", action: "fit", help: "Fit the width" },
  { keys: ["1"], show: "1", action: "true", help: "True size, once the screen has been measured" },
  { keys: ["PageUp", "PageDown"], show: "PgUp PgDn", action: "page", help: "Previous and next window of a longer record" },
  { keys: ["Home", "End"], show: "Home End", action: "edge", help: "First and last window" },
  { keys: ["r"], show: "R", action: "overlay", overlays: ["peaks"], help: "R peaks on or off" },
  { keys: ["b"], show: "B", action: "overlay", overlays: ["classes"], help: "Beat classes on or off" },
  { keys: ["w"], show: "W", action: "overlay", overlays: ["waves"], help: "P, QRS and T on or off" },
  { keys: ["q"], show: "Q", action: "overlay", overlays: ["quality"], help: "Poor leads on or off" },
  { keys: ["a"], show: "A", action: "overlay", overlays: ["heat"], help: "Attribution on or off" },
  { keys: ["f"], show: "F", action: "full", help: "Full screen" },
  { keys: ["?"], show: "?", action: "help", help: "This list" },
]; // prettier-ignore

const BACKWARD = new Set(["ArrowLeft", "ArrowUp", ",", "-", "PageUp", "Home"]);
export const PARTS = ["end", "start", "all"];

/** {action, by, far, overlays} of a key event; null for keys that mean nothing here. `by` is -1 or 1. */
export function actionOf({ key, shiftKey = false, ctrlKey = false, metaKey = false, altKey = false }) {
  if (ctrlKey || metaKey || altKey) return null;
  const wanted = key.length === 1 ? key.toLowerCase() : key;
  const found = KEYS.find(({ keys }) => keys.includes(wanted));
  return found ? { action: found.action, by: BACKWARD.has(wanted) ? -1 : 1, far: shiftKey, overlays: found.overlays } : null;
}
