"""All rules in one explicit table, and how they are run: `check`, `catalogue`, `select`.

A rule that raises becomes an issue of its own (CK-00); the others go on. Plug-ins join by the entry-point group
`geotools.checks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.metadata import entry_points
from typing import Any

import geopandas as gpd
import pandas as pd

from geotools.checks import areas, attributes, disclosure, geometry, marks, relations, systems, workflow
from geotools.checks import messages as _messages
from geotools.checks.layers import Data
from geotools.checks.rule import Check, Finding
from geotools.model.doors import checked
from geotools.model.errors import SchemaError
from geotools.model.parallel import iter_ordered, on_cluster
from geotools.model.programme import DEFAULT_LIMITS, Programme
from geotools.model.progress import Progress, tracked
from geotools.model.schema import Issue, issues_frame
from geotools.model.schema.issues import SEVERITIES

GROUP = "geotools.checks"
FAILED = Check("CK-00", None, (), "error", evaluated_by="checks")

CHECKS: tuple[Check, ...] = (
    *geometry.RULES,
    *marks.RULES,
    *attributes.RULES,
    *relations.RULES,
    *systems.RULES,
    *workflow.RULES,
    *areas.RULES,
    *disclosure.RULES,
    FAILED,
)


def rules() -> tuple[tuple[Check, ...], tuple[Issue, ...]]:
    """Our rules and those of plug-ins, and an issue for every plug-in that cannot be loaded."""
    found, broken = list(CHECKS), []
    for entry in sorted(entry_points(group=GROUP), key=lambda e: e.name):
        try:
            loaded = entry.load()
            more = [loaded] if isinstance(loaded, Check) else list(loaded)
            if not all(isinstance(check, Check) for check in more):
                raise TypeError("it is not a geotools.checks.Check")
        except Exception as error:
            broken.append(_failed(entry.name, error, "en", severity="warning"))
        else:
            found += more
    return tuple(found), tuple(broken)


@checked
def check(
    survey: Any,
    *,
    programme: Programme | None = None,
    only: str | Sequence[str] | None = None,
    exclude: str | Sequence[str] | None = None,
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Find errors in the records of a survey and explain each in words.

    Parameters
    ----------
    survey
        A `Survey`, or a mapping of record kind to frame, in any reference systems.
    programme
        Limits, extent and language (the first of `languages`); default: the survey's own, else the defaults.
    only, exclude
        Codes, or beginnings of codes (``GC``, ``TP-0``), to run or to leave out.

    Returns
    -------
    GeoDataFrame
        The ISSUES table (check, severity, kind, id, column, message, value, limit, geometry) in WGS 84, worst first;
        the same whatever the order of the rows.

    Raises
    ------
    SchemaError
        If `survey` is neither of these, or a code is unknown.

    Examples
    --------
    >>> import shapely
    >>> bow = shapely.Polygon([(47, 39.5), (47.001, 39.501), (47.001, 39.5), (47, 39.501)])
    >>> frame = gpd.GeoDataFrame({"id": ["H-1"], "classification": ["SHA"]}, geometry=[bow], crs=4326)
    >>> list(check({"hazards": frame}, only="GC")["check"])
    ['GC-01']
    """
    data = Data.of(survey, programme)
    language = data.programme.languages[0] if data.programme.languages else "en"
    table, broken = rules()
    issues = list(broken)
    chosen = [rule for rule in select(table, only, exclude) if rule.find is not None]
    if on_cluster():
        parts = [(codes, data) for codes in _by_subject(chosen)]
        for found in tracked(iter_ordered(_found, parts), "checking", progress, len(parts)):
            issues += found
    else:
        for rule in tracked(chosen, "checking", progress):
            issues += _apply(rule, data, language)
    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    issues.sort(key=lambda i: (order[i.severity], i.check, i.kind, i.id, i.column, i.message))
    return issues_frame(issues)


def _apply(rule: Check, data: Data, language: str) -> list[Issue]:
    """What one rule finds; a rule that fails is an issue of its own and hides nothing of the others."""
    if rule.find is None:
        return []
    try:
        return [_issue(rule, finding, language) for finding in rule.find(data)]
    except Exception as error:
        return [_failed(rule.code, error, language)]


def _by_subject(chosen: Sequence[Check]) -> list[tuple[str, ...]]:
    """Codes of the rules of one module together: they share what they work out of the layers."""
    groups: dict[str, list[str]] = {}
    for rule in chosen:
        groups.setdefault(rule.find.__module__ if rule.find is not None else "", []).append(rule.code)
    return [tuple(codes) for codes in groups.values()]


def _found(part: tuple[tuple[str, ...], Data]) -> list[Issue]:
    """One group of rules, on a worker."""
    codes, data = part
    language = data.programme.languages[0] if data.programme.languages else "en"
    return [issue for rule in rules()[0] if rule.code in codes for issue in _apply(rule, data, language)]


def _issue(rule: Check, finding: Finding, language: str) -> Issue:
    return Issue(
        rule.code,
        finding.severity or rule.severity,
        finding.kind,
        str(finding.id),
        finding.column,
        _messages.sentence(rule, finding, language),
        finding.value,
        finding.limit,
        finding.geometry,
    )


def _failed(name: str, error: Exception, language: str, severity: str = "error") -> Issue:
    words = {"check": name, "reason": f"{type(error).__name__}: {error}"}
    finding = Finding("", name, words=words)
    return Issue(FAILED.code, severity, "", name, "", _messages.sentence(FAILED, finding, language))


def _codes(wanted: str | Sequence[str] | None) -> tuple[str, ...]:
    if wanted is None:
        return ()
    items = wanted.split(",") if isinstance(wanted, str) else list(wanted)
    return tuple(item.strip().upper() for item in items if item.strip())


def select(
    table: Iterable[Check], only: str | Sequence[str] | None = None, exclude: str | Sequence[str] | None = None
) -> list[Check]:
    """The rules asked for, by code or beginning of code.

    Raises
    ------
    SchemaError
        If a code fits no rule.
    """
    known = list(table)
    for code in (*_codes(only), *_codes(exclude)):
        if not any(rule.code.startswith(code) for rule in known):
            raise SchemaError(f"there is no check '{code}'", hint="geotools check --list shows all of them")
    wanted, unwanted = _codes(only), _codes(exclude)
    return [
        rule
        for rule in known
        if (not wanted or rule.code.startswith(wanted)) and not (unwanted and rule.code.startswith(unwanted))
    ]


def catalogue(*, programme: Programme | None = None, language: str = "en") -> pd.DataFrame:
    """Every rule: what it is called, what it looks at, why, with which limits, and what to do.

    Parameters
    ----------
    programme
        Whose limits to show; default: the built-in ones.
    language
        ``en``, ``az``, ``tr`` or ``ru`` (explanations are in English).

    Returns
    -------
    DataFrame
        code, title, kinds, severity, parameters, explanation, remedy, source, evaluated_by; one row per rule, by code.

    Examples
    --------
    >>> catalogue().set_index("code").loc["GC-14", "parameters"]
    'edge_max_m = 5000'
    """
    settings = programme or Programme()
    rows = [
        {
            "code": rule.code,
            "title": _messages.of_check(rule, "title", language) or rule.code,
            "kinds": ", ".join(rule.kinds),
            "severity": rule.severity,
            "parameters": ", ".join(
                f"{name} = {settings.limit(name):g}"
                for name in rule.limits
                if name in DEFAULT_LIMITS or name in settings.limits
            ),
            "explanation": _messages.of_check(rule, "why"),
            "remedy": _messages.of_check(rule, "remedy", language),
            "source": rule.source,
            "evaluated_by": rule.evaluated_by,
        }
        for rule in sorted(rules()[0], key=lambda r: r.code)
    ]
    return pd.DataFrame(rows)
