/* What the panel shows: legend with counts and areas, base maps, filters, and the time under the map. */
(function () {
"use strict";
const GT = window.geotools, el = GT.ui.el, bdi = GT.ui.bdi, icon = GT.ui.icon;

Object.assign(GT.Page.prototype, {
  /* ------------------------------------------------------------- legend */
  legend: function () {
    if (!this.legendBox) return;
    this.far = this.sizes();
    const self = this, groups = new Map(), plain = this.layers.find(function (l) { return !l.spec.silent && l.on && l.small && l.small.includes(1); });
    const sums = this.classSums();
    for (const l of this.layers) { if (l.spec.silent) continue; const g = l.spec.group; if (!groups.has(g)) groups.set(g, []); groups.get(g).push(l); }
    for (const r of this.images || []) if (r.spec.overlay) { if (!groups.has("work")) groups.set("work", []); groups.get("work").push(r); }
    const order = this.cfg.compare ? ["compare", "areas", "released", "work", "finds", "other", "issues", "context"] : ["areas", "released", "work", "finds", "compare", "other", "issues", "context"];
    const keys = Array.from(groups.keys()).sort(function (a, b) { return order.indexOf(a) - order.indexOf(b); });
    const focused = document.activeElement && document.activeElement.id;
    this.legendBox.replaceChildren(...keys.map(function (g) {
      return el("div", { class: "gt-group" }, el("h2", null, self.t(g === "other" ? "layers" : "group_" + g)), g === "areas" ? self.noGround() : null, groups.get(g).map(function (l) { return l.image ? self.legendImage(l) : self.legendLayer(l, sums); }), g === "areas" && self.cfg.overlapOnce ? el("p", { class: "gt-aside" }, bdi(self.pick(self.cfg.overlapOnce)), self.overlapSums(sums)) : null, plain && g === plain.spec.group ? el("p", { class: "gt-aside gt-plain" }, self.t("small_solid")) : null);
    }));
    if (focused && focused.startsWith("gt-c-")) { const again = document.getElementById(focused); if (again) again.focus(); }
  },
  /* Hazards that no figure of ground counts, said beside those that are counted. */
  /* Hazards without a boundary that were recorded by the day of the slider; undated ones always. */
  bare: function () {
    const b = Object.assign({}, this.cfg.noGround), now = this.now();
    for (const r of b.late || []) if (r[0] > now) { b.n -= r[1]; b.m2 -= r[2]; b.unstated -= r[3]; }
    b.m2 = Math.round(b.m2 * 10) / 10;
    return b.n ? b : null;
  },
  noGround: function () {
    const b = this.bare();
    if (!b) return null;
    const some = b.m2 > 0 && b.unstated ? " " + this.t("no_ground_some").replace("{n}", this.count(b.unstated)) : "";
    return el("p", { class: "gt-noground", "data-n": b.n, "data-m2": b.m2 }, bdi(this.t(b.m2 > 0 ? "no_ground" : "no_ground_unstated").replace("{n}", this.count(b.n)).replace("{area}", this.area(b.m2, "no_ground")) + some));
  },
  /* What the rows of remaining ground add up to, and what it is once: only where nothing is filtered or withheld. */
  overlapSums: function (sums) {
    const found = this.figuresAt(this.day === null ? this.lastDay() : this.day), once = found && found.remaining;
    let rows = 0;
    for (const [key, s] of sums) if (key.startsWith("remaining|")) rows += s.m2;
    return !found || this.filtered || !this.cfg.overlapSums || rows < once ? null : el("span", { class: "gt-once" }, " ", bdi(this.t("overlap_sums").replace("{rows}", this.area(rows, "remaining")).replace("{once}", this.area(once, "remaining"))));
  },
  classSums: function () {
    const sums = new Map();
    const add = function (key, n, m2) { const s = sums.get(key) || { n: 0, m2: 0 }; s.n += n; s.m2 += m2; sums.set(key, s); };
    for (const l of this.layers) {
      const col = l.data.cols.get("area_m2"), n = l.spec.classes.length, counts = new Array(n).fill(0), m2 = new Array(n).fill(0), hide = l.spec.classes.map(function (c) { return l.hidden.has(c.key); });
      for (let f = 0; f < l.data.nf; f++) {
        const k = l.cls[f];
        if ((!l.vis[f] && !hide[k]) || l.data.rings[f] === l.data.rings[f + 1]) continue;
        counts[k]++; if (col) m2[k] += (col.codes ? col.dict[col.codes[f]] : col.values[f]) || 0;
      }
      l.spec.classes.forEach(function (c, k) { if (c.adds) add(c.adds, 0, m2[k]); else add(l.spec.id + "|" + c.key, counts[k], m2[k]); });
    }
    return sums;
  },
  row: function (options) {
    const self = this, id = "gt-c-" + options.id.replace(/[^\w-]/g, "_");
    return el("div", { class: "gt-row" + (options.dim ? " gt-dim" : "") + (options.head ? " gt-rowhead" : "") + (options.sub ? " gt-rowsub" : "") },
      el("input", { type: "checkbox", id: id, checked: options.on, onchange: function (e) { options.toggle(e.target.checked); self.afterToggle(); } }),
      el("label", { for: id }, options.swatch, el("span", { class: "gt-name" }, bdi(options.label)), el("span", { class: "gt-sum" }, options.dim ? this.t("zoom_in_to_see") : options.sum)));
  },
  tooFar: function (l) { return !!l.spec.minZoom && this.map._loaded && this.map.getZoom() < l.spec.minZoom; },
  /* What the zoom changes in the legend: layers that are too far away, and classes with areas too small for their pattern. */
  sizes: function () {
    const self = this, z = this.map._loaded ? this.map.getZoom() : 0;
    return this.layers.map(function (l) { l.small = GT.small(l, z); return (self.tooFar(l) ? "-" : "") + l.small.join(""); }).join();
  },
  afterToggle: function () { this.update(); },
  legendLayer: function (l, sums) {
    const self = this, targets = new Set(l.spec.classes.map(function (c) { return c.then; }));
    const classes = l.spec.classes.filter(function (c) { return !c.adds && (!targets.has(c.key) || (sums.get(l.spec.id + "|" + c.key) || { n: 0 }).n); });
    const sum = function (c) { const s = sums.get(l.spec.id + "|" + c.key) || { n: 0, m2: 0 }; return [self.count(s.n), l.kind === "polygon" && !l.spec.quiet && l.data.cols.has("area_m2") ? " · " + self.area(s.m2, l.spec.id) : ""]; };
    const geom = l.kind === "point" ? "point" : l.kind === "line" ? "line" : "auto";
    const swatch = function (c) { return GT.swatch(Object.assign({}, c.symbol), l.kind === "polygon" ? "area" : geom, 26, 18, l.on && l.small[l.spec.classes.indexOf(c)]); };
    if (classes.length === 1) {
      return this.row({ id: l.spec.id, on: l.on, label: this.pick(l.spec.solo || classes[0].label), sum: sum(classes[0]), dim: this.tooFar(l), swatch: swatch(classes[0]), toggle: function (v) { l.on = v; } });
    }
    if (l.folded === undefined) l.folded = !!l.spec.folded;
    const total = classes.reduce(function (n, c) { return n + (sums.get(l.spec.id + "|" + c.key) || { n: 0 }).n; }, 0);
    const head = this.row({ id: l.spec.id, on: l.on, head: true, label: this.pick(l.spec.title), sum: l.folded ? this.count(total) : "", dim: this.tooFar(l), toggle: function (v) { l.on = v; } });
    head.append(el("button", { type: "button", class: "gt-fold", id: "gt-c-fold-" + l.spec.id.replace(/[^\w-]/g, "_"), "aria-expanded": l.folded ? "false" : "true", "aria-label": this.pick(l.spec.title) + ": " + this.t("classes"), onclick: function () { l.folded = !l.folded; self.legend(); } }, icon("next")));
    return el("div", { class: "gt-layer", role: "group", "aria-label": this.pick(l.spec.title) },
      head,
      l.on && !l.folded ? classes.map(function (c) {
        return self.row({ id: l.spec.id + "--" + c.key, sub: true, on: !l.hidden.has(c.key), label: self.pick(c.label), sum: sum(c), swatch: swatch(c), toggle: function (v) { if (v) l.hidden.delete(c.key); else l.hidden.add(c.key); } });
      }) : null);
  },
  legendImage: function (r) {
    const self = this;
    return el("div", { class: "gt-layer" },
      this.row({ id: r.spec.id, on: r.on, head: true, label: this.pick(r.spec.title), sum: this.notYet(r) ? this.t("not_on_this_day") : "", toggle: function (v) { r.on = v; self.showImages(); } }),
      r.on && r.spec.legend ? el("div", { class: "gt-ramp" }, r.spec.legend.map(function (item) { return self.rampItem(item); })) : null);
  },
  rampItem: function (item) {
    const chip = el("span", { class: "gt-chip" });
    chip.style.background = item.color;
    return el("span", { class: "gt-rampitem" }, chip, bdi(this.pick(item.label)));
  },

  /* ------------------------------------------------------------- images */
  buildImages: function () {
    const self = this, map = this.map;
    this.images = (this.cfg.images || []).map(function (spec) {
      const pane = "gt-image-" + spec.id;
      map.createPane(pane).style.zIndex = spec.overlay ? 290 : spec.id === "relief" ? 201 : 200;
      const entry = { image: true, spec: spec, on: spec.overlay ? spec.visible === true : false };
      if (spec.tiles) { entry.layer = new GT.Tiles(spec, GT.bytes(spec.data), pane); return entry; }
      const url = "data:" + spec.mime + ";base64," + document.getElementById(spec.data).textContent.trim();
      document.getElementById(spec.data).textContent = "";
      entry.layer = L.imageOverlay(url, [[spec.bounds[1], spec.bounds[0]], [spec.bounds[3], spec.bounds[2]]], { pane: pane, interactive: false, alt: "", className: spec.pixelated ? "gt-pixel" : "gt-relief", opacity: spec.opacity || 1 });
      return entry;
    });
    this.showImages();
  },
  /* A picture of covered ground is true from its own day, without one on the last day only. */
  notYet: function (r) { const day = GT.day(r.spec.date), now = this.now(); return now !== Infinity && (day === null || day > now); },
  /* Land cover under shading, where a page has both. */
  shaded: function () { const ids = this.images.map(function (r) { return r.spec.id; }); return ids.includes("relief") && ids.includes("landcover") ? ["landcover", "relief"] : []; },
  defaultBasemap: function () { const b = (this.cfg.images || []).find(function (i) { return !i.overlay; }); return b ? b.id : "blank"; },
  showImages: function () {
    const base = this.basemap || this.defaultBasemap();
    for (const r of this.images) {
      const on = r.spec.overlay ? r.on && !this.notYet(r) : r.spec.id === base || (base === "both" && this.shaded().includes(r.spec.id));
      if (r.spec.id === "relief") this.map.getPane("gt-image-relief").style.mixBlendMode = base === "both" ? "multiply" : "";
      if (on === !!r.shown) continue;
      r.shown = on;
      if (on) r.layer.addTo(this.map); else r.layer.remove();
    }
  },
  buildBasemaps: function () {
    const self = this, bases = (this.images || []).filter(function (r) { return !r.spec.overlay; });
    if (!bases.length) return el("section", { hidden: true });
    const current = this.basemap || this.defaultBasemap(), key = el("div", { class: "gt-ramp gt-baseramp" });
    const legend = function (id) { const r = bases.find(function (b) { return b.spec.id === (id === "both" ? "landcover" : id); }); key.replaceChildren(...(r && r.spec.legend || []).map(function (item) { return self.rampItem(item); })); key.hidden = !key.firstChild; };
    const choose = function (id) { self.basemap = id; self.showImages(); legend(id); self.writeHash(); };
    legend(current);
    const option = function (id, label) {
      return el("label", { class: "gt-radio" }, el("input", { type: "radio", name: "gt-base", value: id, checked: id === current, onchange: function () { choose(id); } }), el("span", null, label));
    };
    return el("fieldset", { class: "gt-section gt-bases", "data-sheet": "layers" }, el("legend", null, this.t("basemap")),
      bases.map(function (r) { return option(r.spec.id, self.pick(r.spec.title)); }), this.shaded().length ? option("both", this.shaded().map(function (id) { return self.pick(bases.find(function (b) { return b.spec.id === id; }).spec.title); }).join(" + ")) : null, option("blank", this.t("blank")), key);
  },

  /* ------------------------------------------------------------- filters */
  /* Built when first opened: lists of words and date fields cost as much as a frame. */
  buildFilters: function () {
    const self = this, t = this.t.bind(this), open = Object.values(this.filters).some(Boolean) || this.sheet === "filters";
    const some = this.layers.some(function (l) { return l.day; }) || this.cfg.filters.some(function (key) { return self.layers.some(function (l) { return l.data.cols.has(key); }); });
    if (!some) return el("section", { hidden: true });
    const box = el("details", { class: "gt-section gt-filters", "data-sheet": "filters", open: open }, el("summary", null, t("filters")));
    const fill = function () { if (box.childElementCount < 2) box.append(...self.filterFields(), el("button", { type: "button", class: "gt-link", onclick: function () { self.filters = {}; self.update(); self.buildPanel(); } }, t("clear_filters"))); };
    this.fillFilters = fill;
    box.firstChild.addEventListener("click", fill);
    if (open) fill();
    return box;
  },
  filterFields: function () {
    const self = this, t = this.t.bind(this), rows = [];
    for (const key of this.cfg.filters) {
      const values = new Map();
      let vocab = null;
      for (const l of this.layers) {
        const col = l.data.cols.get(key), def = l.spec.cols.find(function (c) { return c.name === key; });
        if (!col || !def) continue;
        if (def.vocab) vocab = def.vocab;
        for (const v of col.codes ? col.dict : col.values) if (v !== null && v !== "") for (const w of def.type === "words" ? String(v).split(",") : [v]) values.set(String(w).trim(), true);
      }
      if (values.size < 2 && !this.filters[key]) continue;
      const list = Array.from(values.keys()).map(function (v) { return [v, vocab ? self.word(vocab, v) : v]; }).sort(function (a, b) { return a[1].localeCompare(b[1], self.lang); }).slice(0, 500);
      rows.push(el("label", { class: "gt-field" }, el("span", null, this.column(key)),
        el("select", { "data-filter": key, onchange: function (e) { self.filters[key] = e.target.value; self.update(); } },
          el("option", { value: "" }, t("all")), list.map(function (v) { return el("option", { value: v[0], selected: self.filters[key] === v[0] }, v[1]); }))));
    }
    const dateField = function (key) {
      return el("label", { class: "gt-field" }, el("span", null, t("date_" + key)), el("input", { type: "date", "data-filter": key, value: self.filters[key] || "", onchange: function (e) { self.filters[key] = e.target.value; self.update(); } }));
    };
    if (this.layers.some(function (l) { return l.day; })) rows.push(el("div", { class: "gt-pair" }, dateField("from"), dateField("to")));
    return rows;
  },
  badge: function () {
    const on = this.filtered > 0, self = this;
    this.flag.hidden = !on;
    if (on) this.flag.replaceChildren(icon("filter"), el("span", null, this.t("filtered").replace("{n}", this.count(this.filtered))), el("button", { type: "button", onclick: function () { self.filters = {}; self.update(); self.buildPanel(); } }, this.t("clear_filters")));
  },

  /* ------------------------------------------------------------- time */
  buildTime: function () {
    const s = this.cfg.series, self = this, t = this.t.bind(this);
    if (!s) return;
    const first = s.days[0], last = this.lastDay(), day = this.day === null ? last : Math.max(first, Math.min(last, this.day));
    this.slider = el("input", { type: "range", min: first, max: last, step: 1, value: day, "aria-label": t("date"), oninput: function (e) { self.setDay(+e.target.value); } });
    this.slider.value = day;
    this.playing = this.playing || null;
    this.playButton = el("button", { type: "button", class: "gt-round", "aria-label": t("play"), "aria-pressed": "false", onclick: function () { self.play(); } }, icon("play"));
    this.dayText = el("output", { class: "gt-day" });
    this.sums = el("div", { class: "gt-figures" });
    this.chart = this.buildChart();
    this.time.setAttribute("aria-label", t("time"));
    this.time.replaceChildren(el("div", { class: "gt-timehead" }, this.playButton, this.dayText, this.sums), el("div", { class: "gt-curve" }, this.chart, this.slider));
  },
  buildChart: function () {
    const s = this.cfg.series, ns = "http://www.w3.org/2000/svg", W = 1000, H = 100, first = s.days[0], span = Math.max(1, this.lastDay() - first);
    const svg = document.createElementNS(ns, "svg");
    svg.setAttribute("viewBox", "0 0 " + W + " " + H); svg.setAttribute("preserveAspectRatio", "none"); svg.setAttribute("class", "gt-chart"); svg.setAttribute("aria-hidden", "true");
    const parts = ["cleared", "reduced", "cancelled", "remaining"], top = Math.max(1, ...s.days.map(function (_, i) { return parts.reduce(function (a, p) { return a + s.m2[p][i]; }, 0); }));
    const base = new Array(s.days.length).fill(0);
    for (const p of parts) {
      const up = base.map(function (b, i) { return b + s.m2[p][i]; });
      const x = function (i) { return (((s.days[i] - first) / span) * W).toFixed(1); }, y = function (v) { return (H - (v / top) * (H - 4)).toFixed(2); };
      let d = "M0 " + y(base[0]);
      for (let i = 0; i < up.length; i++) d += (i ? "H" + x(i) : "") + "V" + y(up[i]);
      for (let i = up.length - 1; i >= 0; i--) d += "V" + y(base[i]) + (i ? "H" + x(i) : "");
      const path = document.createElementNS(ns, "path");
      path.setAttribute("d", d + "Z"); path.setAttribute("class", "gt-c-" + p); path.setAttribute("fill", s.colors[p]);
      svg.append(path);
      for (let i = 0; i < base.length; i++) base[i] = up[i];
    }
    this.cursor = document.createElementNS(ns, "line");
    this.cursor.setAttribute("y1", 0); this.cursor.setAttribute("y2", H); this.cursor.setAttribute("class", "gt-cursor"); this.cursor.setAttribute("vector-effect", "non-scaling-stroke");
    svg.append(this.cursor);
    return svg;
  },
  setDay: function (day) {
    this.day = day;
    if (this.pending) return;
    this.pending = true;
    const self = this;
    requestAnimationFrame(function () { self.pending = false; self.update(); });
  },
  /* Counts of the panel follow when the slider rests: they take as long as drawing. */
  legendSoon: function () { const self = this; clearTimeout(this.legendTimer); this.legendTimer = setTimeout(function () { self.legend(); self.writeHash(); }, this.layers.reduce(function (n, l) { return n + l.data.nf; }, 0) > 20000 ? 150 : 0); },
  figures: function () {
    const s = this.cfg.series;
    if (!s || !this.sums) return;
    const first = s.days[0], last = this.lastDay(), day = this.day === null ? last : Math.max(first, Math.min(last, this.day)), f = this.figuresAt(day), self = this;
    const all = s.undated && day === last, said = GT.dayText(all ? day - 1 : day, this.lang) + (all ? " " + this.t("and_undated") : "");
    this.dayText.textContent = said;
    this.slider.value = day;
    this.slider.setAttribute("aria-valuetext", said);
    const item = function (key) {
      const chip = el("span", { class: "gt-chip" }); chip.style.background = s.colors[key];
      return el("span", { class: "gt-figure", title: self.metres2(f[key], key), "data-key": key, "data-m2": f[key] }, chip, self.t("fig_" + key), " ", el("b", null, self.area(f[key], key)));
    };
    this.sums.replaceChildren(...["remaining", "cleared", "reduced", "cancelled"].filter(function (k) { return k === "remaining" || k === "cleared" || f[k] > 0 || s.m2[k][s.days.length - 1] > 0; }).map(item));
    const b = this.bare();
    if (b) this.sums.firstChild.after(el("span", { class: "gt-bare", title: b.m2 > 0 ? this.area(b.m2, "no_ground") : "" }, this.t("fig_no_ground"), " ", el("b", null, "+" + this.count(b.n))));
    const x = ((day - first) / Math.max(1, last - first)) * 1000;
    this.cursor.setAttribute("x1", x); this.cursor.setAttribute("x2", x);
  },
  play: function () {
    const self = this, first = this.cfg.series.days[0], last = this.lastDay(), step = Math.max(1, Math.round((last - first) / 120));
    const stop = function () { clearInterval(self.playing); self.playing = null; self.playButton.replaceChildren(icon("play")); self.playButton.setAttribute("aria-pressed", "false"); self.playButton.setAttribute("aria-label", self.t("play")); };
    if (this.playing) return stop();
    this.playButton.replaceChildren(icon("pause")); this.playButton.setAttribute("aria-pressed", "true"); this.playButton.setAttribute("aria-label", this.t("pause"));
    let day = this.day === null || this.day >= last ? first : this.day;
    this.playing = setInterval(function () { day = Math.min(last, day + step); self.setDay(day); if (day >= last) stop(); }, window.matchMedia("(prefers-reduced-motion: reduce)").matches ? 600 : 90);
  }
});
})();
