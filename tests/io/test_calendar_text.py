"""Days with names of months and days in American order: no day is moved without a word."""

from __future__ import annotations

import pandas as pd
import pytest

import geotools as gt


def accidents(folder, days):
    path = folder / "accidents.csv"
    rows = [f'A-{n},"{day}",47.2,39.6' for n, day in enumerate(days)]
    path.write_text("\n".join(["id,date,lon,lat", *rows]) + "\n", "utf-8")
    frame, issues = gt.read_with_issues(path)
    told = issues[(issues["check"] == "RD-13") & (issues["severity"] != "info")]
    return [None if pd.isna(d) else d.strftime("%Y-%m-%d") for d in frame["date"]], told["message"].tolist()


@pytest.mark.parametrize(
    "text",
    [
        "5-Mar-2021", "05-MAR-2021 00:00:00", "5 March 2021", "Mar 5, 2021", "March 5th, 2021", "5th March 2021", "5 de marzo de 2021",
        "5 mars 2021", "5 марта 2021", "2021-03-05",
    ],
)  # fmt: skip
def test_months_by_name(text, tmp_path):
    assert accidents(tmp_path, [text]) == (["2021-03-05"], [])


@pytest.mark.parametrize("text", ["31-Feb-2021", "5-Foo-2021", "5-Mar-21", "1/2/21"])
def test_what_is_no_day_is_told(text, tmp_path):
    days, told = accidents(tmp_path, [text])
    assert days == [None] and len(told) == 1


def test_a_column_that_is_month_first_is_so_in_every_row(tmp_path):
    days, told = accidents(tmp_path, ["04/05/2021", "03/15/2021", "3/3/2021", "12/01/2020 12:00:00 AM"])
    assert days == ["2021-04-05", "2021-03-15", "2021-03-03", "2020-12-01"]
    assert len(told) == 1 and "read month first too" in told[0]


def test_a_column_that_is_day_first_stays_so(tmp_path):
    assert accidents(tmp_path, ["04/05/2021", "15/03/2021"]) == (["2021-05-04", "2021-03-15"], [])
    assert accidents(tmp_path, ["04.05.2021"]) == (["2021-05-04"], [])


def test_a_column_of_both_orders_is_told(tmp_path):
    days, told = accidents(tmp_path, ["04/05/2021", "15/03/2021", "03/15/2021"])
    assert days == ["2021-05-04", "2021-03-15", "2021-03-15"]
    assert len(told) == 1 and "can be read both ways" in told[0]
