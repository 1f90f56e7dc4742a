/* Records: searching them, going to them, what lies under the pointer, the card with the ledger line. */
(function () {
"use strict";
const GT = window.geotools, el = GT.ui.el, bdi = GT.ui.bdi, icon = GT.ui.icon;

Object.assign(GT.Page.prototype, {
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
    const time = this.time.getBoundingClientRect(), over = time.height ? this.map.getContainer().getBoundingClientRect().bottom - time.top + 10 : 0;
    const left = phone ? 12 : this.panel.offsetWidth + 30, right = phone ? 56 : 70 + card, top = (phone ? 66 : 24) + (this.chip.hidden ? 0 : this.chip.offsetHeight + 6), bottom = Math.max(over, phone ? (this.card.hidden ? 120 : Math.min(size.y * 0.55, 330)) : 60);
    return size.x - left - right < 60 || size.y - top - bottom < 60 ? { padding: [6, 6] } : { paddingTopLeft: [left, top], paddingBottomRight: [right, bottom] };
  },
  fitBounds: function (b, maxZoom) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.map.fitBounds(b, Object.assign({ maxZoom: maxZoom || 18, animate: !calm && undefined }, this.room()));
  },
  /* A whole view fills what the panels leave free, between two whole zooms too; on a phone beside the buttons or below them. */
  fit: function (view) {
    const map = this.map, o = map.options, snap = o.zoomSnap, v = /^(-?[\d.]+),(-?[\d.]+),(\d+(?:\.\d+)?)$/.exec(view || "");
    const b = (view === "start" && this.cfg.start) || this.cfg.bounds, own = v && Math.abs(+v[1]) <= 90;
    o.zoomSnap = 0.05;
    if (own) map.setView([+v[1], +v[2]], +v[3], { animate: false });
    else if (b) {
      const box = [[b[1], b[0]], [b[3], b[2]]], one = this.room(), two = this.phone() && one.paddingTopLeft && { paddingTopLeft: [12, 216], paddingBottomRight: [12, one.paddingBottomRight[1]] };
      const zoom = function (r) { const p = r.padding || [0, 0]; return map.getBoundsZoom(box, false, L.point(r.paddingTopLeft || p).add(r.paddingBottomRight || p)); };
      map.fitBounds(box, Object.assign({ maxZoom: 17, animate: false }, two && zoom(two) > zoom(one) ? two : one));
    } else if (!map._loaded) map.setView([0, 0], 2);
    o.zoomSnap = snap;
    this.fitted = own ? null : { center: map.getCenter(), zoom: map.getZoom() };
    this.fittedTo = view;
  },
  /* Whether the view is still that of the last fit; a change of the window's size may have moved it by a pixel. */
  atFit: function () {
    const map = this.map, f = this.fitted;
    return !!f && map.getZoom() === f.zoom && map.project(map.getCenter()).distanceTo(map.project(f.center)) < 2;
  },
  view: function () { const c = this.map.getCenter(); return [c.lat.toFixed(6), c.lng.toFixed(6), +this.map.getZoom().toFixed(2)].join(","); },
  /* The page opens on the main block of data: say what lies elsewhere. */
  outside: function () {
    const self = this, b = this.cfg.start, l = this.layers.find(function (x) { return x.spec.kind === "hazards" && x.spec.id.endsWith("hazards"); });
    if (!l) return;
    let n = 0;
    for (const f of l.order) if (GT.lon(l.box[4 * f]) > b[2] || GT.lon(l.box[4 * f + 2]) < b[0] || GT.lat(l.box[4 * f + 3]) > b[3] || GT.lat(l.box[4 * f + 1]) < b[1]) n++;
    if (!n) return;
    this.chip.replaceChildren(el("span", null, this.t("outside_view").replace("{n}", this.count(n))), el("button", { type: "button", onclick: function () { self.chip.hidden = true; self.fit(); } }, this.t("whole_map")));
    this.chip.hidden = false;
    this.fit("start"); // below the words
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
    const parts = { cleared: line.cleared, reduced: line.reduced, cancelled: line.cancelled };
    parts.out = total - line.remaining - line.cleared - line.reduced - line.cancelled; // transferred, corrected
    const share = total > 0 ? GT.shares(total, parts) : null;
    const lines = ["remaining", "cleared", "reduced", "cancelled"].map(function (k) {
      const v = line[k] || 0, part = el("span"), chip = el("span", { class: "gt-chip" });
      part.style.width = (100 * v) / (total || 1) + "%"; part.style.background = chip.style.background = colors[k];
      bar.append(part);
      return el("tr", null, el("th", { scope: "row" }, chip, self.t("fig_" + k)), el("td", null, self.metres2(v, k)), el("td", null, share ? GT.number(share[k], 1, self.lang) + "\u00a0%" : "–"));
    });
    for (const k of ["processed", "outside", "overlap"]) {
      const v = line[k];
      if (v > 0.5) lines.push(el("tr", { class: "gt-beside" }, el("th", { scope: "row" }, self.t("fig_" + k)), el("td", null, self.metres2(v)), el("td", null, "")));
    }
    return el("div", { class: "gt-ledger" }, bar, el("table", null, el("caption", null, self.t("ledger") + " · " + (now !== Infinity && l.spec.book ? GT.dayText(now, this.lang) : this.cfg.asOf ? GT.dayText(GT.day(this.cfg.asOf), this.lang) : self.t("unknown_date"))), el("tbody", null, lines,
      el("tr", { class: "gt-total" }, el("th", { scope: "row" }, self.t("recorded_area")), el("td", null, self.metres2(total)), el("td", null, "")))));
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
  say: function (text) { const self = this; this.toast.textContent = text; this.toast.classList.add("gt-on"); clearTimeout(this.toastTimer); this.toastTimer = setTimeout(function () { self.toast.classList.remove("gt-on"); }, 6000); }
});
})();
