/**
 * Takes a drawing of the page (an SVG element, whoever drew it) out as a file. The policy of the pages
 * allows no `data:` and no `blob:` picture, so that an SVG cannot be drawn through an image: its
 * shapes are drawn on a canvas one by one, as they are styled on the page.
 */

/** Styles that make the look of a shape, as attributes of SVG. */
const LOOK = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "opacity", "font-family",
  "font-size", "font-weight", "text-anchor", "dominant-baseline",
];
/** Pixels of the picture for one of the page, and the most that a side may have. */
const SCALE = 2;
const SIDE_MAX = 8192;
const NAMESPACE = "http://www.w3.org/2000/svg";

interface Size {
  width: number;
  height: number;
}

function sizeOf(svg: SVGSVGElement): Size {
  const { width, height } = svg.getBoundingClientRect();
  return { width: Math.max(1, Math.ceil(width)), height: Math.max(1, Math.ceil(height)) };
}

/** The colour behind a drawing: that of the nearest element that has one. */
function ground(svg: SVGSVGElement): string {
  for (let at: Element | null = svg; at; at = at.parentElement) {
    const colour = getComputedStyle(at).backgroundColor;
    if (colour !== "rgba(0, 0, 0, 0)" && colour !== "transparent") return colour;
  }
  return "#fff";
}

/** The drawing as a file of its own: styles become attributes, its ground is drawn. */
export function svgText(svg: SVGSVGElement): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const [from, to] = [[...svg.querySelectorAll("*")], [...copy.querySelectorAll("*")]];
  from.forEach((element, at) => {
    const style = getComputedStyle(element);
    const target = to[at];
    for (const name of LOOK) target?.setAttribute(name, style.getPropertyValue(name));
    target?.removeAttribute("class");
    target?.removeAttribute("style");
  });
  const { width, height } = sizeOf(svg);
  copy.setAttribute("xmlns", NAMESPACE);
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${width} ${height}`);
  for (const name of ["class", "style", "role", "aria-label"]) copy.removeAttribute(name);
  const box = copy.viewBox.baseVal;
  const rect = document.createElementNS(NAMESPACE, "rect");
  const sides = { x: box.x, y: box.y, width: box.width, height: box.height, fill: ground(svg) };
  for (const [name, value] of Object.entries(sides)) rect.setAttribute(name, String(value));
  copy.prepend(rect);
  return new XMLSerializer().serializeToString(copy);
}

/** The drawing as a PNG, twice as fine as on the page. */
export async function pngOf(svg: SVGSVGElement): Promise<Blob> {
  const { width, height } = sizeOf(svg);
  const scale = Math.min(SCALE, SIDE_MAX / width, SIDE_MAX / height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no canvas");
  context.fillStyle = ground(svg);
  context.fillRect(0, 0, canvas.width, canvas.height);
  for (const element of svg.querySelectorAll<SVGGraphicsElement>("path,rect,circle,line,polyline,polygon,text")) {
    if (element.closest("defs,clipPath")) continue;
    paint(context, element, scale);
  }
  return await new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture is too large"))), "image/png"));
}

function paint(context: CanvasRenderingContext2D, element: SVGGraphicsElement, scale: number): void {
  const style = getComputedStyle(element);
  const place = element.getCTM();
  if (!place || style.visibility === "hidden" || style.display === "none") return;
  context.setTransform(place.a * scale, place.b * scale, place.c * scale, place.d * scale, place.e * scale, place.f * scale);
  const number = (name: string) => Number.parseFloat(style.getPropertyValue(name));
  const opacity = opacityOf(element);
  // A canvas knows no patterns: the colour that stands behind one is taken.
  const ink = style.fill.replace(/^url\([^)]*\)\s*/, "");
  const fill = ink !== "none" && ink !== "" ? ink : null;
  const stroke = style.stroke !== "none" && number("stroke-width") > 0 ? style.stroke : null;
  context.lineWidth = number("stroke-width");
  context.setLineDash(style.strokeDasharray === "none" ? [] : style.strokeDasharray.split(/[ ,]+/).map(Number.parseFloat));
  const with_ = (part: string, draw: () => void) => {
    context.globalAlpha = opacity * number(part);
    draw();
  };
  if (element instanceof SVGTextElement) {
    if (fill) with_("fill-opacity", () => write(context, element, style, fill));
    return;
  }
  const path = outlineOf(element);
  if (fill && !(element instanceof SVGLineElement)) {
    context.fillStyle = fill;
    with_("fill-opacity", () => context.fill(path));
  }
  if (stroke) {
    context.strokeStyle = stroke;
    with_("stroke-opacity", () => context.stroke(path));
  }
}

/** Opacity is not inherited: that of all groups around it counts. */
function opacityOf(element: Element): number {
  let opacity = 1;
  for (let at: Element | null = element; at && !(at instanceof SVGSVGElement); at = at.parentElement) {
    opacity *= Number.parseFloat(getComputedStyle(at).opacity);
  }
  return opacity;
}

function outlineOf(element: SVGGraphicsElement): Path2D {
  const path = new Path2D(element instanceof SVGPathElement ? (element.getAttribute("d") ?? "") : undefined);
  if (element instanceof SVGRectElement) {
    const [x, y, width, height, rx] = [element.x, element.y, element.width, element.height, element.rx].map((one) => one.baseVal.value);
    path.roundRect(x ?? 0, y ?? 0, width ?? 0, height ?? 0, rx ?? 0);
  } else if (element instanceof SVGCircleElement) {
    path.arc(element.cx.baseVal.value, element.cy.baseVal.value, element.r.baseVal.value, 0, 2 * Math.PI);
  } else if (element instanceof SVGLineElement) {
    path.moveTo(element.x1.baseVal.value, element.y1.baseVal.value);
    path.lineTo(element.x2.baseVal.value, element.y2.baseVal.value);
  } else if (element instanceof SVGPolylineElement || element instanceof SVGPolygonElement) {
    [...element.points].forEach((point, at) => (at === 0 ? path.moveTo(point.x, point.y) : path.lineTo(point.x, point.y)));
    if (element instanceof SVGPolygonElement) path.closePath();
  }
  return path;
}

function write(context: CanvasRenderingContext2D, element: SVGTextElement, style: CSSStyleDeclaration, fill: string): void {
  context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  context.textAlign = style.textAnchor === "middle" ? "center" : style.textAnchor === "end" ? "right" : "left";
  context.textBaseline = style.dominantBaseline === "central" || style.dominantBaseline === "middle" ? "middle" : "alphabetic";
  context.fillStyle = fill;
  const x = element.x.baseVal.length > 0 ? element.x.baseVal.getItem(0).value : 0;
  const y = element.y.baseVal.length > 0 ? element.y.baseVal.getItem(0).value : 0;
  context.fillText(element.textContent ?? "", x, y);
}
