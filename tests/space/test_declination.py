"""Declination against the published test values of WMM2025, older models by date, and convergence by its own formula."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from geotools.model.errors import CRSError, TraverseError
from geotools.space.declination import convergence_deg, decimal_year, declination_deg, factors

# WMM2025 report (NOAA NCEI and BGS), test values: year, height km, latitude, longitude, D
PUBLISHED = [
    (2025.0, 0, 80, 0, 1.28), (2025.0, 0, 0, 120, -0.16), (2025.0, 0, -80, 240, 68.78), (2025.0, 100, 80, 0, 0.85), (2025.0, 100, 0, 120, -0.15), (2025.0, 100, -80, 240, 68.21),
    (2027.5, 0, 80, 0, 2.59), (2027.5, 0, 0, 120, -0.24), (2027.5, 0, -80, 240, 68.49), (2027.5, 100, 80, 0, 2.16), (2027.5, 100, 0, 120, -0.23), (2027.5, 100, -80, 240, 67.93),
]  # fmt: skip


@pytest.mark.parametrize(("year", "height", "lat", "lon", "d"), PUBLISHED)
def test_published_values_of_wmm2025(year, height, lat, lon, d):
    lon = lon if lon <= 180 else lon - 360
    assert declination_deg(lat, lon, date=year, height_m=height * 1000) == pytest.approx(d, abs=0.01)


@pytest.mark.parametrize(
    ("place", "lat", "lon", "d"),
    [
        ("Fuzuli", 39.6, 47.14, 6.31),
        ("Kalbajar", 40.1, 46.04, 6.49),
        ("Baku", 40.4, 49.87, 6.52),
        ("Ankara", 39.93, 32.86, 6.18),
    ],
)
def test_the_trades_own_table(place, lat, lon, d):
    assert declination_deg(lat, lon, date=2026.9) == pytest.approx(d, abs=0.01), place


def test_models_change_with_the_date_without_a_jump():
    for turn in (2015.0, 2020.0, 2025.0):
        before, after = (declination_deg(39.6, 47.14, date=turn + step) for step in (-0.001, 0.001))
        assert before != after
        assert before == pytest.approx(after, abs=0.15)
    assert declination_deg(39.6, 47.14, date=date(2012, 6, 1)) == pytest.approx(5.6, abs=0.4)


@pytest.mark.parametrize("when", [date(1999, 1, 1), 2009.9, 2030.0, date(2044, 1, 1)])
def test_no_model_no_answer(when):
    with pytest.raises(TraverseError, match="no magnetic model") as caught:
        declination_deg(39.6, 47.14, date=when)
    assert "--declination" in caught.value.hint


def test_impossible_places_and_the_pole_are_refused():
    with pytest.raises(TraverseError):
        declination_deg(139.6, 47.14, date=2026.0)
    with pytest.raises(TraverseError, match="pole"):
        declination_deg(85.8, 139.0, date=2025.5)


def test_decimal_year():
    assert decimal_year(date(2024, 12, 31)) == pytest.approx(2024 + 365 / 366)
    assert decimal_year(2026.5) == 2026.5


@pytest.mark.parametrize(
    ("lon", "lat", "system", "gamma"),
    [(47.14, 39.6, 32638, 1.364), (46.93, 39.99, 28408, 1.241), (49.87, 40.4, 32639, -0.732), (45.0, 39.0, 32638, 0.0)],
)
def test_convergence_of_the_trades_table(lon, lat, system, gamma):
    assert convergence_deg(lon, lat, system) == pytest.approx(gamma, abs=1e-3)


def test_convergence_is_the_turn_of_the_grid_against_a_meridian():
    from geotools.space import crs

    for lon, lat in ((47.9, 40.0), (43.0, 39.0), (48.05, 41.0)):
        x, y = crs.transformer("EPSG:4326", "EPSG:32638").transform([lon, lon], [lat - 1e-4, lat + 1e-4])
        north_on_grid = np.degrees(np.arctan2(x[1] - x[0], y[1] - y[0]))
        assert convergence_deg(lon, lat, "EPSG:32638") == pytest.approx(-north_on_grid, abs=1e-4)
        assert 0.9995 < factors(lon, lat, "EPSG:32638")[1] < 1.0015


def test_convergence_needs_a_grid():
    with pytest.raises(CRSError, match="projected"):
        convergence_deg(47, 40, "EPSG:4326")
