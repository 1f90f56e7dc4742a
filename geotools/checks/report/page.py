"""Puts the page together: counts by rule, severity and organisation, trend, and every issue with its thumbnail.

Every text of the data goes through `html.escape`; the page loads nothing and its policy forbids it to.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib import resources
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geotools.checks import messages
from geotools.checks.compare import compare
from geotools.checks.layers import Data
from geotools.checks.registry import rules
from geotools.checks.report.minimap import minimap
from geotools.checks.rule import Finding
from geotools.model import provenance
from geotools.model.programme import Programme
from geotools.model.schema.issues import SEVERITIES
from geotools.model.vocab import vocabulary

MOST_CARDS = 100  # of one rule; the rest is in the table files, and the page says so
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def page(
    issues: pd.DataFrame,
    survey: Any = None,
    *,
    since: pd.DataFrame | None = None,
    language: str = "en",
    title: str = "",
) -> str:
    """The report of one run.

    Parameters
    ----------
    issues
        The ISSUES table.
    survey
        `Survey` or mapping of kind to frame, for thumbnails and organisations; None: a page without them.
    since
        ISSUES of an earlier run, for the trend.
    language
        ``en``, ``az``, ``tr`` or ``ru`` for the words of the page.
    title
        Name of the survey; default: that of `survey`.

    Returns
    -------
    str
        A complete HTML document that needs no network.

    Examples
    --------
    >>> from geotools.model.schema import Issue, issues_frame
    >>> text = page(issues_frame([Issue("GC-01", "error", "hazards", "<b>", message="<b> is odd")]))
    >>> "<b> is odd" in text, "&lt;b&gt; is odd" in text
    (False, True)
    """
    data = Data.of(survey if survey is not None else {}, Programme())
    table = _table(issues, since)
    table["organisation"] = _organisations(table, data)
    say = _Say(language)
    name = title or str(getattr(survey, "name", "") or say("untitled"))
    body = [
        _header(name, table, say, trend=since is not None),
        "<main>",
        _by_rule(table, say, trend=since is not None),
        _by_organisation(table, say),
        _filters(table, say, trend=since is not None),
        *_groups(table, data, say),
        "</main>",
        f"<footer class='dim'>{say('footer')}</footer>",
    ]
    read = resources.files("geotools.checks.report").joinpath
    head = (
        f'<!doctype html><html lang="{say.language}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">'
        f"<title>{escape(name)} – {say('title')}</title><style>{read('page.css').read_text('utf-8')}</style></head><body>"
    )
    return head + "\n".join(body) + f"<script>{read('page.js').read_text('utf-8')}</script></body></html>\n"


class _Say:
    """Words of the page in one language, escaped."""

    def __init__(self, language: str) -> None:
        self.language = language if language in messages.languages() else "en"
        self.titles = {rule.code: rule for rule in rules()[0]}

    def __call__(self, key: str, **words: Any) -> str:
        return escape(messages.text("report", key, self.language).format_map(words))

    def rule(self, code: str, key: str = "title") -> str:
        rule = self.titles.get(code)
        said = messages.of_check(rule, key, self.language) if rule else messages.text(code, key, self.language)
        return escape(said)

    def record(self, kind: str, id: str) -> str:
        return escape(messages.record(Finding(kind, id), self.language) or self("title"))

    def severity(self, key: str) -> str:
        return escape(vocabulary("severity").label(key, self.language))

    def state(self, key: str) -> str:
        return self(f"state_{key}")


def _table(issues: pd.DataFrame, since: pd.DataFrame | None) -> gpd.GeoDataFrame:
    table = compare(issues if since is None else since, issues)
    if since is None:
        table["state"] = ""
    rank = {severity: k for k, severity in enumerate(SEVERITIES)}
    order = table.assign(_rank=table["severity"].map(rank)).sort_values(["_rank", "check"], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def _organisations(table: pd.DataFrame, data: Data) -> list[str]:
    out = []
    for kind, name in zip(table["kind"], table["id"], strict=True):
        layer = data.layers.get(kind)
        row = layer.index.get(name) if layer is not None else None
        out.append(str(layer.text("organisation")[row] or "") if layer is not None and row is not None else "")
    return out


def _present(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["state"] != "fixed"]


def _header(name: str, table: pd.DataFrame, say: _Say, *, trend: bool) -> str:
    now = _present(table)
    tiles = [
        f'<div class="tile {s}"><b>{int((now["severity"] == s).sum())}</b>{say.severity(s)}</div>' for s in SEVERITIES
    ]
    if trend:
        tiles += [
            f'<div class="tile"><b>{int((table["state"] == s).sum())}</b>{say.state(s)}</div>'
            for s in ("new", "open", "fixed")
        ]
    none = f"<p>{say('none')}</p>" if now.empty else ""
    made = f"geotools {escape(provenance.version())} · {provenance.now().strftime('%Y-%m-%d %H:%M')} UTC"
    return f"<header><p class='dim'>{say('title')} · {made}</p><h1>{escape(name)}</h1><div class='tiles'>{''.join(tiles)}</div>{none}</header>"


def _count_row(cells: list[str], counts: list[int]) -> str:
    return (
        "<tr>"
        + "".join(f"<td>{c}</td>" for c in cells)
        + "".join(f'<td class="num">{n}</td>' for n in counts)
        + "</tr>"
    )


def _by_rule(table: pd.DataFrame, say: _Say, *, trend: bool) -> str:
    if table.empty:
        return ""
    states = ("new", "open", "fixed") if trend else ()
    heads = [say("rule"), say("what"), say("severity")]
    numbers = [say("count"), *(say.state(s) for s in states)]
    rows = []
    for (severity, code), group in table.groupby(["severity", "check"], sort=False):
        counts = [len(_present(group)), *(int((group["state"] == s).sum()) for s in states)]
        tag = f'<span class="tag {escape(str(severity))}">{say.severity(str(severity))}</span>'
        rows.append(
            _count_row(
                [f'<a href="#{_anchor(severity, code)}">{escape(str(code))}</a>', say.rule(str(code)), tag], counts
            )
        )
    return f"<h2>{say('by_rule')}</h2>" + _html_table(heads, numbers, rows)


def _html_table(heads: list[str], numbers: list[str], rows: list[str]) -> str:
    head = "".join(f"<th>{h}</th>" for h in heads) + "".join(f'<th class="num">{n}</th>' for n in numbers)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _by_organisation(table: pd.DataFrame, say: _Say) -> str:
    now = _present(table)
    if now.empty or not (now["organisation"] != "").any():
        return ""
    rows = []
    for name, group in now.groupby("organisation", sort=True):
        counts = [int((group["severity"] == s).sum()) for s in SEVERITIES]
        rows.append(_count_row([escape(str(name)) or say("no_organisation")], [*counts, len(group)]))
    heads = [say.severity(s) for s in SEVERITIES]
    return f"<h2>{say('by_organisation')}</h2>" + _html_table([say("organisation")], [*heads, say("count")], rows)


def _filters(table: pd.DataFrame, say: _Say, *, trend: bool) -> str:
    if table.empty:
        return ""
    choices: Mapping[str, list[tuple[str, str]]] = {
        "severity": [(s, say.severity(s)) for s in SEVERITIES],
        "organisation": [(o, escape(o)) for o in sorted(set(table["organisation"])) if o],
        "state": [(s, say.state(s)) for s in ("new", "open", "fixed")] if trend else [],
    }
    boxes = []
    for name, options in choices.items():
        if options:
            items = "".join(f'<option value="{escape(value)}">{label}</option>' for value, label in options)
            boxes.append(
                f'<select id="{name}" aria-label="{say(name)}"><option value="">{say(name)}: {say("all")}</option>{items}</select>'
            )
    search = f'<input id="search" type="search" placeholder="{say("search")}" aria-label="{say("search")}">'
    return f'<h2>{say("issues")}</h2><div class="filter">{search}{"".join(boxes)}</div>'


def _anchor(severity: Any, code: Any) -> str:
    return escape(f"{code}-{severity}")


def _groups(table: gpd.GeoDataFrame, data: Data, say: _Say) -> list[str]:
    out = []
    for (severity, code), group in table.groupby(["severity", "check"], sort=False):
        shown = group.head(MOST_CARDS)
        spots = data.to_plane(shown.geometry.array)
        cards = [_card(row, spot, data, say) for row, spot in zip(shown.itertuples(index=False), spots, strict=True)]
        more = (
            f"<p class='why dim'>{say('more', shown=len(shown), total=len(group))}</p>"
            if len(group) > len(shown)
            else ""
        )
        out.append(
            f'<details id="{_anchor(severity, code)}"><summary><span class="tag {escape(str(severity))}">{escape(str(code))}</span> '
            f"{say.rule(str(code))} ({len(group)})</summary><p class='why dim'>{say.rule(str(code), 'remedy')}</p>{more}"
            f'<div class="cards">{"".join(cards)}</div></details>'
        )
    return out


def _card(row: Any, spot: Any, data: Data, say: _Say) -> str:
    layer = data.layers.get(row.kind)
    place = layer.index.get(row.id) if layer is not None else None
    label = say.record(row.kind, row.id)
    picture = minimap(data, layer, place, spot, label)
    state = f' <span class="tag state">{say.state(row.state)}</span>' if row.state else ""
    facts = " · ".join(
        f"{name}: {escape(str(v))}" for name, v in ((say("value"), row.value), (say("limit"), row.limit)) if v
    )
    where = _where(row.geometry)
    # the remedy stands once at the head of the group
    said = escape(row.message).removesuffix(say.rule(row.check, "remedy")).rstrip()
    lines = [f"<p>{said.removeprefix(label + ':').strip()}</p>"]
    lines += [f"<p class='dim'>{text}</p>" for text in (facts, where) if text]
    attributes = f'data-severity="{escape(row.severity)}" data-organisation="{escape(row.organisation)}" data-state="{escape(row.state)}"'
    return (
        f'<article class="card" {attributes}>{picture}<div><p><b>{label}</b>{state}</p>{"".join(lines)}</div></article>'
    )


def _where(shape: Any) -> str:
    if shape is None or shape.is_empty:
        return ""
    point = shapely.centroid(shape)
    return "" if point.is_empty else f"{point.y:.6f}, {point.x:.6f} (lat, lon)"
