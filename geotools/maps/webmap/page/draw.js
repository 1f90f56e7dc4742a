/* Symbols and canvas tiles. The swatch in the legend and the shape on the map are drawn by the same functions. */
(function () {
"use strict";
const GT = window.geotools;
const CELL = 8, PLAIN = 8; // of so many pixels and less a pattern could not be read: the area is one colour, and the legend says so

/* ----------------------------------------------------------------- symbols */

GT.symbol = function (raw) {
  return Object.assign({ fill: "#ffffff", fill_alpha: 0, hatch: "none", hatch_color: "#000000", hatch_alpha: 0, outline: "#000000", width: 1, dash: [], casing: "", solid: "#808080", marker: "", size: 6, letter: "", order: 50 }, raw);
};

function rgba(hex, alpha) {
  const v = parseInt(hex.slice(1), 16);
  return "rgba(" + (v >> 16) + "," + ((v >> 8) & 255) + "," + (v & 255) + "," + alpha + ")";
}

const patterns = new Map();
function pattern(ctx, s, ratio) {
  if (s.hatch === "none") return null;
  const key = [s.hatch, s.hatch_color, s.hatch_alpha, ratio].join();
  let canvas = patterns.get(key);
  if (!canvas) {
    canvas = document.createElement("canvas");
    canvas.width = canvas.height = CELL * ratio;
    const c = canvas.getContext("2d", { willReadFrequently: true });
    c.scale(ratio, ratio);
    c.strokeStyle = c.fillStyle = rgba(s.hatch_color, s.hatch_alpha);
    c.lineWidth = 1.1;
    c.beginPath();
    const line = function (a, b, d, e) { c.moveTo(a, b); c.lineTo(d, e); };
    const slash = function (flip) {
      for (const shift of [-CELL, 0, CELL]) {
        if (flip) line(shift - 2, -2, shift + CELL + 2, CELL + 2); else line(shift - 2, CELL + 2, shift + CELL + 2, -2);
      }
    };
    if (s.hatch === "diagonal") slash(false);
    if (s.hatch === "back") slash(true);
    if (s.hatch === "cross") { slash(false); slash(true); c.lineWidth = 0.9; }
    if (s.hatch === "horizontal" || s.hatch === "grid") line(-2, CELL / 2, CELL + 2, CELL / 2);
    if (s.hatch === "vertical" || s.hatch === "grid") line(CELL / 2, -2, CELL / 2, CELL + 2);
    c.stroke();
    if (s.hatch === "dots") { c.beginPath(); c.arc(2, 2, 1.05, 0, 7); c.fill(); c.beginPath(); c.arc(6, 6, 1.05, 0, 7); c.fill(); }
    patterns.set(key, canvas);
  }
  const made = ctx.createPattern(canvas, "repeat");
  if (ratio !== 1 && made.setTransform) made.setTransform(new DOMMatrix([1 / ratio, 0, 0, 1 / ratio, 0, 0]));
  return made;
}

/* Fill, hatch and outline of the current path. */
function paint(ctx, s, ratio) {
  if (s.fill_alpha > 0) { ctx.fillStyle = rgba(s.fill, s.fill_alpha); ctx.fill(); }
  const hatch = pattern(ctx, s, ratio);
  if (hatch) { ctx.fillStyle = hatch; ctx.fill(); }
  if (s.width > 0 && !s.bare) {
    ctx.lineJoin = "round"; ctx.lineCap = "butt";
    ctx.setLineDash(s.dash || []);
    ctx.strokeStyle = s.outline; ctx.lineWidth = s.width; ctx.stroke();
    ctx.setLineDash([]);
  }
}

function strokeLine(ctx, s) {
  ctx.lineJoin = "round"; ctx.lineCap = "round";
  if (s.casing) { ctx.strokeStyle = s.casing; ctx.lineWidth = s.width + 1.6; ctx.stroke(); }
  ctx.setLineDash(s.dash || []);
  ctx.strokeStyle = s.outline; ctx.lineWidth = s.width; ctx.stroke();
  ctx.setLineDash([]);
}

function corners(ctx, n, x, y, r, turn) {
  for (let i = 0; i < n; i++) {
    const a = turn + (i * 2 * Math.PI) / n;
    ctx[i ? "lineTo" : "moveTo"](x + r * Math.cos(a), y + r * Math.sin(a));
  }
  ctx.closePath();
}

const SHAPES = {
  triangle: function (c, x, y, r) { corners(c, 3, x, y + r * 0.15, r * 1.15, -Math.PI / 2); },
  peak: function (c, x, y, r) { corners(c, 3, x, y + r * 0.15, r * 1.15, -Math.PI / 2); },
  square: function (c, x, y, r) { c.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76); },
  circle: function (c, x, y, r) { c.arc(x, y, r, 0, 2 * Math.PI); },
  ring: function (c, x, y, r) { c.arc(x, y, r, 0, 2 * Math.PI); },
  dot: function (c, x, y, r) { c.arc(x, y, r, 0, 2 * Math.PI); },
  diamond: function (c, x, y, r) { corners(c, 4, x, y, r * 1.15, 0); },
  hexagon: function (c, x, y, r) { corners(c, 6, x, y, r, 0); },
  cross: function (c, x, y, r) {
    const a = r * 0.36, b = r;
    c.moveTo(x - a, y - b);
    for (const p of [[a, -b], [a, -a], [b, -a], [b, a], [a, a], [a, b], [-a, b], [-a, a], [-b, a], [-b, -a], [-a, -a]]) c.lineTo(x + p[0], y + p[1]);
    c.closePath();
  },
  burst: function (c, x, y, r) {
    for (let i = 0; i < 16; i++) {
      const a = -Math.PI / 2 + (i * Math.PI) / 8, q = i % 2 ? r * 0.52 : r;
      c[i ? "lineTo" : "moveTo"](x + q * Math.cos(a), y + q * Math.sin(a));
    }
    c.closePath();
  },
  house: function (c, x, y, r) { c.moveTo(x - r, y); c.lineTo(x, y - r); c.lineTo(x + r, y); c.lineTo(x + r * 0.7, y); c.lineTo(x + r * 0.7, y + r * 0.8); c.lineTo(x - r * 0.7, y + r * 0.8); c.lineTo(x - r * 0.7, y); c.closePath(); },
  flag: function (c, x, y, r) { c.moveTo(x - r * 0.6, y + r); c.lineTo(x - r * 0.6, y - r); c.lineTo(x + r * 0.8, y - r * 0.5); c.lineTo(x - r * 0.35, y); c.lineTo(x - r * 0.35, y + r); c.closePath(); },
  pin: function (c, x, y, r) { c.arc(x, y - r * 0.4, r * 0.75, Math.PI * 0.85, Math.PI * 0.15); c.lineTo(x, y + r); c.closePath(); }
};

GT.marker = function (ctx, s, x, y) {
  const draw = SHAPES[s.marker] || SHAPES.circle, white = /^#fff/i.test(s.outline);
  ctx.setLineDash([]); ctx.lineJoin = "round";
  ctx.beginPath(); draw(ctx, x, y, s.size);
  if (!white) { ctx.strokeStyle = "rgba(255,255,255,0.9)"; ctx.lineWidth = 4; ctx.stroke(); }
  if (s.marker === "ring") { ctx.fillStyle = "#ffffff"; ctx.fill(); ctx.strokeStyle = s.fill; ctx.lineWidth = 2.4; ctx.stroke(); return; }
  ctx.strokeStyle = s.outline; ctx.lineWidth = white ? 2.6 : 2; ctx.stroke();
  ctx.fillStyle = s.fill; ctx.fill();
};

/* One swatch for the legend, on a canvas of w x h CSS pixels; with a small square in the one colour of small areas, where there are any. */
GT.swatch = function (symbol, kind, w, h, small) {
  const ratio = Math.min(2, Math.ceil(window.devicePixelRatio || 1)), canvas = document.createElement("canvas");
  canvas.width = w * ratio; canvas.height = h * ratio;
  canvas.className = "gt-swatch";
  canvas.style.width = w + "px"; canvas.style.height = h + "px";
  canvas.setAttribute("aria-hidden", "true");
  const ctx = canvas.getContext("2d", { willReadFrequently: true }), s = GT.symbol(symbol);
  ctx.scale(ratio, ratio);
  if (kind === "point" || (kind === "auto" && s.marker)) GT.marker(ctx, Object.assign({}, s, { size: Math.min(s.size, h / 2 - 2.5) }), w / 2, h / 2);
  else if (kind === "line") { ctx.beginPath(); ctx.moveTo(2, h / 2); ctx.lineTo(w - 2, h / 2); strokeLine(ctx, s); }
  else {
    const m = Math.max(1, s.width / 2 + 0.5), wide = small ? w - 8 : w;
    ctx.beginPath(); ctx.rect(m, m, wide - 2 * m, h - 2 * m); paint(ctx, s, ratio);
    if (small) { ctx.fillStyle = s.solid; ctx.fillRect(w - 6, h / 2 - 3, 6, 6); }
  }
  return canvas;
};

/* Which classes have areas that are drawn in one colour at a zoom, among all or some features. */
GT.small = function (layer, z, some) {
  const out = new Uint8Array(layer.symbols.length), limit = PLAIN / (256 * 2 ** z), box = layer.box;
  if (layer.kind === "polygon" && !layer.spec.quiet && !layer.spec.context) {
    for (const f of some || layer.order) {
      const k = layer.cls[f];
      if (!out[k] && layer.vis[f] && Math.max(box[4 * f + 2] - box[4 * f], box[4 * f + 3] - box[4 * f + 1]) < limit) out[k] = 1;
    }
  }
  return out;
};

/* ------------------------------------------------------------------ layers */

/* Prepare a decoded layer for drawing: boxes, index, class codes, visibility. */
GT.prepare = function (spec, data) {
  const n = data.nf, box = new Float64Array(4 * n), all = new Uint32Array(n), X = data.X, Y = data.Y;
  let placed = 0;
  for (let f = 0; f < n; f++) {
    const from = data.points[data.rings[f]], to = data.points[data.rings[f + 1]];
    let a = Infinity, b = Infinity, c = -Infinity, d = -Infinity;
    for (let i = from; i < to; i++) {
      const x = X[i], y = Y[i];
      if (x < a) a = x; if (x > c) c = x; if (y < b) b = y; if (y > d) d = y;
    }
    box[4 * f] = a; box[4 * f + 1] = b; box[4 * f + 2] = c; box[4 * f + 3] = d;
    if (to > from) all[placed++] = f;
  }
  const order = all.subarray(0, placed);
  let tree = null;
  if (order.length) {
    tree = new Flatbush(order.length, 16, Float64Array);
    for (const f of order) tree.add(box[4 * f], box[4 * f + 1], box[4 * f + 2], box[4 * f + 3]);
    tree.finish();
  }
  const col = data.cols.get("cls"), slot = new Map(spec.classes.map(function (c, i) { return [c.key, i]; }));
  const lookup = function (column) {
    const out = new Uint8Array(n);
    if (column) { const table = column.dict.map(function (k) { return slot.has(k) ? slot.get(k) : 0; }); for (let f = 0; f < n; f++) out[f] = table[column.codes[f]]; }
    return out;
  };
  const days = function (name) {
    const c = name && data.cols.get(name);
    if (!c) return null;
    const out = new Int32Array(n), table = c.codes ? c.dict.map(GT.day) : null;
    for (let f = 0; f < n; f++) { const v = table ? table[c.codes[f]] : GT.day(c.values[f]); out[f] = v === null ? NODAY : v; }
    return out;
  };
  return {
    spec: spec, data: data, kind: data.kind, box: box, tree: tree, order: order, on: spec.visible !== false,
    cls: lookup(col), base: null,
    day: days(spec.date), since: days(data.cols.has("since") ? "since" : null), changed: days(data.cols.has("status_changed_date") ? "status_changed_date" : null), vis: new Uint8Array(n).fill(1), symbols: spec.classes.map(function (c) { return Object.assign(GT.symbol(c.symbol), c.bare ? { bare: true } : {}); }),
    hidden: new Set(), clusters: new Map(), version: 0
  };
};
const NODAY = -2147483648;
GT.NODAY = NODAY;

GT.query = function (layer, a, b, c, d, sorted) {
  if (!layer.tree) return [];
  const found = layer.tree.search(a, b, c, d), out = new Uint32Array(found.length);
  let n = 0;
  for (let i = 0; i < found.length; i++) { const f = layer.order[found[i]]; if (layer.vis[f]) out[n++] = f; }
  const part = out.subarray(0, n);
  return sorted ? part.sort() : part;
};

function trace(ctx, layer, f, scale, ox, oy, least, close) {
  const d = layer.data, X = d.X, Y = d.Y;
  for (let r = d.rings[f], end = d.rings[f + 1]; r < end; r++) {
    const from = d.points[r], to = d.points[r + 1];
    let lx = X[from] * scale - ox, ly = Y[from] * scale - oy;
    ctx.moveTo(lx, ly);
    for (let i = from + 1, last = close ? to - 1 : to; i < last; i++) {
      const x = X[i] * scale - ox, y = Y[i] * scale - oy, dx = x - lx, dy = y - ly;
      if (dx < least && dx > -least && dy < least && dy > -least && i < last - 1) continue;
      ctx.lineTo(x, y); lx = x; ly = y;
    }
    if (close) ctx.closePath();
  }
}

function drawAreas(ctx, layer, features, s, scale, ox, oy, ratio) {
  const least = layer.spec.group === "areas" ? 3 : 1; // hazardous ground never vanishes at small scales
  const big = [], middle = [], tiny = [], box = layer.box;
  for (const f of features) {
    const w = (box[4 * f + 2] - box[4 * f]) * scale, h = (box[4 * f + 3] - box[4 * f + 1]) * scale, m = Math.max(w, h);
    (m < 3 ? tiny : m < PLAIN ? middle : big).push(f);
  }
  if (tiny.length || middle.length) {
    ctx.fillStyle = rgba(s.solid, s.quiet ? 0.5 : 1);
    ctx.beginPath();
    for (const f of tiny) {
      const x = box[4 * f] * scale - ox, y = box[4 * f + 1] * scale - oy;
      ctx.rect(x, y, Math.max(least, 0.8 * (box[4 * f + 2] - box[4 * f]) * scale), Math.max(least, 0.8 * (box[4 * f + 3] - box[4 * f + 1]) * scale));
    }
    for (const f of middle) trace(ctx, layer, f, scale, ox, oy, 1.3, true);
    ctx.fill();
  }
  if (big.length) {
    ctx.beginPath();
    for (const f of big) trace(ctx, layer, f, scale, ox, oy, 0.6, true);
    paint(ctx, s, ratio);
  }
}

/* Points that would touch at this zoom, as one mark with a number. */
GT.clusters = function (layer, z) {
  const known = layer.clusters.get(z);
  if (known && known.version === layer.version) return known.list;
  const scale = 256 * 2 ** z, d = layer.data, list = [], taken = new Uint8Array(d.nf);
  const reach = (layer.spec.cluster === false ? 0 : z >= 19 ? 3 : z >= 17 ? 9 : z >= 16 ? 13 : 17) / scale;
  const px = function (f) { return d.X[d.points[d.rings[f]]]; }, py = function (f) { return d.Y[d.points[d.rings[f]]]; };
  for (const f of layer.order) {
    if (taken[f] || !layer.vis[f]) continue;
    if (!reach) { list.push({ x: px(f), y: py(f), items: [f] }); continue; }
    const near = Array.from(GT.query(layer, px(f) - reach, py(f) - reach, px(f) + reach, py(f) + reach, true)).filter(function (g) { return !taken[g]; });
    let x = 0, y = 0;
    for (const g of near) { taken[g] = 1; x += px(g); y += py(g); }
    list.push({ x: x / near.length, y: y / near.length, items: near });
  }
  layer.clusters.set(z, { version: layer.version, list: list });
  return list;
};

function drawPoints(ctx, layer, z, scale, ox, oy) {
  for (const c of GT.clusters(layer, z)) {
    const x = c.x * scale - ox, y = c.y * scale - oy;
    if (x < -30 || y < -30 || x > 286 || y > 286) continue;
    let top = c.items[0];
    for (const f of c.items) if (layer.symbols[layer.cls[f]].order > layer.symbols[layer.cls[top]].order) top = f;
    const s = layer.symbols[layer.cls[top]];
    if (c.items.length === 1) { GT.marker(ctx, layer.spec.context || layer.spec.group === "context" ? Object.assign({}, s, { size: s.size * (z < 12 ? 0.55 : z < 14 ? 0.75 : 1) }) : s, x, y); continue; }
    const r = GT.clusterRadius(c), ink = /^#fff/i.test(s.fill) ? s.outline : s.fill;
    ctx.beginPath(); ctx.arc(x, y, r + 1.5, 0, 7); ctx.fillStyle = "rgba(255,255,255,0.85)"; ctx.fill();
    ctx.beginPath(); ctx.arc(x, y, r, 0, 7); ctx.fillStyle = "#ffffff"; ctx.fill();
    ctx.strokeStyle = ink; ctx.lineWidth = 2.2; ctx.stroke();
    ctx.fillStyle = "#1c2733"; ctx.font = "600 11px " + GT.FONT; ctx.textAlign = "center"; ctx.textBaseline = "middle";
    ctx.fillText(String(c.items.length), x, y + 0.5);
  }
}
GT.FONT = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', Arial, sans-serif";
GT.clusterRadius = function (c) { return c.items.length === 1 ? 8 : 9 + 2.2 * Math.log10(c.items.length) * 1.6; };

/* ------------------------------------------------------------------ labels */

const ruler = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function textWidth(text, font) { ruler.font = font; return ruler.measureText(text).width; }

function halo(ctx, text, x, y, font, color) {
  ctx.font = font; ctx.textAlign = "left"; ctx.textBaseline = "middle"; ctx.lineJoin = "round";
  ctx.strokeStyle = "rgba(255,255,255,0.92)"; ctx.lineWidth = 3.4; ctx.strokeText(text, x, y);
  ctx.fillStyle = color; ctx.fillText(text, x, y);
}

/* Names of places, placed once per zoom so that none hides another. */
function placeLabels(layer, z) {
  const key = "label" + z, known = layer.clusters.get(key);
  if (known && known.version === layer.version) return known.list;
  const scale = 256 * 2 ** z, d = layer.data, rank = layer.spec.label.rank, list = [], used = new Map(), font = "600 12px " + GT.FONT;
  const order = Array.from(layer.order).filter(function (f) { return layer.vis[f]; });
  order.sort(function (a, b) { return (GT.value(d, rank, b) || 0) - (GT.value(d, rank, a) || 0) || a - b; });
  const few = z < 12.5 && order.length && GT.value(d, rank, order[0]) > 0; // far out, only places where people live are named
  for (const f of order.slice(0, 4000)) {
    if (few && !(GT.value(d, rank, f) > 0)) break;
    const text = GT.clean(GT.value(d, layer.spec.label.column, f) || "").slice(0, 40).trim();
    if (!text) continue;
    const x = d.X[d.points[d.rings[f]]] * scale + 8, y = d.Y[d.points[d.rings[f]]] * scale, w = textWidth(text, font);
    const cells = [];
    let free = true;
    for (let i = Math.floor((x - 12) / 40); i <= Math.floor((x + w + 4) / 40) && free; i++) {
      for (let j = Math.floor((y - 10) / 20); j <= Math.floor((y + 10) / 20); j++) {
        const cell = i + ":" + j;
        for (const o of used.get(cell) || []) if (x - 12 < o.x + o.w && x + w > o.x - 12 && Math.abs(y - o.y) < 16) { free = false; break; }
        if (!free) break;
        cells.push(cell);
      }
    }
    if (!free) continue;
    const label = { x: x, y: y, w: w, text: text };
    for (const cell of cells) { if (!used.has(cell)) used.set(cell, []); used.get(cell).push(label); }
    list.push(label);
  }
  layer.clusters.set(key, { version: layer.version, list: list });
  return list;
}

function drawLabels(ctx, layer, features, z, scale, ox, oy) {
  if (layer.kind === "point") {
    for (const l of placeLabels(layer, z)) {
      if (l.x - ox > 260 || l.x + l.w - ox < -4 || l.y - oy > 268 || l.y - oy < -12) continue;
      halo(ctx, l.text, l.x - ox, l.y - oy, "600 12px " + GT.FONT, "#22303c");
    }
    return;
  }
  const font = "600 11px " + GT.FONT, box = layer.box;
  for (const f of features) {
    const wide = (box[4 * f + 2] - box[4 * f]) * scale, high = (box[4 * f + 3] - box[4 * f + 1]) * scale;
    if (wide < 46 || high < 26) continue;
    const text = GT.clean(GT.value(layer.data, layer.spec.label.column, f) || "").slice(0, 30), w = textWidth(text, font);
    if (!text || w + 12 > wide) continue;
    const cx = (box[4 * f] + box[4 * f + 2]) / 2, cy = (box[4 * f + 1] + box[4 * f + 3]) / 2;
    if (GT.inside(layer, f, cx, cy)) halo(ctx, text, cx * scale - ox - w / 2, cy * scale - oy, font, "#3b1a08");
  }
}

/* ------------------------------------------------------------------- tiles */

GT.Stack = L.GridLayer.extend({
  options: { tileSize: 256, keepBuffer: 1, updateWhenZooming: false, noWrap: true, minZoom: 0, maxZoom: 24 },
  initialize: function (layers, options) {
    L.setOptions(this, options);
    this.list = layers; this.queue = new Set(); this.running = false; this.hasty = this.first = true; this.ratio = this.usual = Math.min(2, Math.max(1, Math.round(window.devicePixelRatio || 1)));
    this.on("tileunload", function (e) { this.queue.delete(e.tile); e.tile.width = e.tile.height = 0; }, this);
  },
  createTile: function (coords, done) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 256 * this.ratio;
    tile.setAttribute("aria-hidden", "true");
    tile.gt = { coords: coords, done: done };
    this.queue.add(tile);
    this.work();
    return tile;
  },
  /* Drawn at the zoom itself between two whole ones, where GridLayer would stretch pictures of the nearest. */
  _setView: function (center, zoom, noPrune, noUpdate) {
    if (noUpdate || zoom % 1 === 0) return L.GridLayer.prototype._setView.call(this, center, zoom, noPrune, noUpdate);
    this._tileZoom = zoom;
    this._updateLevels();
    this._resetGrid();
    this._update(center);
    if (!noPrune) this._pruneTiles();
    this._noPrune = !!noPrune;
    this._setZoomTransforms(center, zoom);
  },
  work: function () {
    if (this.running) return;
    this.running = true;
    const self = this;
    const soon = this.first ? queueMicrotask : requestAnimationFrame; // nothing is on the screen yet that could stutter
    soon(function step() {
      const stop = performance.now() + (self.first ? 160 : self.hasty ? 24 : 10); // short slices while panning, longer for one redraw of all
      for (const tile of self.queue) {
        self.queue.delete(tile);
        self.draw(tile);
        if (performance.now() > stop) break;
      }
      if (self.queue.size) requestAnimationFrame(step);
      else { self.running = self.hasty = self.first = false; self.fire("drawn"); }
    });
  },
  /* Everything waiting, now: for print. */
  flush: function () { for (const tile of this.queue) { this.queue.delete(tile); this.draw(tile); } },
  /* Draw live tiles again after a change of what is visible. */
  refresh: function () {
    for (const key in this._tiles) { const el = this._tiles[key].el; if (el.gt) this.queue.add(el); }
    this.hasty = true;
    this.work();
  },
  draw: function (tile) {
    const ctx = tile.getContext("2d", { willReadFrequently: true }), c = tile.gt.coords, scale = 256 * 2 ** c.z, ox = c.x * 256, oy = c.y * 256, r = this.ratio;
    if (tile.gt.drawn || tile.width !== 256 * r) tile.width = tile.height = 256 * r; // clearRect would print as white paper over what lies below
    tile.gt.drawn = true;
    ctx.setTransform(r, 0, 0, r, 0, 0);
    const jobs = [], words = [];
    for (const layer of this.list) {
      if (!layer.on || (layer.spec.minZoom && c.z < layer.spec.minZoom) || (layer.spec.maxZoom && c.z > layer.spec.maxZoom)) continue;
      if (layer.kind === "point") {
        if (layer.tree) jobs.push({ order: layer.symbols.reduce(function (m, s) { return Math.max(m, s.order); }, 0), run: function () { drawPoints(ctx, layer, c.z, scale, ox, oy); } });
        if (layer.spec.label && layer.tree) words.push([layer, null]);
        continue;
      }
      const found = GT.query(layer, (ox - 4) / scale, (oy - 4) / scale, (ox + 260) / scale, (oy + 260) / scale, true);
      if (!found.length) continue;
      const groups = layer.symbols.map(function () { return []; });
      for (const f of found) groups[layer.cls[f]].push(f);
      groups.forEach(function (features, k) {
        if (!features.length) return;
        const s = layer.symbols[k];
        jobs.push({ order: s.order, run: function () {
          if (layer.kind === "line") {
            ctx.beginPath();
            for (const f of features) trace(ctx, layer, f, scale, ox, oy, 0.6, false);
            strokeLine(ctx, c.z < 11 ? Object.assign({}, s, { width: Math.min(s.width, 1.2), casing: "", outline: s.casing || s.outline }) : s);
          } else drawAreas(ctx, layer, features, layer.bareNow || (layer.spec.group === "released" && c.z < 15) ? Object.assign({}, s, { bare: true }) : s, scale, ox, oy, r);
        } });
      });
      if (layer.spec.label) words.push([layer, found]);
    }
    jobs.sort(function (a, b) { return a.order - b.order; });
    for (const job of jobs) job.run();
    for (const pair of words) drawLabels(ctx, pair[0], pair[1], c.z, scale, ox, oy);
    if (tile.gt.done) { const done = tile.gt.done; tile.gt.done = null; done(null, tile); }
  }
});

/* Embedded raster tiles: one block of bytes, and where each tile lies in it. */
GT.Tiles = L.GridLayer.extend({
  initialize: function (spec, bytes, pane) {
    const b = spec.bounds;
    L.setOptions(this, { pane: pane, noWrap: true, keepBuffer: 1, updateWhenZooming: false, minZoom: Math.max(0, spec.levels[0] - 3), maxZoom: 24, minNativeZoom: spec.levels[0], maxNativeZoom: spec.levels[1], bounds: [[b[1], b[0]], [b[3], b[2]]] });
    this.bytes = bytes; this.mimes = spec.mimes;
    this.where = new Map(spec.tiles.map(function (t) { return [t[0] + "/" + t[1] + "/" + t[2], t]; }));
  },
  createTile: function (coords, done) {
    const img = document.createElement("img"), at = this.where.get(coords.z + "/" + coords.x + "/" + coords.y);
    img.alt = "";
    if (!at) { setTimeout(function () { done(null, img); }, 0); return img; }
    const url = URL.createObjectURL(new Blob([this.bytes.subarray(at[3], at[3] + at[4])], { type: this.mimes[at[5]] }));
    const end = function () { URL.revokeObjectURL(url); done(null, img); };
    img.addEventListener("load", end); img.addEventListener("error", end);
    img.src = url;
    return img;
  }
});

/* ---------------------------------------------------------------- hit test */

GT.inside = function (layer, f, x, y) {
  const d = layer.data;
  let odd = false;
  for (let r = d.rings[f]; r < d.rings[f + 1]; r++) {
    for (let i = d.points[r], j = d.points[r + 1] - 1; i < d.points[r + 1]; j = i++) {
      if (d.Y[i] > y !== d.Y[j] > y && x < ((d.X[j] - d.X[i]) * (y - d.Y[i])) / (d.Y[j] - d.Y[i]) + d.X[i]) odd = !odd;
    }
  }
  return odd;
};

function nearLine(layer, f, x, y, reach) {
  const d = layer.data;
  for (let r = d.rings[f]; r < d.rings[f + 1]; r++) {
    for (let i = d.points[r] + 1; i < d.points[r + 1]; i++) {
      const ax = d.X[i - 1], ay = d.Y[i - 1], bx = d.X[i] - ax, by = d.Y[i] - ay, len = bx * bx + by * by;
      const t = len ? Math.max(0, Math.min(1, ((x - ax) * bx + (y - ay) * by) / len)) : 0;
      if (Math.hypot(ax + t * bx - x, ay + t * by - y) <= reach) return true;
    }
  }
  return false;
}

/* What lies under a place (0..1), topmost first: [{layer, f}] or one entry with `.items` for a cluster. */
GT.hits = function (layers, x, y, z, tolerance) {
  const scale = 256 * 2 ** z, reach = tolerance / scale, out = [];
  for (const layer of layers) {
    if (!layer.on || layer.spec.quiet || layer.spec.silent || (layer.spec.minZoom && z < layer.spec.minZoom)) continue;
    if (layer.kind === "point") {
      for (const c of GT.clusters(layer, z)) {
        const r = (c.items.length > 1 ? GT.clusterRadius(c) : Math.max(layer.symbols[layer.cls[c.items[0]]].size, 4)) + tolerance / 2;
        if (Math.hypot(c.x - x, c.y - y) * scale <= r) out.push({ layer: layer, f: c.items[0], items: c.items, order: 1000 + layer.symbols[layer.cls[c.items[0]]].order });
      }
      continue;
    }
    for (const f of GT.query(layer, x - reach, y - reach, x + reach, y + reach)) {
      const tiny = Math.max(layer.box[4 * f + 2] - layer.box[4 * f], layer.box[4 * f + 3] - layer.box[4 * f + 1]) * scale < 10;
      if (layer.kind === "line" ? nearLine(layer, f, x, y, reach) : GT.inside(layer, f, x, y) || tiny) {
        out.push({ layer: layer, f: f, items: [f], order: layer.symbols[layer.cls[f]].order });
      }
    }
  }
  return out.sort(function (a, b) { return b.order - a.order || a.f - b.f; });
};
})();
