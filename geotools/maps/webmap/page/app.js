/* The page itself: words, start, address, what is visible on a day, the frame around the map. Panels, records and tools are in the
   files beside this one. Every text of the data reaches the page through textContent. */
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

function icon2(d) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24"); svg.setAttribute("aria-hidden", "true"); path.setAttribute("d", d); svg.append(path);
  return svg;
}

GT.Page = Page;
GT.ui = { icon: icon, el: el, bdi: bdi };

Page.prototype = {
  /* ------------------------------------------------------------- words */
  t: function (key) { const table = this.cfg.texts[this.lang]; return key in table ? table[key] : key; },
  pick: function (label) { return label === null || label === undefined ? "" : typeof label === "string" ? label : label[this.lang] || label.en || ""; },
  column: function (name) { const c = this.cfg.cols[name]; return c ? this.pick(c) : name; },
  word: function (vocab, key) { const v = this.cfg.words[vocab], w = v && Object.hasOwn(v, key) ? v[key] : null; return w ? this.pick(w) : String(key); },
  toward: function (figure) { return GT.TOWARD[figure === "net_m2" ? "released" : String(figure).replace(/^(old|new)-|_m2$/g, "")]; },
  area: function (m2, figure) { return GT.areaText(m2, this.lang, this.cfg.texts[this.lang], this.toward(figure)); },
  metres2: function (m2, figure) { return GT.metres2(m2, this.lang, this.cfg.texts[this.lang], this.toward(figure)); },
  /* For a column whose heading names the unit. */
  bareMetres2: function (m2, figure) { return this.metres2(m2, figure).slice(0, -1 - this.t("m2").length); },
  length: function (m) { return GT.lengthText(m, this.lang, this.cfg.texts[this.lang]); },
  count: function (n) { return GT.number(n, 0, this.lang); },
  /* Never rounded up: 99.97 % is not all. */
  percent: function (share) { return GT.number(Math.floor(share * 1000 + 1e-9) / 10, 1, this.lang) + "\u00a0%"; },
  show: function (col, value) {
    if (value === null || value === undefined || value === "") return "–";
    if (col.type === "word") return this.word(col.vocab, value);
    if (col.type === "words") { const self = this; return String(value).split(",").map(function (w) { return self.word(col.vocab, w.trim()); }).join(", "); }
    if (col.type === "date") { const d = GT.day(value); return d === null ? String(value) : GT.dayText(d, this.lang); }
    if (col.type === "area") return this.metres2(value, col.name) + (value >= 1e4 ? " (" + this.area(value, col.name) + ")" : "");
    if (col.type === "share") return this.percent(value);
    if (typeof value === "boolean") return this.t(value ? "yes" : "no");
    if (typeof value === "number") return GT.number(value, Number.isInteger(value) ? 0 : 2, this.lang) + (col.unit ? "\u00a0" + col.unit : "");
    return String(value);
  },

  /* ------------------------------------------------------------- begin */
  begin: async function () {
    const map = this.map, self = this, root = map.getContainer();
    try {
      this.cfg = await GT.json("gt-page");
      this.specs = await Promise.all(Array.from(document.querySelectorAll("script[data-gt-layer]")).map(function (s) { return GT.json(s.id); }));
    } catch (error) { this.fail(error); return; }
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
    if (!map._loaded) map.setView([0, 0], 2); // until the panels have their sizes
    this.buildPanel();
    this.fit(this.hash.v || "start");
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
    const said = this.lang ? this.t("broken") : "The data of this page are damaged. Get the file again."; // without its words
    (this.shell || document.body).append(el("div", { class: "gt-fail", role: "alert" }, said, el("p", null, String(error && error.message))));
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
    const parts = ["v=" + this.view()];
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
  }
};
})();
