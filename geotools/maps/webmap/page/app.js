/* The page: panel, time, search, filters, details, tools. Every text of the data reaches the page through textContent. */
(function () {
"use strict";
const GT = window.geotools;
GT.pages = [];

const ICONS = {
  plus: "M10 4v12M4 10h12", minus: "M4 10h12", home: "M3 9.5 10 3l7 6.5M5 8.5V17h10V8.5",
  ruler: "M3 14 14 3l3 3L6 17zM6 11l1.5 1.5M8.5 8.5l2 2M11.5 5.5 13 7", pin: "M10 18s-5.5-5.4-5.5-9.5a5.5 5.5 0 0 1 11 0C15.500 12.600 10 18 10 18zM10 10.300a1.800 1.800 0 1 0 0-3.600 1.800 1.800 0 0 0 0 3.600",
  table: "M3 4h14v12H3zM3 8h14M3 12h14M8 4v12", print: "M6 7V3h8v4M6 14H3V7h14v7h-3M6 11.500h8V17H6z", link: "M8.500 11.500a3 3 0 0 0 4.200 0l3-3a3 3 0 0 0-4.200-4.200l-1 1M11.500 8.500a3 3 0 0 0-4.200 0l-3 3a3 3 0 0 0 4.200 4.200l1-1",
  info: "M10 9v5M10 6.200v.200M10 17.500a7.500 7.500 0 1 0 0-15 7.500 7.500 0 0 0 0 15", locate: "M10 2v3M10 15v3M2 10h3M15 10h3M10 14.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9",
  layers: "M10 3 2.500 7 10 11l7.500-4zM3 10.500 10 14l7-3.500M3 13.800 10 17.300l7-3.500", search: "M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11M13 13l4 4", filter: "M3 4h14l-5.500 6.500V16l-3-1.500v-4z",
  clock: "M10 17.500a7.500 7.500 0 1 0 0-15 7.500 7.500 0 0 0 0 15M10 5.500V10l3 2", more: "M5.500 10a1 1 0 1 1-2 0 1 1 0 0 1 2 0M11 10a1 1 0 1 1-2 0 1 1 0 0 1 2 0M16.500 10a1 1 0 1 1-2 0 1 1 0 0 1 2 0", close: "M5 5l10 10M15 5 5 15", play: "M6 4l10 6-10 6z", pause: "M6 4v12M14 4v12",
  prev: "M12.500 4 6.500 10l6 6", next: "M7.500 4l6 6-6 6", undo: "M7 4 3.500 7.500 7 11M3.500 7.500H12a4.500 4.500 0 0 1 0 9H8", copy: "M7 7h10v10H7zM3 13V3h10", save: "M10 3v10M6 9.500l4 4 4-4M3.500 17h13", zoom: "M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11M13 13l4 4M9 6.500v5M6.500 9h5"
};

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 20 20"); svg.setAttribute("aria-hidden", "true"); svg.setAttribute("class", "gt-icon");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const PLAIN = new Set(["id", "class", "type", "for", "role", "name", "value", "min", "max", "step", "placeholder", "lang", "tabindex", "autocomplete", "spellcheck", "title", "scope", "open", "inputmode", "maxlength", "enterkeyhint"]);
function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const name in attributes || {}) {
    const v = attributes[name];
    if (v === null || v === undefined || v === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), v);
    else if (name === "checked" || name === "disabled" || name === "selected" || name === "hidden") node[name] = v;
    else if (PLAIN.has(name) || name.startsWith("aria-") || name.startsWith("data-")) node.setAttribute(name, v === true ? "" : v);
    else throw new Error("attribute " + name);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined && child !== false) node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  return node;
}
function bdi(text) { return el("bdi", { class: "gt-text" }, text); }

GT.start = function (map, name) { const page = new Page(map, name); GT.pages.push(page); page.begin(); return page; };

function Page(map, name) {
  this.map = map; this.name = name;
  this.layers = []; this.stacks = []; this.sides = []; this.filters = {}; this.day = null; this.selected = null; this.measure = null; this.sheet = "";
}

Page.prototype = {
  /* ------------------------------------------------------------- words */
  t: function (key) { const table = this.cfg.texts[this.lang]; return key in table ? table[key] : key; },
  pick: function (label) { return label === null || label === undefined ? "" : typeof label === "string" ? label : label[this.lang] || label.en || ""; },
  column: function (name) { const c = this.cfg.cols[name]; return c ? this.pick(c) : name; },
  word: function (vocab, key) { const v = this.cfg.words[vocab], w = v && Object.hasOwn(v, key) ? v[key] : null; return w ? this.pick(w) : String(key); },
  area: function (m2) { return GT.areaText(m2, this.lang, this.cfg.texts[this.lang]); },
  length: function (m) { return GT.lengthText(m, this.lang, this.cfg.texts[this.lang]); },
  count: function (n) { return GT.number(n, 0, this.lang); },
  /* Never rounded up: 99.97 % is not all. */
  percent: function (share) { return GT.number(Math.floor(share * 1000 + 1e-9) / 10, 1, this.lang) + "\u00a0%"; },
  show: function (col, value) {
    if (value === null || value === undefined || value === "") return "–";
    if (col.type === "word") return this.word(col.vocab, value);
    if (col.type === "words") { const self = this; return String(value).split(",").map(function (w) { return self.word(col.vocab, w.trim()); }).join(", "); }
    if (col.type === "date") { const d = GT.day(value); return d === null ? String(value) : GT.dayText(d, this.lang); }
    if (col.type === "area") return GT.number(value, 0, this.lang) + "\u00a0" + this.t("m2") + (value >= 1e4 ? " (" + this.area(value) + ")" : "");
    if (col.type === "share") return this.percent(value);
    if (typeof value === "boolean") return this.t(value ? "yes" : "no");
    if (typeof value === "number") return GT.number(value, Number.isInteger(value) ? 0 : 2, this.lang) + (col.unit ? "\u00a0" + col.unit : "");
    return String(value);
  },

  /* ------------------------------------------------------------- begin */
  begin: async function () {
    const map = this.map, self = this, root = map.getContainer();
    this.cfg = await GT.json("gt-page");
    this.specs = await Promise.all(Array.from(document.querySelectorAll("script[data-gt-layer]")).map(function (s) { return GT.json(s.id); }));
    this.lang = this.cfg.lang;
    GT.texts = this.cfg.texts;
    this.readHash();
    root.setAttribute("role", "application");
    map.attributionControl && map.attributionControl.setPrefix(false);
    this.buildShell(root);
    try {
      const decoded = await Promise.all(this.specs.map(function (s) { return GT.decode(s.data); }));
      this.layers = this.specs.map(function (s, i) { return GT.prepare(s, decoded[i]); });
    } catch (error) { this.fail(error); return; }
    this.applyHidden();
    this.buildImages();
    const pane = function (n, z) { const p = map.createPane(n); p.style.zIndex = z; p.style.pointerEvents = "none"; return n; };
    const context = this.layers.filter(function (l) { return l.spec.context; });
    if (context.length) this.stacks.push(new GT.Stack(context, { pane: pane("gt-context", 280) }));
    (this.cfg.compare ? ["old", "new"] : [null]).forEach(function (side, i) {
      self.stacks.push(new GT.Stack(self.layers.filter(function (l) { return !l.spec.context && (!side || !l.spec.side || l.spec.side === side); }), { pane: pane("gt-stack-" + i, 300 + i) }));
      self.sides[i] = self.stacks[self.stacks.length - 1];
    });
    this.update(true);
    this.fit(this.hash.v || "start");
    this.buildPanel();
    if (this.cfg.start && !this.hash.v) this.outside();
    let waiting = this.stacks.length;
    this.stacks.forEach(function (stack) { stack.once("drawn", function () { if (--waiting === 0) self.ready(); }); stack.addTo(map); });
    map.on("click", function (e) { self.click(e); });
    map.on("mousemove", function (e) { self.hover(e); });
    map.on("mouseout", function () { self.tip.hidden = true; });
    map.on("moveend zoomend", function () { self.moved(); });
    map.on("move", function () { self.clip(); if (self.coarse()) self.coords(map.getCenter()); });
    window.addEventListener("beforeprint", function () { self.printOn(); });
    window.addEventListener("afterprint", function () { self.printOff(); });
    window.addEventListener("hashchange", function () { self.readHash(); self.applyHidden(); self.update(); self.buildPanel(); if (self.hash.v) self.fit(self.hash.v); });
    window.matchMedia("(max-width: 720px)").addEventListener("change", function () { map.invalidateSize(); self.layout(); });
    document.addEventListener("keydown", function (e) { if (e.key === "Escape") self.escape(); });
    this.drawScale(); this.clip();
  },
  ready: function () { this.moved(); document.documentElement.dataset.ready = "1"; this.map.fire("gt:ready"); },
  fail: function (error) {
    document.documentElement.dataset.failed = "1";
    this.shell.append(el("div", { class: "gt-fail", role: "alert" }, this.t("broken"), el("p", null, String(error && error.message))));
  },
  coarse: function () { return window.matchMedia("(pointer: coarse)").matches; },
  phone: function () { return window.matchMedia("(max-width: 720px)").matches; },

  /* ------------------------------------------------------------- hash */
  readHash: function () {
    const h = (this.hash = {});
    for (const part of location.hash.slice(1).split("&")) {
      const i = part.indexOf("=");
      if (i > 0) try { h[part.slice(0, i)] = decodeURIComponent(part.slice(i + 1)); } catch (e) { /* not ours */ }
    }
    if (h.lang && this.cfg.langs.includes(h.lang)) this.lang = h.lang;
    if (h.d && GT.day(h.d) !== null) this.day = GT.day(h.d);
    this.filters = {};
    for (const key in h) if (key.startsWith("f.")) this.filters[key.slice(2)] = h[key];
    this.basemap = h.b || this.basemap || null;
  },
  writeHash: function () {
    const c = this.map.getCenter(), parts = ["v=" + [c.lat.toFixed(6), c.lng.toFixed(6), this.map.getZoom()].join(",")];
    if (this.day !== null && this.day !== this.lastDay()) parts.push("d=" + GT.iso(this.day));
    if (this.lang !== this.cfg.lang) parts.push("lang=" + this.lang);
    if (this.basemap && this.basemap !== this.defaultBasemap()) parts.push("b=" + encodeURIComponent(this.basemap));
    for (const key in this.filters) if (this.filters[key]) parts.push("f." + key + "=" + encodeURIComponent(this.filters[key]));
    const off = [], on = [];
    for (const l of this.layers) {
      if (!l.on && l.spec.visible !== false) off.push(l.spec.id);
      if (l.on && l.spec.visible === false) on.push(l.spec.id);
      for (const k of l.hidden) off.push(l.spec.id + "|" + k);
    }
    if (off.length) parts.push("off=" + encodeURIComponent(off.join(";")));
    if (on.length) parts.push("on=" + encodeURIComponent(on.join(";")));
    this.link = "#" + parts.join("&");
    try { history.replaceState(null, "", this.link); } catch (e) { /* a page inside a page has no address of its own */ }
  },
  applyHidden: function () {
    const off = new Set((this.hash.off || "").split(";")), on = new Set((this.hash.on || "").split(";"));
    for (const l of this.layers) {
      l.on = (l.spec.visible !== false && !off.has(l.spec.id)) || on.has(l.spec.id);
      l.hidden = new Set(l.spec.classes.map(function (c) { return c.key; }).filter(function (k) { return off.has(l.spec.id + "|" + k); }));
    }
  },

  /* ------------------------------------------------------------- state */
  lastDay: function () { return this.cfg.series ? this.cfg.series.days[this.cfg.series.days.length - 1] : null; },
  now: function () { return this.day === null ? Infinity : this.day >= this.lastDay() ? Infinity : this.day; },
  /* What is visible, from date, classes switched off and filters; then redraw. */
  update: function (first) {
    const now = this.now(), filters = this.filters, from = GT.day(filters.from), to = GT.day(filters.to);
    this.filtered = 0;
    for (const l of this.layers) {
      const tests = [];
      for (const key of this.cfg.filters) {
        const wanted = filters[key], col = l.data.cols.get(key);
        if (!wanted || !col) continue;
        if (col.codes) { const ok = col.dict.map(function (v) { return String(v) === wanted || (typeof v === "string" && v.split(",").map(function (w) { return w.trim(); }).includes(wanted)); }); tests.push(function (f) { return ok[col.codes[f]]; }); }
        else tests.push(function (f) { return String(col.values[f]) === wanted; });
      }
      if (!l.base) l.base = l.cls.slice();
      const twin = this.twin(l);
      if (twin) { l.on = twin.on; twin.bareNow = now !== Infinity && l.spec.id === "remaining-then"; } // then its edge would only show where work goes on later
      const hidden = l.spec.classes.map(function (c) { return (twin || l).hidden.has(c.key); }), day = l.day, vis = l.vis;
      const keys = l.spec.classes.map(function (c) { return c.key; }), then = now !== Infinity && l.spec.classes.some(function (c) { return c.then; }) ? l.spec.classes.map(function (c, i) { return c.then ? Math.max(0, keys.indexOf(c.then)) : i; }) : null;
      for (let f = 0; f < l.data.nf; f++) {
        const code = then && !(l.changed && l.changed[f] !== GT.NODAY && l.changed[f] <= now) ? then[l.base[f]] : l.base[f];
        let ok = 1;
        if (day) {
          const d = day[f];
          const late = now !== Infinity && (d === GT.NODAY ? l.spec.undated === "late" : d > now);
          if (late !== !!l.spec.inverse) ok = 0;
          if (ok && l.since && l.since[f] !== GT.NODAY && l.since[f] > now) ok = 0;
          if (ok && !l.spec.silent && (from !== null || to !== null) && (d === GT.NODAY || (from !== null && d < from) || (to !== null && d > to))) { ok = 0; this.filtered++; }
        }
        if (ok && tests.length) for (const test of tests) if (!test(f)) { ok = 0; this.filtered++; break; }
        l.cls[f] = code;
        if (hidden[code]) ok = 0;
        vis[f] = ok;
      }
      l.version++;
    }
    if (first) return;
    for (const s of this.stacks) s.refresh();
    this.figures(); this.badge(); this.legendSoon(); this.showImages();
    if (this.selected && this.selected.list[this.selected.at].layer.spec.ledger) this.openCard(this.selected.list, this.selected.at, true);
  },
  twin: function (l) { return l.spec.twin ? this.layers.find(function (x) { return x.spec.id === l.spec.twin && x.spec.side === l.spec.side; }) : null; },
  /* The ledger line of a hazard on the day of the slider: its movements up to then. */
  ledgerAt: function (l, f) {
    const g = function (k) { return GT.value(l.data, "ledger_" + k + "_m2", f); }, now = this.now(), out = { area: g("area"), remaining: g("remaining"), cleared: g("cleared"), reduced: g("reduced"), cancelled: g("cancelled"), processed: g("processed"), outside: g("outside"), overlap: g("overlap") };
    if (out.area === null || out.area === undefined) return null;
    const b = l.spec.book;
    if (now === Infinity || !b) return out;
    if (!l.moves) { l.moves = new Map(); b.f.forEach(function (row, i) { if (!l.moves.has(row)) l.moves.set(row, []); l.moves.get(row).push(i); }); }
    for (const k of b.figures) out[k] = 0;
    for (const i of l.moves.get(f) || []) if (b.d[i] === "first" || (b.d[i] !== "last" && b.d[i] <= now)) out[b.figures[b.k[i]]] += b.m2[i];
    for (const k of b.figures) out[k] = Math.abs(out[k]) < 0.05 ? 0 : out[k];
    out.outside = out.overlap = null; // told for the last day only
    return out;
  },
  figuresAt: function (day) {
    const s = this.cfg.series;
    if (!s) return null;
    let lo = -1, hi = s.days.length - 1;
    while (lo < hi) { const m = Math.ceil((lo + hi) / 2); if (s.days[m] <= day) lo = m; else hi = m - 1; }
    const out = {};
    for (const key of Object.keys(s.m2)) out[key] = lo < 0 ? (key === "remaining" ? s.start : 0) : s.m2[key][lo];
    return out;
  },

  /* ------------------------------------------------------------- shell */
  buildShell: function (root) {
    const self = this, shell = (this.shell = el("div", { class: "gt-shell", lang: this.lang }));
    root.parentNode.insertBefore(shell, root);
    this.panel = el("aside", { class: "gt-panel", id: "gt-panel" });
    this.tools = el("section", { class: "gt-tools" });
    this.time = el("section", { class: "gt-time", hidden: !this.cfg.series });
    this.card = el("section", { class: "gt-card", hidden: true, tabindex: "-1" });
    this.foot = el("footer", { class: "gt-foot" });
    this.readout = el("section", { class: "gt-coords" });
    this.scale = el("div", { class: "gt-scale" });
    this.north = el("div", { class: "gt-north" });
    this.tip = el("div", { class: "gt-tip", hidden: true });
    this.flag = el("div", { class: "gt-flag", hidden: true });
    this.chip = el("div", { class: "gt-flag gt-outside", hidden: true });
    this.toast = el("div", { class: "gt-toast", role: "status", "aria-live": "polite" });
    this.nav = el("nav", { class: "gt-nav" });
    this.bar = el("div", { class: "gt-measure", hidden: true });
    this.printLegend = el("div", { class: "gt-sheet" });
    const main = el("main", { class: "gt-main" });
    shell.append(main);
    main.append(root);
    this.map.invalidateSize({ animate: false, pan: false });
    main.append(this.scale, this.north, this.tip, this.flag, this.chip, this.bar);
    shell.append(this.readout, this.panel, this.time, this.tools, this.card, this.nav, this.foot, this.toast, this.printLegend);
    L.DomEvent.disableClickPropagation(this.bar);
    if (this.cfg.compare) this.buildSwipe(main);
    this.map.on("zoomend moveend resize", function () { self.drawScale(); });
    document.documentElement.lang = this.lang;
    this.layout();
  },
  layout: function () { this.shell.classList.toggle("gt-phone", this.phone()); if (!this.phone()) this.openSheet(""); },

  buildPanel: function () {
    const self = this, cfg = this.cfg, t = this.t.bind(this);
    document.documentElement.lang = this.shell.lang = this.lang;
    document.title = cfg.title;
    this.map.getContainer().setAttribute("aria-label", t("map_name"));
    const languages = el("select", { class: "gt-lang", "aria-label": t("language"), onchange: function (e) { self.lang = e.target.value; self.relabel(); } },
      cfg.langs.map(function (code) { return el("option", { value: code, lang: code, selected: code === self.lang }, cfg.texts[code].language_name); }));
    const head = el("header", { class: "gt-head" },
      el("div", { class: "gt-headline" }, el("h1", null, bdi(cfg.title)), languages),
      el("p", { class: "gt-sub" }, cfg.subtitle ? [bdi(cfg.subtitle), " · "] : null, cfg.asOf || this.layers.some(function (l) { return l.spec.group !== "other" && !l.spec.silent; }) ? [t("information_as_of"), " ", el("time", null, cfg.asOf ? GT.dayText(GT.day(cfg.asOf), this.lang) : t("unknown_date")), " · "] : null, "WGS 84"));
    const found = (this.results = el("ul", { class: "gt-results", "aria-label": t("results") }));
    const box = (this.searchBox = el("input", { type: "search", id: "gt-search", placeholder: t("search_hint"), "aria-label": t("search"), autocomplete: "off", spellcheck: "false", enterkeyhint: "search",
      oninput: function () { self.search(box.value); }, onkeydown: function (e) { if (e.key === "Enter" && self.found && self.found.length) { self.pickFound(self.found[0]); } if (e.key === "ArrowDown") { const b = found.querySelector("button"); if (b) { e.preventDefault(); b.focus(); } } } }));
    const search = el("section", { class: "gt-section gt-search", "data-sheet": "search" }, box, found);
    this.legendBox = el("section", { class: "gt-section gt-legend", "data-sheet": "layers", "aria-label": t("layers") });
    const filters = this.buildFilters();
    this.panel.replaceChildren(
      el("a", { class: "gt-skip", tabindex: "0", role: "button", onclick: function () { self.openTable(); }, onkeydown: function (e) { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); self.openTable(); } } }, t("skip_to_table")),
      el("button", { class: "gt-sheetclose", type: "button", "aria-label": t("close"), onclick: function () { self.openSheet(""); } }, icon("close")),
      head, search, this.legendBox, filters, this.buildBasemaps(), this.buildNotes());
    this.panel.setAttribute("aria-label", t("panel"));
    this.buildTools(); this.buildTime(); this.buildNav(); this.legend(); this.figures(); this.badge(); this.drawScale();
    this.readout.setAttribute("aria-label", t("coordinates"));
    this.foot.replaceChildren(el("strong", null, t("not_safe_route")), " ", t("no_record"));
    this.north.replaceChildren(icon2("M12 2 19 22 12 17.500 5 22z"), el("span", null, t("north_letter")));
    this.north.setAttribute("role", "img"); this.north.setAttribute("aria-label", t("north"));
    if (this.selected) this.openCard(this.selected.list, this.selected.at, true);
    if (this.coarse()) this.coords(this.map.getCenter ? this.safeCenter() : null);
    if (!this.chip.hidden) this.outside();
    if (this.relabelSwipe) this.relabelSwipe();
  },
  safeCenter: function () { try { return this.map.getCenter(); } catch (e) { return null; } },
  relabel: function () { for (const l of this.layers) l.version++; this.buildPanel(); this.writeHash(); const s = this.panel.querySelector(".gt-lang"); if (s) s.focus(); },

  buildNotes: function () {
    const self = this, notes = this.cfg.notes || [];
    return el("section", { class: "gt-section gt-notes", "data-sheet": "layers" },
      notes.map(function (n) { return el("p", null, bdi(self.pick(n))); }),
      this.cfg.sensitivity ? el("p", { class: "gt-sensitivity" }, bdi(this.pick(this.cfg.sensitivity))) : null);
  },

  /* ------------------------------------------------------------- legend */
  legend: function () {
    if (!this.legendBox) return;
    this.far = this.layers.filter(this.tooFar, this).length;
    const self = this, groups = new Map();
    const sums = this.classSums();
    for (const l of this.layers) { if (l.spec.silent) continue; const g = l.spec.group; if (!groups.has(g)) groups.set(g, []); groups.get(g).push(l); }
    for (const r of this.images || []) if (r.spec.overlay) { if (!groups.has("work")) groups.set("work", []); groups.get("work").push(r); }
    const order = this.cfg.compare ? ["compare", "areas", "released", "work", "finds", "other", "issues", "context"] : ["areas", "released", "work", "finds", "compare", "other", "issues", "context"];
    const keys = Array.from(groups.keys()).sort(function (a, b) { return order.indexOf(a) - order.indexOf(b); });
    const focused = document.activeElement && document.activeElement.id;
    this.legendBox.replaceChildren(...keys.map(function (g) {
      return el("div", { class: "gt-group" }, el("h2", null, self.t(g === "other" ? "layers" : "group_" + g)), g === "areas" ? self.noGround() : null, groups.get(g).map(function (l) { return l.image ? self.legendImage(l) : self.legendLayer(l, sums); }), g === "areas" && self.cfg.overlapOnce ? el("p", { class: "gt-aside" }, bdi(self.pick(self.cfg.overlapOnce))) : null);
    }));
    if (focused && focused.startsWith("gt-c-")) { const again = document.getElementById(focused); if (again) again.focus(); }
  },
  /* Hazards that no figure of ground counts, said beside those that are counted. */
  noGround: function () {
    const b = this.cfg.noGround;
    if (!b) return null;
    const some = b.m2 > 0 && b.unstated ? " " + this.t("no_ground_some").replace("{n}", this.count(b.unstated)) : "";
    return el("p", { class: "gt-noground", "data-n": b.n, "data-m2": b.m2 }, bdi(this.t(b.m2 > 0 ? "no_ground" : "no_ground_unstated").replace("{n}", this.count(b.n)).replace("{area}", this.area(b.m2)) + some));
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
  afterToggle: function () { this.update(); },
  legendLayer: function (l, sums) {
    const self = this, targets = new Set(l.spec.classes.map(function (c) { return c.then; }));
    const classes = l.spec.classes.filter(function (c) { return !c.adds && (!targets.has(c.key) || (sums.get(l.spec.id + "|" + c.key) || { n: 0 }).n); });
    const sum = function (c) { const s = sums.get(l.spec.id + "|" + c.key) || { n: 0, m2: 0 }; return [self.count(s.n), l.kind === "polygon" && !l.spec.quiet && l.data.cols.has("area_m2") ? " · " + self.area(s.m2) : ""]; };
    const geom = l.kind === "point" ? "point" : l.kind === "line" ? "line" : "auto";
    const swatch = function (c) { return GT.swatch(Object.assign({}, c.symbol), l.kind === "polygon" ? "area" : geom, 26, 18); };
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
      map.createPane(pane).style.zIndex = spec.overlay ? 290 : 200;
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
  defaultBasemap: function () { const b = (this.cfg.images || []).find(function (i) { return !i.overlay; }); return b ? b.id : "blank"; },
  showImages: function () {
    const base = this.basemap || this.defaultBasemap();
    for (const r of this.images) {
      const on = r.spec.overlay ? r.on && !this.notYet(r) : r.spec.id === base;
      if (on === !!r.shown) continue;
      r.shown = on;
      if (on) r.layer.addTo(this.map); else r.layer.remove();
    }
  },
  buildBasemaps: function () {
    const self = this, bases = (this.images || []).filter(function (r) { return !r.spec.overlay; });
    if (!bases.length) return el("section", { hidden: true });
    const current = this.basemap || this.defaultBasemap(), key = el("div", { class: "gt-ramp gt-baseramp" });
    const legend = function (id) { const r = bases.find(function (b) { return b.spec.id === id; }); key.replaceChildren(...(r && r.spec.legend || []).map(function (item) { return self.rampItem(item); })); key.hidden = !key.firstChild; };
    const choose = function (id) { self.basemap = id; self.showImages(); legend(id); self.writeHash(); };
    legend(current);
    const option = function (id, label) {
      return el("label", { class: "gt-radio" }, el("input", { type: "radio", name: "gt-base", value: id, checked: id === current, onchange: function () { choose(id); } }), el("span", null, label));
    };
    return el("fieldset", { class: "gt-section gt-bases", "data-sheet": "layers" }, el("legend", null, this.t("basemap")),
      bases.map(function (r) { return option(r.spec.id, self.pick(r.spec.title)); }), option("blank", this.t("blank")), key);
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
      return el("span", { class: "gt-figure", title: GT.number(f[key], 0, self.lang) + " " + self.t("m2"), "data-key": key, "data-m2": f[key] }, chip, self.t("fig_" + key), " ", el("b", null, self.area(f[key])));
    };
    this.sums.replaceChildren(...["remaining", "cleared", "reduced", "cancelled"].filter(function (k) { return k === "remaining" || k === "cleared" || f[k] > 0 || s.m2[k][s.days.length - 1] > 0; }).map(item));
    const b = this.cfg.noGround;
    if (b) this.sums.firstChild.after(el("span", { class: "gt-bare", title: b.m2 > 0 ? this.area(b.m2) : "" }, this.t("fig_no_ground"), " ", el("b", null, "+" + this.count(b.n))));
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
  },

  /* ------------------------------------------------------------- search */
  index: function () {
    if (this.searchIndex) return this.searchIndex;
    const out = [];
    for (const l of this.layers) {
      for (const name of l.spec.search || []) {
        const col = l.data.cols.get(name);
        if (!col) continue;
        const folded = col.codes ? col.dict.map(function (v) { return v === null ? "" : GT.fold(v); }) : null;
        for (let f = 0; f < l.data.nf; f++) { const key = folded ? folded[col.codes[f]] : col.values[f] === null ? "" : GT.fold(col.values[f]); if (key) out.push([key, l, f, name]); }
      }
    }
    return (this.searchIndex = out);
  },
  search: function (text) {
    const self = this, wanted = GT.fold(text), place = text.trim().length > 5 ? GT.parsePlace(text) : null, hits = [], seen = new Set();
    if (wanted.length) {
      const rank = [[], [], []];
      for (const row of this.index()) {
        const at = row[0].indexOf(wanted);
        if (at < 0) continue;
        const key = row[1].spec.id + "/" + row[2];
        if (seen.has(key)) continue;
        seen.add(key);
        rank[row[0] === wanted ? 0 : at === 0 ? 1 : 2].push({ layer: row[1], f: row[2] });
        if (rank[0].length + rank[1].length > 60) break;
      }
      hits.push(...rank[0], ...rank[1], ...rank[2]);
    }
    this.found = hits.slice(0, 25);
    if (place) this.found.unshift({ place: place });
    const items = this.found.map(function (h) {
      const label = h.place ? [bdi(GT.readings(h.place[0], h.place[1]).ll), el("small", null, self.t("go_to_place"))] : [bdi(self.title(h.layer, h.f)), el("small", null, bdi(self.className(h.layer, h.f)))];
      return el("li", null, el("button", { type: "button", onclick: function () { self.pickFound(h); }, onkeydown: function (e) {
        const li = e.target.closest("li"), to = e.key === "ArrowDown" ? li.nextSibling : e.key === "ArrowUp" ? li.previousSibling : null;
        if (e.key === "ArrowUp" && !to) { e.preventDefault(); self.searchBox.focus(); }
        if (to && to.firstChild) { e.preventDefault(); to.firstChild.focus(); }
      } }, label));
    });
    if (wanted.length && !this.found.length) items.push(el("li", { class: "gt-none" }, this.t("nothing_found")));
    if (hits.length > 25) items.push(el("li", { class: "gt-none" }, this.t("more_results").replace("{n}", this.count(hits.length - 25))));
    this.results.replaceChildren(...items);
  },
  pickFound: function (h) {
    if (h.place) return this.goTo(h.place);
    this.openSheet("");
    this.goFeature(h.layer, h.f);
  },
  title: function (l, f) {
    const id = GT.value(l.data, "id", f), name = GT.value(l.data, "name", f);
    return [id, name].filter(function (v) { return v !== null && v !== undefined && v !== ""; }).join(" · ") || this.pick(l.spec.title);
  },
  className: function (l, f, short) { const c = l.spec.classes[l.cls[f]]; return this.pick((!short && c.long) || c.label); },

  /* ------------------------------------------------------------- features */
  goFeature: function (l, f) {
    const words = [];
    if (!l.on) { l.on = true; words.push(this.t("layer_switched_on")); }
    const key = l.spec.classes[l.cls[f]].key;
    if (l.hidden.has(key)) { l.hidden.delete(key); words.push(this.t("layer_switched_on")); }
    if (l.day && this.now() !== Infinity && l.day[f] !== GT.NODAY && l.day[f] > this.now()) { this.day = l.day[f]; words.push(this.t("date_moved").replace("{date}", GT.dayText(l.day[f], this.lang))); }
    this.update();
    if (!l.vis[f]) { this.filters = {}; this.update(); this.buildPanel(); words.push(this.t("filters_cleared")); }
    if (words.length) this.say(words.join(" "));
    if (l.data.rings[f] === l.data.rings[f + 1]) { this.say(this.t("no_place")); this.openCard([{ layer: l, f: f }], 0); return; }
    this.openCard([{ layer: l, f: f }], 0);
    this.fitFeature(l, f);
  },
  fitFeature: function (l, f) {
    const b = [[GT.lat(l.box[4 * f + 3]), GT.lon(l.box[4 * f])], [GT.lat(l.box[4 * f + 1]), GT.lon(l.box[4 * f + 2])]];
    this.fitBounds(b, 17);
  },
  room: function () {
    const size = this.map.getSize(), phone = this.phone(), card = this.card.hidden ? 0 : 340;
    if (this.shell.classList.contains("gt-printing")) return { paddingTopLeft: [4, 4], paddingBottomRight: [4, 4] };
    const left = phone ? 12 : 366, right = phone ? 56 : 70 + card, top = phone ? 66 : 24, bottom = phone ? (this.card.hidden ? 120 : Math.min(size.y * 0.55, 330)) : this.cfg.series ? 150 : 60;
    return size.x - left - right < 60 || size.y - top - bottom < 60 ? { padding: [6, 6] } : { paddingTopLeft: [left, top], paddingBottomRight: [right, bottom] };
  },
  fitBounds: function (b, maxZoom) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.map.fitBounds(b, Object.assign({ maxZoom: maxZoom || 18, animate: !calm && undefined }, this.room()));
  },
  fit: function (view) {
    const v = /^(-?[\d.]+),(-?[\d.]+),(\d+)$/.exec(view || "");
    if (v && Math.abs(+v[1]) <= 90) { this.map.setView([+v[1], +v[2]], +v[3], { animate: false }); return; }
    const b = (view === "start" && this.cfg.start) || this.cfg.bounds;
    if (!b) { if (!this.map._loaded) this.map.setView([0, 0], 2); return; }
    this.map.fitBounds([[b[1], b[0]], [b[3], b[2]]], Object.assign({ maxZoom: 17, animate: false }, this.room()));
  },
  /* The page opens on the main block of data: say what lies elsewhere. */
  outside: function () {
    const self = this, b = this.cfg.start, l = this.layers.find(function (x) { return x.spec.kind === "hazards" && x.spec.id.endsWith("hazards"); });
    if (!l) return;
    let n = 0;
    for (const f of l.order) if (GT.lon(l.box[4 * f]) > b[2] || GT.lon(l.box[4 * f + 2]) < b[0] || GT.lat(l.box[4 * f + 3]) > b[3] || GT.lat(l.box[4 * f + 1]) < b[1]) n++;
    if (!n) return;
    this.chip.replaceChildren(el("span", null, this.t("outside_view").replace("{n}", this.count(n))), el("button", { type: "button", onclick: function () { self.fit(); self.chip.hidden = true; } }, this.t("whole_map")));
    this.chip.hidden = false;
    this.map.once("dragstart zoomstart", function () { self.chip.hidden = true; });
  },
  goTo: function (place) {
    this.openSheet("");
    const at = [place[1], place[0]];
    if (this.placeMark) this.placeMark.remove();
    this.placeMark = L.circleMarker(at, { radius: 9, color: "#0b4f8a", weight: 3, fill: false, interactive: false }).addTo(this.map);
    this.map.setView(at, Math.max(15, this.map.getZoom()), { animate: false });
    const r = GT.readings(place[0], place[1]);
    this.say([r.ll, r.utm && "UTM " + r.utm, r.mgrs && "MGRS " + r.mgrs].filter(Boolean).join("  ·  "));
  },
  click: function (e) {
    if (this.measure) { this.measureAdd(e.latlng); return; }
    const hits = this.at(e, this.coarse() ? 16 : 5);
    if (!hits.length) { this.closeCard(); return; }
    const top = hits[0];
    if (top.items.length > 1 && top.layer.spec.cluster !== false) {
      const xs = top.items.map(function (f) { return top.layer.box[4 * f]; }), ys = top.items.map(function (f) { return top.layer.box[4 * f + 1]; });
      const span = Math.max(Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys)) * 256 * 2 ** 19;
      if (this.map.getZoom() < 18 && span > 20) {
        this.fitBounds([[GT.lat(Math.max(...ys)), GT.lon(Math.min(...xs))], [GT.lat(Math.min(...ys)), GT.lon(Math.max(...xs))]], 19);
        return;
      }
    }
    const list = [];
    for (const h of hits) for (const f of h.items) if (list.length < 100) list.push({ layer: h.layer, f: f });
    this.openCard(list, 0);
    this.keepClear();
  },
  at: function (e, tolerance) {
    const layers = this.cfg.compare ? this.sides[this.onOldSide(e.containerPoint) ? 0 : 1].list : this.layers;
    return GT.hits(layers, GT.mercX(e.latlng.lng), GT.mercY(e.latlng.lat), this.map.getZoom(), tolerance);
  },
  hover: function (e) {
    this.coords(e.latlng);
    if (this.coarse() || this.measure) return;
    const hits = this.at(e, 4);
    this.map.getContainer().style.cursor = hits.length ? "pointer" : "";
    this.tip.hidden = !hits.length;
    if (!hits.length) return;
    const h = hits[0], more = hits.reduce(function (n, x) { return n + x.items.length; }, 0) - 1;
    this.tip.replaceChildren(h.items.length > 1 ? el("b", null, this.count(h.items.length) + " × ", bdi(this.pick(h.layer.spec.title))) : el("b", null, bdi(this.title(h.layer, h.f))), el("span", null, h.items.length > 1 ? "" : bdi(this.className(h.layer, h.f)), more > 0 && h.items.length === 1 ? "  +" + this.count(more) : ""));
    this.tip.style.transform = "translate(" + Math.round(e.containerPoint.x + 14) + "px," + Math.round(e.containerPoint.y + 14) + "px)";
  },
  /* Pan so that the card does not lie over what it describes. */
  keepClear: function () {
    if (!this.selected) return;
    const s = this.selected.list[this.selected.at], l = s.layer, f = s.f, map = this.map;
    if (l.data.rings[f] === l.data.rings[f + 1]) return;
    const room = this.room(), size = map.getSize();
    if (!room.paddingTopLeft) return;
    const p = map.latLngToContainerPoint([GT.lat((l.box[4 * f + 1] + l.box[4 * f + 3]) / 2), GT.lon((l.box[4 * f] + l.box[4 * f + 2]) / 2)]);
    const dx = Math.min(0, size.x - room.paddingBottomRight[0] - p.x) || Math.max(0, room.paddingTopLeft[0] - p.x), dy = Math.min(0, size.y - room.paddingBottomRight[1] - p.y) || Math.max(0, room.paddingTopLeft[1] - p.y);
    if (dx || dy) map.panBy([-dx, -dy]);
  },
  rings: function (l, f) {
    const d = l.data, out = [];
    for (let r = d.rings[f]; r < d.rings[f + 1]; r++) {
      const ring = [];
      for (let i = d.points[r]; i < d.points[r + 1]; i++) ring.push([GT.lat(d.Y[i]), GT.lon(d.X[i])]);
      out.push(ring);
    }
    return out;
  },
  highlight: function (l, f) {
    if (this.marked) this.marked.remove();
    const rings = this.rings(l, f), group = (this.marked = L.layerGroup());
    for (const style of [{ color: "#ffffff", weight: 8, opacity: 0.9 }, { color: "#0b4f8a", weight: 4, opacity: 1 }]) {
      const o = Object.assign({ fill: false, interactive: false, lineJoin: "round" }, style);
      if (l.kind === "point") for (const p of rings.flat()) group.addLayer(L.circleMarker(p, Object.assign(o, { radius: 13 })));
      else for (const ring of rings) group.addLayer(L.polyline(ring, o));
    }
    group.addTo(this.map);
  },

  /* ------------------------------------------------------------- card */
  openCard: function (list, at, quiet) {
    this.selected = { list: list, at: at };
    const self = this, s = list[at], l = s.layer, f = s.f, t = this.t.bind(this), rows = [];
    for (const col of l.spec.cols) {
      if (col.hidden || col.name === "id" || col.name === "name" || (l.spec.told || []).includes(col.name)) continue;
      const v = GT.value(l.data, col.name, f);
      if (v === null || v === undefined || v === "") continue;
      rows.push(el("div", null, el("dt", null, bdi(this.column(col.name))), el("dd", null, bdi(this.show(col, v)))));
    }
    const cls = l.spec.classes[l.cls[f]], pager = list.length > 1 ? el("div", { class: "gt-pager" },
      el("button", { type: "button", class: "gt-mini", "aria-label": t("previous"), onclick: function () { self.openCard(list, (at + list.length - 1) % list.length); } }, icon("prev")),
      el("span", null, this.count(at + 1) + " / " + this.count(list.length)),
      el("button", { type: "button", class: "gt-mini", "aria-label": t("next"), onclick: function () { self.openCard(list, (at + 1) % list.length); } }, icon("next"))) : null;
    const heading = el("h2", null, bdi(this.title(l, f)));
    const place = l.data.rings[f] !== l.data.rings[f + 1];
    this.card.replaceChildren(...[
      el("div", { class: "gt-cardhead" }, heading, pager, el("button", { type: "button", class: "gt-mini", "aria-label": t("close"), onclick: function () { self.closeCard(); } }, icon("close"))),
      el("p", { class: "gt-cardclass" }, GT.swatch(cls.symbol, l.kind === "polygon" ? "area" : l.kind, 26, 18), el("span", null, bdi(this.className(l, f)))),
      l.spec.ledger ? this.ledger(l, f) : null,
      rows.length ? el("dl", null, rows) : null,
      el("div", { class: "gt-actions" },
        place ? el("button", { type: "button", onclick: function () { self.fitFeature(l, f); } }, icon("zoom"), t("zoom_to")) : null,
        place ? el("button", { type: "button", onclick: function () { self.copyPlace(l, f); } }, icon("copy"), t("copy_coordinates")) : null,
        el("button", { type: "button", onclick: function () { self.download(l, f); } }, icon("save"), t("download_geojson")))
    ].filter(Boolean));
    this.card.hidden = false;
    this.card.setAttribute("aria-label", this.title(l, f));
    this.shell.classList.add("gt-carded");
    this.highlight(l, f);
    if (!quiet) this.openSheet("");
  },
  closeCard: function () {
    this.selected = null; this.card.hidden = true; this.shell.classList.remove("gt-carded");
    if (this.marked) { this.marked.remove(); this.marked = null; }
  },
  /* The ledger line of a hazard: every square metre in one state. */
  ledger: function (l, f) {
    const self = this, line = this.ledgerAt(l, f), total = line && line.area, now = this.now();
    if (!line) return null;
    const colors = this.cfg.colors, bar = el("div", { class: "gt-ledgerbar", "aria-hidden": "true" });
    const lines = ["remaining", "cleared", "reduced", "cancelled"].map(function (k) {
      const v = line[k] || 0, part = el("span"), chip = el("span", { class: "gt-chip" });
      part.style.width = (100 * v) / (total || 1) + "%"; part.style.background = chip.style.background = colors[k];
      bar.append(part);
      return el("tr", null, el("th", { scope: "row" }, chip, self.t("fig_" + k)), el("td", null, GT.number(v, 0, self.lang) + "\u00a0" + self.t("m2")), el("td", null, self.percent(v / (total || 1))));
    });
    for (const k of ["processed", "outside", "overlap"]) {
      const v = line[k];
      if (v > 0.5) lines.push(el("tr", { class: "gt-beside" }, el("th", { scope: "row" }, self.t("fig_" + k)), el("td", null, GT.number(v, 0, self.lang) + "\u00a0" + self.t("m2")), el("td", null, "")));
    }
    return el("div", { class: "gt-ledger" }, bar, el("table", null, el("caption", null, self.t("ledger") + " · " + (now !== Infinity && l.spec.book ? GT.dayText(now, this.lang) : this.cfg.asOf ? GT.dayText(GT.day(this.cfg.asOf), this.lang) : self.t("unknown_date"))), el("tbody", null, lines,
      el("tr", { class: "gt-total" }, el("th", { scope: "row" }, self.t("recorded_area")), el("td", null, GT.number(total, 0, self.lang) + "\u00a0" + self.t("m2")), el("td", null, "")))));
  },
  copyPlace: function (l, f) {
    const d = l.data, i = d.points[d.rings[f]];
    const point = l.kind === "point" ? [GT.lon(d.X[i]), GT.lat(d.Y[i])] : [GT.lon((l.box[4 * f] + l.box[4 * f + 2]) / 2), GT.lat((l.box[4 * f + 1] + l.box[4 * f + 3]) / 2)];
    const r = GT.readings(point[0], point[1]);
    this.copy(r.ll + (r.utm ? "\nUTM " + r.utm + "\nMGRS " + r.mgrs : ""), this.t("coordinates_copied"));
  },
  copy: function (text, words) {
    const self = this, old = function () {
      const area = el("textarea"); area.value = text; document.body.append(area); area.select();
      let ok = false;
      try { ok = document.execCommand("copy"); } catch (e) { ok = false; }
      area.remove();
      self.say(ok ? words : text);
    };
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(text).then(function () { self.say(words); }, old); else old();
  },
  feature: function (l, f) {
    const seven = function (p) { return [Math.round(p[1] * 1e7) / 1e7, Math.round(p[0] * 1e7) / 1e7]; }, rings = this.rings(l, f).map(function (r) { return r.map(seven); });
    let geometry = null;
    if (rings.length) {
      if (l.kind === "point") geometry = rings[0].length === 1 ? { type: "Point", coordinates: rings[0][0] } : { type: "MultiPoint", coordinates: rings[0] };
      else if (l.kind === "line") geometry = rings.length === 1 ? { type: "LineString", coordinates: rings[0] } : { type: "MultiLineString", coordinates: rings };
      else {
        const parts = [];
        for (const r of rings) {
          let a = 0;
          for (let i = 1; i < r.length; i++) a += (r[i - 1][0] - r[0][0]) * (r[i][1] - r[0][1]) - (r[i][0] - r[0][0]) * (r[i - 1][1] - r[0][1]);
          if (a > 0 || !parts.length) parts.push([r]); else parts[parts.length - 1].push(r);
        }
        geometry = parts.length === 1 ? { type: "Polygon", coordinates: parts[0] } : { type: "MultiPolygon", coordinates: parts };
      }
    }
    const entries = l.spec.cols.filter(function (c) { return !c.hidden; }).map(function (c) { return [c.name, GT.value(l.data, c.name, f)]; });
    return { type: "Feature", id: GT.value(l.data, "id", f), geometry: geometry, properties: Object.fromEntries(entries) };
  },
  download: function (l, f) {
    const text = JSON.stringify({ type: "FeatureCollection", features: [this.feature(l, f)] });
    const name = String(GT.value(l.data, "id", f) || l.spec.kind).replace(/[^\w.-]+/g, "_").slice(0, 60) || "feature";
    const url = URL.createObjectURL(new Blob([text], { type: "application/geo+json" })), a = el("a");
    a.setAttribute("href", url); a.setAttribute("download", name + ".geojson");
    document.body.append(a); a.click(); a.remove();
    setTimeout(function () { URL.revokeObjectURL(url); }, 10000);
    this.say(this.t("saved").replace("{name}", name + ".geojson"));
  },
  say: function (text) { const self = this; this.toast.textContent = text; this.toast.classList.add("gt-on"); clearTimeout(this.toastTimer); this.toastTimer = setTimeout(function () { self.toast.classList.remove("gt-on"); }, 6000); },

  /* ------------------------------------------------------------- tools */
  buildTools: function () {
    const self = this, map = this.map, t = this.t.bind(this);
    const tool = function (name, key, run, more) { return el("button", Object.assign({ type: "button", "aria-label": t(key), title: t(key), "data-tool": key, onclick: run }, more || {}), icon(name)); };
    const locate = window.isSecureContext && navigator.geolocation && location.protocol.startsWith("http");
    this.tools.setAttribute("aria-label", t("tools"));
    this.tools.replaceChildren(...[
      el("div", null, tool("plus", "zoom_in", function () { map.zoomIn(); }), tool("minus", "zoom_out", function () { map.zoomOut(); }), tool("home", "whole_map", function () { self.fit(); })),
      el("div", { class: "gt-more" }, tool("ruler", "measure", function () { self.toggleMeasure(); }, { "aria-pressed": this.measure ? "true" : "false" }), tool("pin", "go_to", function () { self.openGoTo(); }),
        tool("table", "table", function () { self.openTable(); }), tool("print", "print", function () { self.print(); }), tool("link", "copy_link", function () { self.writeHash(); self.copy(location.href.split("#")[0] + self.link, t("link_copied")); }),
        locate ? tool("locate", "locate", function () { self.locate(); }) : null, tool("info", "about", function () { self.openAbout(); }))
    ]);
  },
  buildNav: function () {
    const self = this, item = function (sheet, key, name) { return el("button", { type: "button", "aria-pressed": self.sheet === sheet ? "true" : "false", "data-nav": sheet, onclick: function () { self.openSheet(self.sheet === sheet ? "" : sheet); } }, icon(name), el("span", null, self.t(key))); };
    this.nav.setAttribute("aria-label", this.t("panel"));
    this.nav.replaceChildren(item("layers", "layers", "layers"), item("search", "search", "search"), item("filters", "filters", "filter"), ...(this.cfg.series ? [item("time", "date", "clock")] : []), item("tools", "tools", "more"));
  },
  openSheet: function (sheet) {
    this.sheet = sheet;
    this.shell.dataset.sheet = sheet;
    const f = this.panel.querySelector(".gt-filters");
    if (f && sheet === "filters") { this.fillFilters(); f.open = true; }
    for (const b of this.nav.querySelectorAll("button")) b.setAttribute("aria-pressed", b.dataset.nav === sheet ? "true" : "false");
    if (sheet && !this.card.hidden) this.closeCard();
    if (sheet === "search" && this.searchBox) this.searchBox.focus();
  },
  escape: function () {
    if (this.measure) return this.toggleMeasure();
    if (this.sheet) return this.openSheet("");
    if (this.selected) return this.closeCard();
  },
  coords: function (p) {
    if (!p) return;
    const r = GT.readings(p.lng, p.lat), part = function (k, v) { return v ? el("span", { class: "gt-" + k.toLowerCase() }, el("i", null, k), v) : null; };
    this.readout.replaceChildren(...[part("WGS", r.ll), part("UTM", r.utm), part("MGRS", r.mgrs)].filter(Boolean));
  },
  drawScale: function () {
    if (!this.map._loaded) return;
    const size = this.map.getSize(), y = size.y / 2, a = this.map.containerPointToLatLng([size.x / 2 - 50, y]), b = this.map.containerPointToLatLng([size.x / 2 + 50, y]);
    const per = GT.distance([a.lng, a.lat], [b.lng, b.lat]) / 100, room = this.phone() ? 90 : 130;
    let m = 10 ** Math.floor(Math.log10(per * room));
    if (m * 5 <= per * room) m *= 5; else if (m * 2 <= per * room) m *= 2;
    const bar = el("span"); bar.style.width = Math.round(m / per) + "px";
    const u = this.cfg.texts[this.lang];
    this.scale.replaceChildren(el("b", null, m >= 1000 ? GT.number(m / 1000, 0, this.lang) + "\u00a0" + u.km : GT.number(m, m < 1 ? 1 : 0, this.lang) + "\u00a0" + u.m), bar);
  },
  moved: function () {
    const far = this.layers.filter(this.tooFar, this).length;
    if (far !== this.far) { this.far = far; this.legend(); }
    this.writeHash(); this.drawScale(); if (this.coarse() || !this.readout.firstChild) this.coords(this.map.getCenter());
  },

  toggleMeasure: function () {
    const self = this, t = this.t.bind(this);
    if (this.measure) { this.measure.group.remove(); this.measure = null; this.bar.hidden = true; this.map.getContainer().style.cursor = ""; this.buildTools(); return; }
    this.measure = { points: [], group: L.layerGroup().addTo(this.map) };
    this.closeCard(); this.openSheet("");
    this.map.getContainer().style.cursor = "crosshair";
    this.measureText = el("output", null, t("measure_hint"));
    this.bar.replaceChildren(this.measureText, el("button", { type: "button", class: "gt-mini", "aria-label": t("undo"), onclick: function () { self.measure.points.pop(); self.measureDraw(); } }, icon("undo")), el("button", { type: "button", class: "gt-mini", "aria-label": t("close"), onclick: function () { self.toggleMeasure(); } }, icon("close")));
    this.bar.hidden = false;
    this.buildTools();
  },
  measureAdd: function (p) { this.measure.points.push([p.lng, p.lat]); this.measureDraw(); },
  measured: function (points) {
    let metres = 0;
    for (let i = 1; i < points.length; i++) metres += GT.distance(points[i - 1], points[i]);
    return { metres: metres, perimeter: points.length > 2 ? metres + GT.distance(points[points.length - 1], points[0]) : metres, m2: GT.area(points) };
  },
  measureDraw: function () {
    const p = this.measure.points, g = this.measure.group, ll = p.map(function (q) { return [q[1], q[0]]; }), r = this.measured(p);
    g.clearLayers();
    if (p.length > 2) g.addLayer(L.polygon(ll, { stroke: false, fillColor: "#0b4f8a", fillOpacity: 0.12, interactive: false }));
    for (const s of [{ color: "#fff", weight: 5 }, { color: "#0b4f8a", weight: 2.5, dashArray: "6 4" }]) g.addLayer(L.polyline(ll, Object.assign({ interactive: false }, s)));
    for (const q of ll) g.addLayer(L.circleMarker(q, { radius: 4, color: "#0b4f8a", weight: 2, fillColor: "#fff", fillOpacity: 1, interactive: false }));
    this.measureText.replaceChildren(p.length < 2 ? this.t("measure_hint") : el("b", null, this.length(r.metres)), p.length > 2 ? " · " + this.t("area") + " " + GT.number(r.m2, r.m2 < 100 ? 1 : 0, this.lang) + "\u00a0" + this.t("m2") + (r.m2 >= 1e4 ? " (" + this.area(r.m2) + ")" : "") : "", p.length > 1 ? el("small", null, this.t("on_ellipsoid")) : "");
  },
  locate: function () {
    const self = this;
    navigator.geolocation.getCurrentPosition(function (p) {
      if (self.dot) self.dot.remove();
      const at = [p.coords.latitude, p.coords.longitude];
      self.dot = L.layerGroup([L.circle(at, { radius: p.coords.accuracy, color: "#0b4f8a", weight: 1, fillOpacity: 0.1, interactive: false }), L.circleMarker(at, { radius: 7, color: "#fff", weight: 3, fillColor: "#0b4f8a", fillOpacity: 1, interactive: false })]).addTo(self.map);
      self.map.setView(at, Math.max(16, self.map.getZoom()));
      self.say(self.t("located").replace("{m}", GT.number(p.coords.accuracy, 0, self.lang)));
    }, function () { self.say(self.t("not_located")); }, { enableHighAccuracy: true, timeout: 15000 });
  },

  /* ------------------------------------------------------------- dialogs */
  dialog: function (key, ...content) {
    const self = this, d = el("dialog", { class: "gt-dialog", "aria-label": this.t(key) }, el("div", { class: "gt-dialoghead" }, el("h2", null, this.t(key)), el("button", { type: "button", class: "gt-mini", "aria-label": this.t("close"), onclick: function () { d.close(); } }, icon("close"))), ...content);
    d.addEventListener("close", function () { d.remove(); if (self.open === d) self.open = null; });
    d.addEventListener("click", function (e) { if (e.target === d) d.close(); });
    this.shell.append(d);
    this.openSheet("");
    d.showModal();
    this.open = d;
    return d;
  },
  openGoTo: function () {
    const self = this, input = el("input", { type: "text", id: "gt-goto", autocomplete: "off", spellcheck: "false", "aria-describedby": "gt-goto-hint" }), error = el("p", { class: "gt-error", role: "alert" });
    const form = el("form", { onsubmit: function (e) {
      e.preventDefault();
      const p = GT.parsePlace(input.value);
      if (!p) { error.textContent = self.t("not_a_place"); return; }
      d.close(); self.goTo(p);
    } }, el("label", { for: "gt-goto" }, self.t("coordinates")), input, el("p", { class: "gt-hint", id: "gt-goto-hint" }, "39.841436, 46.765596 · 39°50′29″N 46°45′56″E · 38N 651063 4411649 · 38S PK 51063 11649"), error, el("button", { type: "submit", class: "gt-primary" }, self.t("go")));
    const d = this.dialog("go_to", form);
    input.focus();
  },
  openAbout: function () {
    const self = this, cfg = this.cfg, licences = document.getElementById("gt-licences");
    this.dialog("about", el("p", null, bdi(cfg.title)), el("p", null, this.t("about_text")), el("p", null, el("strong", null, this.t("not_safe_route")), " ", this.t("no_record")),
      cfg.facts && cfg.facts.length ? el("dl", { class: "gt-facts" }, cfg.facts.map(function (f) { return el("div", null, el("dt", null, self.t(f[0])), el("dd", null, bdi(f[1]))); })) : null,
      el("details", null, el("summary", null, this.t("licences")), el("pre", { tabindex: "0" }, licences ? licences.textContent : "")));
  },
  openTable: function () {
    const self = this, t = this.t.bind(this), PAGE = 50;
    let layer = this.layers.find(function (l) { return l.spec.id === self.tableLayer; }) || this.layers.find(function (l) { return l.spec.ledger; }) || this.layers.find(function (l) { return !l.spec.quiet && !l.spec.silent && l.data.nf; }) || this.layers[0], page = 0, sort = null, down = false;
    if (!layer) return;
    const wrap = el("div", { class: "gt-tablewrap", tabindex: "0", role: "region", "aria-label": t("table") }), status = el("span", { class: "gt-tablestatus", role: "status" });
    const choose = el("select", { "aria-label": t("layer"), onchange: function (e) { layer = self.layers[+e.target.value]; self.tableLayer = layer.spec.id; page = 0; sort = null; fill(); } }, this.layers.map(function (l, i) { return l.spec.silent ? null : el("option", { value: i, selected: l === layer }, self.pick(l.spec.title) + " (" + self.count(l.data.nf) + ")"); }));
    const turn = function (by) { page += by; fill(); wrap.scrollTop = 0; };
    const back = el("button", { type: "button", class: "gt-mini", "aria-label": t("previous_page"), onclick: function () { turn(-1); } }, icon("prev")), forth = el("button", { type: "button", class: "gt-mini", "aria-label": t("next_page"), onclick: function () { turn(1); } }, icon("next"));
    const LEDGER = [["gross", "area"], ["cancelled", "cancelled"], ["reduced", "reduced"], ["cleared", "cleared"], ["processed", "processed"], ["remaining", "remaining"]].map(function (c) { return { name: "ledger:" + c[1], figure: c[1], label: c[0] === "gross" ? t("recorded_area") : t("fig_" + c[0]), type: "area" }; });
    const label = function (c) { return (c.label || self.column(c.name)) + (c.type === "area" ? " (" + t("m2") + ")" : ""); };
    let lines = new Map();
    const cell = function (c, f) {
      if (!c.figure) return GT.value(layer.data, c.name, f);
      if (!lines.has(f)) lines.set(f, self.ledgerAt(layer, f));
      const line = lines.get(f);
      return line ? line[c.figure] : null;
    };
    const fill = function () {
      const told = new Set(layer.spec.told || []);
      lines = new Map();
      const cols = (layer.spec.ledger ? LEDGER : []).concat(layer.spec.cols.filter(function (c) { return !c.hidden && c.name !== "id" && layer.data.cols.has(c.name) && !told.has(c.name) && !(layer.spec.ledger && c.name === "area_m2"); }).slice(0, layer.spec.ledger ? 8 : 12));
      let rows = [];
      for (let f = 0; f < layer.data.nf; f++) if (layer.vis[f] || layer.data.rings[f] === layer.data.rings[f + 1]) rows.push(f);
      if (sort) rows.sort(function (a, b) {
        const by = cols.find(function (c) { return c.name === sort; }) || { name: sort }, x = sort === "cls" ? self.className(layer, a) : cell(by, a), y = sort === "cls" ? self.className(layer, b) : cell(by, b);
        const c = x === null ? (y === null ? 0 : 1) : y === null ? -1 : typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), self.lang, { numeric: true });
        return (down ? -c : c) || a - b;
      });
      const pages = Math.max(1, Math.ceil(rows.length / PAGE));
      page = Math.max(0, Math.min(pages - 1, page));
      back.disabled = page === 0; forth.disabled = page >= pages - 1;
      status.textContent = t("rows").replace("{a}", self.count(rows.length ? page * PAGE + 1 : 0)).replace("{b}", self.count(Math.min(rows.length, (page + 1) * PAGE))).replace("{n}", self.count(rows.length));
      const header = function (name, label, number) {
        return el("th", { scope: "col", class: number ? "gt-num" : null, "aria-sort": sort === name ? (down ? "descending" : "ascending") : "none" }, el("button", { type: "button", onclick: function () { down = sort === name ? !down : false; sort = name; fill(); } }, bdi(label), sort === name ? (down ? " ▾" : " ▴") : ""));
      };
      const body = rows.slice(page * PAGE, (page + 1) * PAGE).map(function (f) {
        const id = GT.value(layer.data, "id", f);
        return el("tr", null, el("th", { scope: "row" }, el("button", { type: "button", class: "gt-rowlink", onclick: function () { self.open.close(); self.goFeature(layer, f); self.card.focus(); } }, bdi(id === null || id === "" ? "#" + (f + 1) : id))),
          el("td", { class: "gt-cls" }, GT.swatch(layer.spec.classes[layer.cls[f]].symbol, layer.kind === "polygon" ? "area" : layer.kind, 22, 15), bdi(self.className(layer, f, true))), cols.map(function (c) { const v = cell(c, f); return el("td", { class: typeof v === "number" || c.type === "area" ? "gt-num" : null }, bdi(c.type === "area" && typeof v === "number" ? GT.number(v, 0, self.lang) : self.show(c, v))); }));
      });
      wrap.replaceChildren(el("table", { class: "gt-table" }, el("thead", null, el("tr", null, header("id", self.column("id")), header("cls", t("class")), cols.map(function (c) { return header(c.name, label(c), c.type === "area"); }))), el("tbody", null, body)));
    };
    fill();
    const when = this.now() === Infinity ? null : el("span", { class: "gt-tableday" }, t("state_on") + " " + GT.dayText(this.now(), this.lang));
    this.dialog("table", el("div", { class: "gt-tablebar" }, choose, when, status, back, forth), wrap).classList.add("gt-wide");
  },

  /* ------------------------------------------------------------- print */
  sheet_: function () {
    const self = this, out = [el("h2", null, bdi(this.cfg.title)), el("p", null, this.t("information_as_of"), " ", this.cfg.asOf ? GT.dayText(GT.day(this.cfg.asOf), this.lang) : this.t("unknown_date"))];
    if (this.day !== null && this.day < this.lastDay()) out.push(el("p", null, el("strong", null, this.t("state_on") + " " + GT.dayText(this.day, this.lang))));
    const sums = this.figuresAt(this.day === null ? this.lastDay() : this.day);
    if (sums) out.push(el("p", { class: "gt-sheetsums" }, ["remaining", "cleared", "reduced", "cancelled"].map(function (k) { const chip = el("span", { class: "gt-chip" }); chip.style.background = self.cfg.series.colors[k]; return el("span", { class: "gt-figure" }, chip, self.t("fig_" + k), " ", el("b", null, self.area(sums[k]))); })));
    if (this.filtered) out.push(el("p", null, el("strong", null, this.t("filtered").replace("{n}", this.count(this.filtered)))));
    out.push(el("p", null, el("strong", null, this.t("not_safe_route")), " ", this.t("no_record")));
    const b = this.map._loaded ? this.map.getBounds() : null, z = this.map.getZoom();
    for (const l of this.layers) {
      if (!l.on || l.spec.silent || !l.tree || (l.spec.minZoom && z < l.spec.minZoom)) continue;
      const col = l.data.cols.get("area_m2"), n = l.spec.classes.map(function () { return 0; }), m2 = n.slice();
      const seen = b ? GT.query(l, GT.mercX(b.getWest()), GT.mercY(b.getNorth()), GT.mercX(b.getEast()), GT.mercY(b.getSouth())) : [];
      for (const f of seen) { n[l.cls[f]]++; if (col) m2[l.cls[f]] += (col.codes ? col.dict[col.codes[f]] : col.values[f]) || 0; }
      l.spec.classes.forEach(function (c, k) {
        if (!n[k]) return;
        out.push(el("div", { class: "gt-sheetrow" }, GT.swatch(c.symbol, l.kind === "polygon" ? "area" : l.kind, 26, 16), el("span", null, bdi(self.pick(c.label))), l.spec.quiet ? null : el("span", { class: "gt-sum" }, self.count(n[k]), l.kind === "polygon" && col ? " · " + self.area(m2[k]) : "")));
      });
    }
    out.push(el("p", { class: "gt-small" }, this.t("in_this_view") + " WGS 84 · Web Mercator · " + this.printed()));
    return out;
  },
  printed: function () { const f = (this.cfg.facts || []).find(function (x) { return x[0] === "software"; }); return f ? f[1] : ""; },
  print: function () { this.openSheet(""); this.closeCard(); window.print(); },
  printOn: function () {
    if (this.before) return;
    this.before = { bounds: this.inner(), center: this.map.getCenter(), zoom: this.map.getZoom(), snap: this.map.options.zoomSnap };
    this.shell.classList.add("gt-printing");
    document.documentElement.classList.add("gt-print");
    this.map.invalidateSize({ animate: false, pan: false });
    this.map.options.zoomSnap = 0; // paper is filled, whatever the scale
    this.map.fitBounds(this.before.bounds, { animate: false, padding: [10, 10] });
    for (const s of this.stacks) { s.ratio = 2; s._update(); for (const key in s._tiles) if (s._tiles[key].el.gt) s.queue.add(s._tiles[key].el); s.flush(); }
    this.printLegend.replaceChildren(...this.sheet_());
    this.drawScale();
  },
  /* The part of the view that panels do not cover: what the reader was looking at. */
  inner: function () {
    const map = this.map, size = map.getSize(), room = this.room(), a = room.paddingTopLeft || [0, 0], z = room.paddingBottomRight || [0, 0];
    const seen = L.latLngBounds(map.containerPointToLatLng(a), map.containerPointToLatLng([size.x - z[0], size.y - z[1]])), b = this.cfg.bounds;
    const data = b ? L.latLngBounds([[b[1], b[0]], [b[3], b[2]]]) : seen, start = this.cfg.start && L.latLngBounds([[this.cfg.start[1], this.cfg.start[0]], [this.cfg.start[3], this.cfg.start[2]]]);
    return seen.contains(data) ? data : start && seen.contains(start) && !seen.contains(data) && map.getZoom() === map.getBoundsZoom(start.pad(0.1)) ? start : seen;
  },
  printOff: function () {
    if (!this.before) return;
    const b = this.before;
    this.before = null;
    this.shell.classList.remove("gt-printing");
    document.documentElement.classList.remove("gt-print");
    this.map.options.zoomSnap = b.snap;
    for (const s of this.stacks) s.ratio = s.usual;
    this.map.invalidateSize({ animate: false, pan: false });
    this.map.setView(b.center, b.zoom, { animate: false });
    for (const s of this.stacks) s.redraw();
    this.drawScale();
  },

  /* ------------------------------------------------------------- compare */
  buildSwipe: function (main) {
    const self = this, c = this.cfg.compare;
    this.share = 0.5;
    const handle = (this.handle = el("div", { class: "gt-swipe" })), range = el("input", { type: "range", min: 0, max: 100, step: 1, value: 50, class: "gt-swiperange" });
    const left = el("span", { class: "gt-side gt-sideold" }), right = el("span", { class: "gt-side gt-sidenew" });
    handle.append(left, right);
    range.addEventListener("input", function () { self.share = range.value / 100; self.clip(); });
    this.relabelSwipe = function () { range.setAttribute("aria-label", self.t("compare_slider")); const said = function (l) { const s = self.pick(l), d = /^\d{4}-\d\d-\d\d$/.test(s) ? GT.day(s) : null; return bdi(d === null ? s : GT.dayText(d, self.lang)); }; left.replaceChildren(said(c.old)); right.replaceChildren(said(c.new)); };
    L.DomEvent.disableClickPropagation(range);
    const grip = el("div", { class: "gt-grip" });
    handle.append(grip);
    grip.addEventListener("pointerdown", function (e) {
      e.preventDefault(); grip.setPointerCapture(e.pointerId); e.stopPropagation();
      const move = function (m) { const r = main.getBoundingClientRect(); self.share = Math.max(0, Math.min(1, (m.clientX - r.left) / r.width)); range.value = Math.round(self.share * 100); self.clip(); };
      grip.addEventListener("pointermove", move);
      grip.addEventListener("pointerup", function up() { grip.removeEventListener("pointermove", move); grip.removeEventListener("pointerup", up); });
    });
    main.append(handle, range);
  },
  onOldSide: function (p) { return p.x < this.share * this.map.getSize().x; },
  clip: function () {
    if (!this.cfg.compare || !this.map._loaded) return;
    const size = this.map.getSize(), a = this.map.containerPointToLayerPoint([0, 0]), b = this.map.containerPointToLayerPoint(size), x = a.x + this.share * size.x;
    const rect = function (l, r) { return "polygon(" + [[l, a.y], [r, a.y], [r, b.y], [l, b.y]].map(function (p) { return p[0] + "px " + p[1] + "px"; }).join(",") + ")"; };
    this.map.getPane("gt-stack-0").style.clipPath = rect(a.x, x);
    this.map.getPane("gt-stack-1").style.clipPath = rect(x, b.x);
    this.handle.style.left = this.share * 100 + "%";
  }
};

function icon2(d) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24"); svg.setAttribute("aria-hidden", "true"); path.setAttribute("d", d); svg.append(path);
  return svg;
}
})();
