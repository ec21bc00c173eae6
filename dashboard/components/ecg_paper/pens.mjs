// Two pens that draw the same things: one on a canvas, one into an SVG document. Both take CSS pixels.

/** @typedef {{size: number, weight?: number, color: string, align?: "left"|"center"|"right", halo?: string}} Text */

export class CanvasPen {
  constructor(canvas, { ratio, font }) {
    this.ctx = canvas.getContext("2d");
    this.ratio = ratio;
    this.font = font;
    this.ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.ctx.lineJoin = this.ctx.lineCap = "round";
  }

  /** A place rounded so that a line of one device pixel is crisp. */
  crisp(at) {
    return Math.round(at * this.ratio) / this.ratio;
  }

  rect(x, y, width, height, color, alpha = 1) {
    this.ctx.globalAlpha = alpha;
    this.ctx.fillStyle = color;
    this.ctx.fillRect(x, y, width, height);
    this.ctx.globalAlpha = 1;
  }

  /** Polylines [[x, y], ...] in one stroke. */
  lines(lines, color, width, { dash = [], alpha = 1 } = {}) {
    const { ctx } = this;
    Object.assign(ctx, { strokeStyle: color, lineWidth: width, globalAlpha: alpha });
    ctx.setLineDash(dash);
    ctx.beginPath();
    for (const line of lines) {
      ctx.moveTo(line[0][0], line[0][1]);
      if (line.length === 1) ctx.lineTo(line[0][0], line[0][1]);
      for (let i = 1; i < line.length; i += 1) ctx.lineTo(line[i][0], line[i][1]);
    }
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
  }

  shape(points, color) {
    this.ctx.fillStyle = color;
    this.ctx.beginPath();
    points.forEach(([x, y], i) => (i ? this.ctx.lineTo(x, y) : this.ctx.moveTo(x, y)));
    this.ctx.fill();
  }

  dot(x, y, radius, color) {
    this.ctx.fillStyle = color;
    this.ctx.beginPath();
    this.ctx.arc(x, y, radius, 0, 2 * Math.PI);
    this.ctx.fill();
  }

  /** Text on its baseline; with a halo in the colour of the paper, so that it can be read over the grid. */
  text(words, x, y, { size, weight = 400, color, align = "left", halo }) {
    const { ctx } = this;
    Object.assign(ctx, { font: `${weight} ${size}px ${this.font}`, textAlign: align, fillStyle: color });
    if (halo) {
      Object.assign(ctx, { strokeStyle: halo, lineWidth: Math.max(2, size / 4) });
      ctx.strokeText(words, x, y);
    }
    ctx.fillText(words, x, y);
  }

  widthOf(words, size, weight = 400) {
    this.ctx.font = `${weight} ${size}px ${this.font}`;
    return this.ctx.measureText(words).width;
  }

  /** Draw only within a rectangle while `draw` runs. */
  within(x, y, width, height, draw) {
    this.ctx.save();
    this.ctx.beginPath();
    this.ctx.rect(x, y, width, height);
    this.ctx.clip();
    draw();
    this.ctx.restore();
  }
}

const escapeXml = (text) => String(text).replace(/[&<>"']/g, (ch) => `&#${ch.charCodeAt(0)};`);
const short = (value) => Number(value.toFixed(3));

export class SvgPen {
  /** `measure` is a CanvasPen that knows how wide words are. */
  constructor({ font, measure }) {
    this.font = font;
    this.measure = measure;
    this.parts = [];
    this.clips = 0;
  }

  crisp(at) {
    return at;
  }

  rect(x, y, width, height, color, alpha = 1) {
    const opacity = alpha < 1 ? ` fill-opacity="${short(alpha)}"` : "";
    this.parts.push(
      `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" fill="${color}"${opacity}/>`,
    );
  }

  lines(lines, color, width, { dash = [], alpha = 1 } = {}) {
    const path = lines.map((line) => `M${line.map(([x, y]) => `${short(x)} ${short(y)}`).join("L")}`).join("");
    const more = (dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : "") + (alpha < 1 ? ` stroke-opacity="${alpha}"` : "");
    this.parts.push(`<path d="${path}" fill="none" stroke="${color}" stroke-width="${short(width)}"${more}/>`);
  }

  shape(points, color) {
    this.parts.push(`<path d="M${points.map(([x, y]) => `${short(x)} ${short(y)}`).join("L")}Z" fill="${color}"/>`);
  }

  dot(x, y, radius, color) {
    this.parts.push(`<circle cx="${short(x)}" cy="${short(y)}" r="${short(radius)}" fill="${color}"/>`);
  }

  text(words, x, y, { size, weight = 400, color, align = "left", halo }) {
    const anchor = { left: "start", center: "middle", right: "end" }[align];
    const under = halo ? ` stroke="${halo}" stroke-width="${short(Math.max(2, size / 4))}" paint-order="stroke"` : "";
    this.parts.push(
      `<text x="${short(x)}" y="${short(y)}" font-size="${short(size)}" font-weight="${weight}" fill="${color}" ` +
        `text-anchor="${anchor}"${under}>${escapeXml(words)}</text>`,
    );
  }

  widthOf(words, size, weight) {
    return this.measure.widthOf(words, size, weight);
  }

  within(x, y, width, height, draw) {
    const id = `clip${(this.clips += 1)}`;
    this.parts.push(`<clipPath id="${id}"><rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"/></clipPath>`);
    this.parts.push(`<g clip-path="url(#${id})">`);
    draw();
    this.parts.push("</g>");
  }

  /** The document: `width` x `height` pixels, its physical size such that a millimetre of paper is a millimetre. */
  document(width, height, pxPerMm, { title, description }) {
    const mm = (px) => `${short(px / pxPerMm)}mm`;
    return (
      `<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${mm(width)}" ` +
      `height="${mm(height)}" viewBox="0 0 ${short(width)} ${short(height)}" font-family="${escapeXml(this.font)}" ` +
      `stroke-linecap="round" stroke-linejoin="round">\n<title>${escapeXml(title)}</title>\n` +
      `<desc>${escapeXml(description)}</desc>\n${this.parts.join("\n")}\n</svg>\n`
    );
  }
}

/** Size a canvas for a view, in whole device pixels. */
export function fitCanvas(canvas, view, ratio) {
  const [width, height] = [view.width, view.height + view.foot];
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  Object.assign(canvas.style, { width: `${canvas.width / ratio}px`, height: `${canvas.height / ratio}px` });
}
