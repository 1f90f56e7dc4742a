/* Decoding, coordinates, measuring and words. For what the page computes; not for what it shows. */
(function () {
"use strict";
const GT = (window.geotools = window.geotools || {});

/* ---------------------------------------------------------------- payload */

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

async function inflate(bytes) {
  if (typeof DecompressionStream === "function") {
    /* Written and read by hand: a Response in between would hand small pieces through a pipe, four times slower. */
    const stream = new DecompressionStream("gzip"), writer = stream.writable.getWriter(), reader = stream.readable.getReader(), parts = [];
    const written = Promise.all([writer.write(bytes), writer.close()]);
    written.catch(function () { /* reading says it, too */ });
    let size = 0, at = 0;
    for (let got = await reader.read(); !got.done; got = await reader.read()) { parts.push(got.value); size += got.value.length; }
    await written;
    const out = new Uint8Array(size);
    for (const part of parts) { out.set(part, at); at += part.length; }
    return out;
  }
  return fflate.gunzipSync(bytes);
}

function takeText(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error("data block " + id + " is missing");
  const text = element.textContent.trim();
  element.textContent = "";
  return text;
}

GT.bytes = function (id) { return fromBase64(takeText(id)); };

GT.decode = async function (id) {
  return GT.decodeBody(await inflate(GT.bytes(id)));
};

GT.json = async function (id) { return JSON.parse(new TextDecoder().decode(await inflate(GT.bytes(id)))); };

GT.decodeBody = function (body) {
  const size = new DataView(body.buffer, body.byteOffset, 4).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(body.subarray(4, 4 + size)));
  if (head.v !== 1) throw new Error("unknown payload version");
  let at = 4 + size;
  function unsigned() {
    let value = 0, scale = 1, byte;
    do {
      if (at >= body.length) throw new Error("the payload ends too early");
      byte = body[at++];
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value;
  }
  const nf = head.nf, nr = head.nr, np = head.np;
  const rings = new Uint32Array(nf + 1), points = new Uint32Array(nr + 1);
  for (let i = 0; i < nf; i++) rings[i + 1] = rings[i] + unsigned();
  if (rings[nf] !== nr) throw new Error("ring counts do not agree");
  for (let i = 0; i < nr; i++) points[i + 1] = points[i] + unsigned();
  if (points[nr] !== np) throw new Error("point counts do not agree");
  const X = new Float64Array(np), Y = new Float64Array(np);
  /* Zigzag deltas, summed in doubles: values pass 2^32. Reading past the end leaves `at` beyond it, which is told below. */
  const axis = function (out) {
    let sum = 0, next = at;
    for (let i = 0; i < np; i++) {
      let byte = body[next++], value = byte & 127, scale = 128;
      while (byte > 127) { byte = body[next++]; value += (byte & 127) * scale; scale *= 128; }
      sum += value & 1 ? -(value + 1) / 2 : value / 2;
      out[i] = sum / 1e7;
    }
    at = next;
  };
  axis(X);
  axis(Y);
  for (let i = 0; i < np; i++) { X[i] = GT.mercX(X[i]); Y[i] = GT.mercY(Y[i]); }
  if (at > body.length) throw new Error("the payload ends too early");
  if (at !== body.length) throw new Error("the payload is longer than its counts");
  const cols = new Map();
  for (const name of Object.keys(head.cols)) {
    const col = head.cols[name];
    if ((col.codes || col.values).length !== nf) throw new Error("column lengths do not agree");
    cols.set(name, col.codes ? { dict: col.dict, codes: (col.dict.length < 65536 ? Uint16Array : Uint32Array).from(col.codes) } : { values: col.values });
  }
  return { kind: head.kind, nf: nf, rings: rings, points: points, X: X, Y: Y, cols: cols };
};

GT.value = function (data, name, f) {
  const col = data.cols.get(name);
  if (!col) return null;
  return col.codes ? col.dict[col.codes[f]] : col.values[f];
};

/* -------------------------------------------------------------- projection */

const DEG = Math.PI / 180, MAX_LAT = 85.05112878;
GT.mercX = function (lon) { return lon / 360 + 0.5; };
GT.mercY = function (lat) {
  const s = Math.sin(Math.max(-MAX_LAT, Math.min(MAX_LAT, lat)) * DEG);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
};
GT.lon = function (x) { return (x - 0.5) * 360; };
GT.lat = function (y) { return (2 * Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) - Math.PI / 2) / DEG; };

/* Transverse Mercator after Krüger, series to n^3, on WGS 84 */
const A = 6378137, F = 1 / 298.257223563, E2 = F * (2 - F), B = A * (1 - F);
const N = F / (2 - F), RECT = (A / (1 + N)) * (1 + N * N / 4 + N * N * N * N / 64);
const AL = [N / 2 - (2 / 3) * N * N + (5 / 16) * N ** 3, (13 / 48) * N * N - (3 / 5) * N ** 3, (61 / 240) * N ** 3];
const BE = [N / 2 - (2 / 3) * N * N + (37 / 96) * N ** 3, (1 / 48) * N * N + (1 / 15) * N ** 3, (17 / 480) * N ** 3];
const DE = [2 * N - (2 / 3) * N * N - 2 * N ** 3, (7 / 3) * N * N - (8 / 5) * N ** 3, (56 / 15) * N ** 3];

GT.zone = function (lon, lat) {
  if (lat >= 56 && lat < 64 && lon >= 3 && lon < 12) return 32;
  if (lat >= 72 && lat < 84 && lon >= 0 && lon < 42) return lon < 9 ? 31 : lon < 21 ? 33 : lon < 33 ? 35 : 37;
  return Math.min(60, Math.floor((lon + 180) / 6) + 1);
};

GT.toUtm = function (lon, lat, zone) {
  const z = zone || GT.zone(lon, lat), phi = lat * DEG, lam = (lon - (z * 6 - 183)) * DEG;
  const c = 2 * Math.sqrt(N) / (1 + N);
  const t = Math.sinh(Math.atanh(Math.sin(phi)) - c * Math.atanh(c * Math.sin(phi)));
  const xi = Math.atan2(t, Math.cos(lam)), eta = Math.atanh(Math.sin(lam) / Math.sqrt(1 + t * t));
  let e = eta, n = xi;
  for (let j = 1; j <= 3; j++) {
    e += AL[j - 1] * Math.cos(2 * j * xi) * Math.sinh(2 * j * eta);
    n += AL[j - 1] * Math.sin(2 * j * xi) * Math.cosh(2 * j * eta);
  }
  return { zone: z, south: lat < 0, e: 500000 + 0.9996 * RECT * e, n: 0.9996 * RECT * n + (lat < 0 ? 1e7 : 0) };
};

GT.fromUtm = function (zone, south, e, n) {
  const xi0 = (n - (south ? 1e7 : 0)) / (0.9996 * RECT), eta0 = (e - 500000) / (0.9996 * RECT);
  let xi = xi0, eta = eta0;
  for (let j = 1; j <= 3; j++) {
    xi -= BE[j - 1] * Math.sin(2 * j * xi0) * Math.cosh(2 * j * eta0);
    eta -= BE[j - 1] * Math.cos(2 * j * xi0) * Math.sinh(2 * j * eta0);
  }
  const chi = Math.asin(Math.sin(xi) / Math.cosh(eta));
  let phi = chi;
  for (let j = 1; j <= 3; j++) phi += DE[j - 1] * Math.sin(2 * j * chi);
  return [zone * 6 - 183 + Math.atan2(Math.sinh(eta), Math.cos(xi)) / DEG, phi / DEG];
};

/* Coordinates as people read them: whole metres cut off in UTM as in MGRS, so that both name the same square. */
GT.readings = function (lon, lat) {
  const out = { ll: lat.toFixed(6) + ", " + lon.toFixed(6), utm: "", mgrs: "" };
  if (lat > 84 || lat < -80) return out;
  try {
    const u = GT.toUtm(lon, lat);
    out.utm = u.zone + (u.south ? "S" : "N") + " " + Math.floor(u.e) + " " + Math.floor(u.n);
    const m = mgrs.forward([lon, lat], 5);
    out.mgrs = m.replace(/^(\d+[A-Z])([A-Z]{2})(\d{5})(\d{5})$/, "$1 $2 $3 $4");
  } catch (error) { /* outside the grid */ }
  return out;
};

/* A place typed by a person: degrees, degrees-minutes-seconds, UTM or MGRS. Returns [lon, lat] or null. */
GT.parsePlace = function (text) {
  const plain = String(text).trim().toUpperCase().replace(/\s+/g, " ");
  const square = plain.replace(/^MGRS:? ?/, "").replace(/ /g, "");
  if (/^\d{1,2}[C-HJ-NP-X][A-HJ-NP-Z][A-HJ-NP-V](\d\d){0,5}$/.test(square)) {
    try { return mgrs.toPoint(square); } catch (error) { return null; }
  }
  const utm = plain.match(/^(?:UTM:? ?)?(\d{1,2}) ?([NS]),? (\d{6,7}(?:\.\d+)?) ?M?E?,? (\d{4,8}(?:\.\d+)?) ?M?N?$/);
  if (utm && +utm[1] >= 1 && +utm[1] <= 60) return sane(GT.fromUtm(+utm[1], utm[2] === "S", +utm[3], +utm[4]));
  const marks = plain.match(/[NSEW]/g) || [];
  const numbers = plain.replace(/(\d),(\d{3,})(?=\D|$)/g, "$1.$2").match(/-?\d+(?:\.\d+)?/g);
  if (!numbers) return null;
  let pair;
  if (numbers.length === 2) pair = [+numbers[0], +numbers[1]];
  else if (numbers.length === 4 || numbers.length === 6) {
    const half = numbers.length / 2;
    const angle = function (parts) {
      return parts.reduce(function (sum, p, i) { return sum + (Math.abs(+p) / 60 ** i) * (i ? Math.sign(+parts[0]) || 1 : Math.sign(+p) || 1); }, 0);
    };
    pair = [angle(numbers.slice(0, half)), angle(numbers.slice(half))];
  } else return null;
  if (marks.length === 2) {
    if (marks[0] === "S" || marks[0] === "W") pair[0] = -pair[0];
    if (marks[1] === "S" || marks[1] === "W") pair[1] = -pair[1];
    if (marks[0] === "E" || marks[0] === "W") pair.reverse();
  }
  return sane([pair[1], pair[0]]);
};
function sane(p) { return isFinite(p[0]) && isFinite(p[1]) && Math.abs(p[0]) <= 180 && Math.abs(p[1]) <= 85 ? p : null; }

/* --------------------------------------------------------------- measuring */

/* Geodesic length after Vincenty; metres. */
GT.distance = function (a, b) {
  const L = (b[0] - a[0]) * DEG, U1 = Math.atan((1 - F) * Math.tan(a[1] * DEG)), U2 = Math.atan((1 - F) * Math.tan(b[1] * DEG));
  const s1 = Math.sin(U1), c1 = Math.cos(U1), s2 = Math.sin(U2), c2 = Math.cos(U2);
  let lam = L, sig, ssig, csig, ca2, cm, before;
  for (let i = 0; i < 200; i++) {
    const sl = Math.sin(lam), cl = Math.cos(lam);
    ssig = Math.hypot(c2 * sl, c1 * s2 - s1 * c2 * cl);
    if (ssig === 0) return 0;
    csig = s1 * s2 + c1 * c2 * cl;
    sig = Math.atan2(ssig, csig);
    const sa = (c1 * c2 * sl) / ssig;
    ca2 = 1 - sa * sa;
    cm = ca2 === 0 ? 0 : csig - (2 * s1 * s2) / ca2;
    const C = (F / 16) * ca2 * (4 + F * (4 - 3 * ca2));
    before = lam;
    lam = L + (1 - C) * F * sa * (sig + C * ssig * (cm + C * csig * (2 * cm * cm - 1)));
    if (Math.abs(lam - before) < 1e-12) break;
  }
  const u2 = (ca2 * (A * A - B * B)) / (B * B);
  const a1 = 1 + (u2 / 16384) * (4096 + u2 * (-768 + u2 * (320 - 175 * u2)));
  const b1 = (u2 / 1024) * (256 + u2 * (-128 + u2 * (74 - 47 * u2)));
  const ds = b1 * ssig * (cm + (b1 / 4) * (csig * (2 * cm * cm - 1) - (b1 / 6) * cm * (4 * ssig * ssig - 3) * (4 * cm * cm - 3)));
  return B * a1 * (sig - ds);
};

/* Area on the ellipsoid of a ring drawn with short edges: an equal-area plane on the authalic sphere about its first point. */
const E1 = Math.sqrt(E2);
function qOf(phi) {
  const s = Math.sin(phi);
  return (1 - E2) * (s / (1 - E2 * s * s) - Math.log((1 - E1 * s) / (1 + E1 * s)) / (2 * E1));
}
const QP = qOf(Math.PI / 2), RQ = A * Math.sqrt(QP / 2);
GT.area = function (ring) {
  if (ring.length < 3) return 0;
  const beta0 = Math.asin(qOf(ring[0][1] * DEG) / QP), s0 = Math.sin(beta0), c0 = Math.cos(beta0);
  const flat = ring.map(function (p) {
    const beta = Math.asin(Math.max(-1, Math.min(1, qOf(p[1] * DEG) / QP))), l = (p[0] - ring[0][0]) * DEG;
    const k = Math.sqrt(2 / (1 + s0 * Math.sin(beta) + c0 * Math.cos(beta) * Math.cos(l)));
    return [RQ * k * Math.cos(beta) * Math.sin(l), RQ * k * (c0 * Math.sin(beta) - s0 * Math.cos(beta) * Math.cos(l))];
  });
  let twice = 0;
  for (let i = 0; i < flat.length; i++) {
    const p = flat[i], q = flat[(i + 1) % flat.length];
    twice += p[0] * q[1] - q[0] * p[1];
  }
  return Math.abs(twice) / 2;
};

/* ------------------------------------------------------------------- words */

const LETTERS = { "İ": "i", "I": "i", "ı": "i", "ə": "e", "Ə": "e", "ß": "ss", "ø": "o", "Ø": "o" };
GT.fold = function (text) {
  return String(text).replace(/[İIıəƏßøØ]/g, function (c) { return LETTERS[c]; }).toLowerCase().normalize("NFKD")
    .replace(/\p{M}/gu, "").replace(/[^\p{L}\p{N}+]+/gu, " ").trim();
};

/* Text for a canvas: no control characters and no marks that turn the direction of what follows. */
GT.clean = function (text) { return String(text).replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, " "); };

const DAY = 86400000;
GT.day = function (iso) {
  const m = /^(-?\d{4,6})-(\d\d)-(\d\d)/.exec(iso || "");
  return m ? Math.floor(Date.UTC(+m[1], +m[2] - 1, +m[3]) / DAY) : null;
};
GT.iso = function (day) { return new Date(day * DAY).toISOString().slice(0, 10); };
/* Months and separators are our own: browsers do not know all four languages. */
GT.texts = {};
GT.dayText = function (day, lang) {
  const date = new Date(day * DAY), texts = GT.texts[lang];
  return date.getUTCDate() + " " + (texts ? texts.months.split(" ")[date.getUTCMonth()] : date.getUTCMonth() + 1) + " " + date.getUTCFullYear();
};
GT.number = function (value, digits, lang) {
  const texts = GT.texts[lang] || { decimal: ".", thousands: "" }, parts = Math.abs(value).toFixed(digits).split(".");
  const whole = parts[0].replace(/\B(?=(\d{3})+$)/g, texts.thousands);
  const zero = !/[1-9]/.test(parts.join(""));
  return (value < 0 && !zero ? "\u2212" : "") + whole + (digits ? texts.decimal + parts[1] : "");
};
/* The rule of geotools/model/figures.py: released ground is cut, remaining rounded up. */
GT.TOWARD = { released: "down", cleared: "down", reduced: "down", cancelled: "down", remaining: "up", no_ground: "up" };
GT.metres2 = function (m2, lang, units, toward) {
  if (m2 === null || m2 === undefined || !isFinite(m2)) return "–";
  const unit = Math.abs(m2) < 10 ? 10 : 1, v = toward === "down" ? Math.floor((m2 + 1e-3) * unit) / unit : toward === "up" ? Math.ceil((m2 - 1e-3) * unit) / unit : m2;
  return GT.number(v, v >= 0.05 && v < 9.95 ? 1 : 0, lang) + "\u00a0" + units.m2;
};
GT.areaText = function (m2, lang, units, toward) {
  if (m2 === null || m2 === undefined || !isFinite(m2)) return "–";
  if (m2 < 1e4) return GT.metres2(m2, lang, units, toward);
  const at = m2 / 100, ha = toward === "down" ? Math.floor(at + 1e-6) : toward === "up" ? Math.ceil(at - 1e-6) : Math.round(at);
  return GT.number(ha / 100, 2, lang) + "\u00a0" + units.ha;
};
/* Percent of a whole: released is cut, what remains is the rest to 100.0, and nothing where more was released than the whole. */
GT.shares = function (whole, parts) {
  const cut = (v) => Math.floor(v + 1e-6), sum = (list) => list.reduce((a, v) => a + v, 0);
  const keys = Object.keys(parts), known = keys.map((k) => Math.max(parts[k] || 0, 0)), all = Math.max(whole, sum(known));
  const exact = known.map((v) => (v / all) * 1000), given = exact.map(cut);
  const short = keys.map((_, i) => i).sort((a, b) => given[a] - exact[a] - given[b] + exact[b] || a - b);
  short.slice(0, Math.max(0, Math.min(1000, cut(sum(exact))) - sum(given))).forEach((i) => given[i]++);
  const out = { remaining: (1000 - sum(given)) / 10 };
  keys.forEach((k, i) => { out[k] = given[i] / 10; });
  return out;
};
GT.lengthText = function (m, lang, units) {
  return m >= 1000 ? GT.number(m / 1000, m >= 1e4 ? 1 : 3, lang) + "\u00a0" + units.km : GT.number(m, m < 100 ? 1 : 0, lang) + "\u00a0" + units.m;
};
})();
