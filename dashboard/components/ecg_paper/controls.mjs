// The bar above the paper: layout, speed, gain, zoom, marks, saving, help. It shows a state and tells what was asked.

import { CARD_MM } from "./camera.mjs";
import { GAINS, SPEEDS, layoutsFor } from "./geometry.mjs";
import { KEYS } from "./keys.mjs";
import { OVERLAYS } from "./marks.mjs";

const DENSITY = { least: 2, most: 12, usual: 96 / 25.4 }; // CSS pixels a mm that screens have
const MENU_CLOSERS = new Set(["png", "svg", "true"]);

/** What a layout is called: twelve rows have a name of their own. */
export function layoutTitle(name, nLeads) {
  if (name === "12x1" && nLeads !== 12) return "Each lead";
  return { "3x4+1": "3 × 4 + 1", "6x2": "6 × 2", "12x1": "12 × 1", strip: "Single strip" }[name];
}

export class Controls {
  /** `asked` maps "choose", "act", "tool", "overlay" and "density" to functions. */
  constructor(root, asked) {
    this.root = root;
    this.asked = asked;
    this.menus = [...root.querySelectorAll("details")];
    const on = (selector, type, act) => root.querySelectorAll(selector).forEach((element) => element.addEventListener(type, () => act(element)));
    on("[data-tool]:is(button)", "click", (button) => asked.tool(button.dataset.tool));
    on("[data-choice]", "change", (select) => asked.choose(select.dataset.choice, select.value));
    on("[data-act]", "click", (button) => this.act(button));
    on(".density", "input", (range) => asked.density(Number(range.value)));
    on("details", "toggle", (menu) => menu.open && this.menus.forEach((other) => other !== menu && (other.open = false)));
    root.addEventListener("keydown", (event) => this.onEscape(event));
    this.closeOutside = (event) => {
      const path = event.composedPath();
      this.menus.forEach((menu) => !path.includes(menu) && (menu.open = false));
    };
    document.addEventListener("pointerdown", this.closeOutside);
    const range = root.querySelector(".density");
    Object.assign(range, { min: DENSITY.least, max: DENSITY.most });
    this.writeHelp();
  }

  destroy() {
    document.removeEventListener("pointerdown", this.closeOutside);
  }

  act(button) {
    if (MENU_CLOSERS.has(button.dataset.act)) this.menus.forEach((menu) => (menu.open = false));
    this.asked.act(button.dataset.act);
  }

  onEscape(event) {
    const open = this.menus.find((menu) => menu.open);
    if (event.key !== "Escape" || !open) return;
    open.open = false;
    open.querySelector("summary").focus();
    event.stopPropagation();
  }

  openHelp() {
    const help = this.root.querySelector(".help");
    help.open = !help.open;
    if (help.open) help.querySelector("summary").focus();
  }

  writeHelp() {
    const table = document.createElement("table");
    for (const { show, help } of KEYS) {
      const row = table.insertRow();
      row.append(Object.assign(document.createElement("th"), { textContent: show, scope: "row" }));
      row.insertCell().textContent = help;
    }
    this.root.querySelector(".help .panel").replaceChildren(table);
  }

  show({ record, sheet, tool, zoom, overlays, shown, density }) {
    this.root.dataset.tool = tool;
    for (const button of this.root.querySelectorAll("button[data-tool]"))
      button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    const loadedS = record.samples.length ? record.samples[0].length / record.fs : 0;
    const layouts = layoutsFor(record.leads, loadedS);
    this.fill("layout", layouts.map((name) => [name, layoutTitle(name, record.leads.length)]), sheet.layout);
    this.fill("lead", record.leads.map((name) => [name, name]), sheet.layout === "strip" ? sheet.strips[0]?.lead : "");
    this.fill("speed", SPEEDS.map((speed) => [speed, `${speed} mm/s`]), sheet.speed);
    this.fill("gain", GAINS.map((gain) => [gain, `${gain} mm/mV`]), sheet.gain);
    this.root.querySelector("[data-for=lead]").hidden = sheet.layout !== "strip" || record.leads.length < 2;
    this.root.querySelector(".zoomed").textContent = zoom;
    this.showOverlays(overlays, shown);
    const measured = density ?? DENSITY.usual;
    this.root.querySelector(".density").value = measured;
    this.root.querySelector(".card").style.width = `${CARD_MM * measured}px`;
  }

  fill(name, options, value) {
    const select = this.root.querySelector(`[data-choice=${name}]`);
    const wanted = options.map(([key]) => key).join();
    if (select.dataset.options !== wanted) {
      select.replaceChildren(...options.map(([key, title]) => new Option(title, key)));
      select.dataset.options = wanted;
    }
    select.value = String(value);
  }

  showOverlays(overlays, shown) {
    const menu = this.root.querySelector(".overlays");
    menu.hidden = !overlays.length;
    const panel = menu.querySelector(".panel");
    if (panel.dataset.options !== overlays.join()) {
      panel.dataset.options = overlays.join();
      panel.replaceChildren(...overlays.map((name) => this.switchFor(name)));
    }
    for (const box of panel.querySelectorAll("input")) box.checked = shown.has(box.name);
  }

  switchFor(name) {
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", name });
    box.addEventListener("change", () => this.asked.overlay(name));
    label.append(box, OVERLAYS[name]);
    return label;
  }
}
