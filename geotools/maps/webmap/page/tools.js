/* Tools: buttons, measuring, dialogs with table and about, paper, and the divider between two states. */
(function () {
"use strict";
const GT = window.geotools, el = GT.ui.el, bdi = GT.ui.bdi, icon = GT.ui.icon;

Object.assign(GT.Page.prototype, {
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
    const whole = this.phone() && this.atFit();
    this.sheet = sheet;
    this.shell.dataset.sheet = sheet;
    if (whole) this.fit(this.fittedTo); // nothing of a whole view hides under the time panel
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
    if (this.sizes() !== this.far) this.legend();
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
          el("td", { class: "gt-cls" }, GT.swatch(layer.spec.classes[layer.cls[f]].symbol, layer.kind === "polygon" ? "area" : layer.kind, 22, 15), bdi(self.className(layer, f, true))), cols.map(function (c) { const v = cell(c, f); return el("td", { class: typeof v === "number" || c.type === "area" ? "gt-num" : null }, bdi(c.type === "area" && typeof v === "number" ? self.bareMetres2(v, c.figure || c.name) : self.show(c, v))); }));
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
    if (sums) out.push(el("p", { class: "gt-sheetsums" }, ["remaining", "cleared", "reduced", "cancelled"].map(function (k) { const chip = el("span", { class: "gt-chip" }); chip.style.background = self.cfg.series.colors[k]; return el("span", { class: "gt-figure" }, chip, self.t("fig_" + k), " ", el("b", null, self.area(sums[k], k))); })));
    const bare = this.layers.some(function (l) { return l.spec.group === "areas"; }) && this.noGround();
    if (bare) out.push(bare);
    if (this.filtered) out.push(el("p", null, el("strong", null, this.t("filtered").replace("{n}", this.count(this.filtered)))));
    out.push(el("p", null, el("strong", null, this.t("not_safe_route")), " ", this.t("no_record")));
    const b = this.map._loaded ? this.map.getBounds() : null, z = this.map.getZoom();
    let plain = 0;
    for (const l of this.layers) {
      if (!l.on || l.spec.silent || !l.tree || (l.spec.minZoom && z < l.spec.minZoom)) continue;
      const col = l.data.cols.get("area_m2"), n = l.spec.classes.map(function () { return 0; }), m2 = n.slice();
      const seen = b ? GT.query(l, GT.mercX(b.getWest()), GT.mercY(b.getNorth()), GT.mercX(b.getEast()), GT.mercY(b.getSouth())) : [];
      const small = GT.small(l, z, seen);
      for (const f of seen) { n[l.cls[f]]++; if (col) m2[l.cls[f]] += (col.codes ? col.dict[col.codes[f]] : col.values[f]) || 0; }
      l.spec.classes.forEach(function (c, k) {
        if (!n[k]) return;
        plain += small[k];
        out.push(el("div", { class: "gt-sheetrow" }, GT.swatch(c.symbol, l.kind === "polygon" ? "area" : l.kind, 26, 16, small[k]), el("span", null, bdi(self.pick(c.label))), l.spec.quiet ? null : el("span", { class: "gt-sum" }, self.count(n[k]), l.kind === "polygon" && col ? " · " + self.area(m2[k], l.spec.id) : "")));
      });
    }
    if (plain) out.push(el("p", { class: "gt-small" }, this.t("small_solid")));
    out.push(el("p", { class: "gt-small" }, this.t("in_this_view") + " WGS 84 · Web Mercator · " + this.printed()));
    return out;
  },
  printed: function () { const f = (this.cfg.facts || []).find(function (x) { return x[0] === "software"; }); return f ? f[1] : ""; },
  print: function () { this.openSheet(""); this.closeCard(); window.print(); },
  printOn: function () {
    if (this.before) return;
    if (this.open) this.open.close(); // paper shows the map, not what lies over it
    this.before = { bounds: this.inner(), center: this.map.getCenter(), zoom: this.map.getZoom(), snap: this.map.options.zoomSnap };
    this.shell.classList.add("gt-printing");
    document.documentElement.classList.add("gt-print");
    this.map.invalidateSize({ animate: false, pan: false });
    this.map.options.zoomSnap = 0; // paper is filled, whatever the scale
    this.map.fitBounds(this.before.bounds, { animate: false, padding: [10, 10] });
    for (const s of this.stacks) { s.ratio = 2; s._update(); for (const key in s._tiles) if (s._tiles[key].el.gt) s.queue.add(s._tiles[key].el); s.flush(); }
    this.printLegend.replaceChildren(...this.sheet_());
    this.shrink(this.printLegend);
    this.drawScale();
  },
  /* The part of the view that panels do not cover: what the reader was looking at. */
  inner: function () {
    const map = this.map, size = map.getSize(), room = this.room(), a = room.paddingTopLeft || [0, 0], z = room.paddingBottomRight || [0, 0];
    const seen = L.latLngBounds(map.containerPointToLatLng(a), map.containerPointToLatLng([size.x - z[0], size.y - z[1]])), b = this.cfg.bounds;
    const data = b ? L.latLngBounds([[b[1], b[0]], [b[3], b[2]]]) : seen, start = this.cfg.start && L.latLngBounds([[this.cfg.start[1], this.cfg.start[0]], [this.cfg.start[3], this.cfg.start[2]]]);
    return seen.contains(data) ? data : start && this.atFit() && this.fittedTo === "start" ? start : seen;
  },
  /* A legend longer than the paper is set smaller: nothing of it is cut off. */
  shrink: function (box) {
    box.style.transform = box.style.width = box.style.height = "";
    const k = Math.max(0.5, box.clientHeight / box.scrollHeight);
    if (k < 1) { box.style.transform = "scale(" + k + ")"; box.style.width = box.clientWidth / k + "px"; box.style.height = 100 / k + "%"; }
  },
  printOff: function () {
    if (!this.before) return;
    const b = this.before;
    this.before = null;
    this.shell.classList.remove("gt-printing");
    document.documentElement.classList.remove("gt-print");
    for (const s of this.stacks) s.ratio = s.usual;
    this.map.invalidateSize({ animate: false, pan: false });
    this.map.setView(b.center, b.zoom, { animate: false });
    this.map.options.zoomSnap = b.snap;
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
});
})();
