"""`geotools plan priority` and `plan teams`: what they write, the same bytes each time, and errors in words."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from shapely.geometry import Point, box

import geotools as gt
from geotools.cli.main import cli, main

SAMPLE = Path(__file__).parents[2] / "sample_data" / "fuzuli"


@pytest.fixture(scope="module")
def survey(tmp_path_factory: Any) -> Path:
    """Four hazards, one without ground and one closed; a village, a field, an accident, and day sheets of two crews."""
    import geopandas as gpd

    folder = tmp_path_factory.mktemp("district")
    wgs, x, y = "EPSG:4326", 47.10, 39.60
    shapes = [
        box(x, y, x + 0.002, y + 0.002),
        box(x + 0.01, y, x + 0.011, y + 0.001),
        None,
        box(x, y + 0.01, x + 0.001, y + 0.011),
    ]
    hazards = gpd.GeoDataFrame(
        {"id": ["H-1", "H-2", "H-3", "H-4"], "classification": "CHA", "status": ["open", "worked_on", "open", "closed"], "evidence": ["direct", "indirect", None, "direct"],
         "contamination": ["ap", "cmr", "uxo", "ap"], "area_reported_m2": [38000.0, 9500.0, 12000.0, 9500.0], "date_info": pd.to_datetime(["2026-01-10"] * 4)},
        geometry=shapes, crs=wgs,
    )  # fmt: skip
    gt.write(hazards, folder / "hazards.gpkg")
    releases = gpd.GeoDataFrame(
        {"id": ["R-1"], "hazard_id": ["H-1"], "activity_id": ["A-00"], "product": ["cleared"], "method": ["manual"], "depth_cm": [20.0], "date": pd.to_datetime(["2026-05-20"])},
        geometry=[box(x, y, x + 0.001, y + 0.002)], crs=wgs,
    )  # fmt: skip
    gt.write(releases, folder / "releases.gpkg")
    places = gpd.GeoDataFrame({"id": ["P-1", "P-2"], "type": ["settlement", "school"], "population": [700, None]}, geometry=[Point(x + 0.0115, y), Point(x + 0.003, y)], crs=wgs)  # fmt: skip
    gt.write(places, folder / "places.gpkg")
    fields = gpd.GeoDataFrame(
        {"id": ["L-1"], "use": ["arable"]}, geometry=[box(x - 0.01, y, x + 0.002, y + 0.001)], crs=wgs
    )
    gt.write(fields, folder / "landuse.gpkg")
    days = pd.bdate_range("2026-04-01", periods=20)
    sheets = pd.DataFrame(
        {"id": [f"A-{k:02d}" for k in range(40)], "type": "clearance", "method": ["manual"] * 20 + ["mdd"] * 20, "team": ["Hand"] * 20 + ["Dogs"] * 20,
         "processed_m2": [300.0, 500.0] * 10 + [700.0, 900.0] * 10, "start": [*days, *days], "end": [*days, *days]}
    )  # fmt: skip
    sheets.to_csv(folder / "activities.csv", index=False)
    return folder


def run(*arguments: Any) -> Any:
    return CliRunner().invoke(cli, ["plan", *map(str, arguments)])


def failing(capsys: Any, *arguments: Any) -> str:
    with pytest.raises(SystemExit) as stop:
        main(["plan", *map(str, arguments)])
    assert stop.value.code == 3
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert "error:" in said
    return said


def test_the_group_lists_its_plans():
    text = run("--help").output
    assert all(name in text for name in ("suitability", "lanes", "priority", "teams", "sample"))


def test_priority_writes_list_map_and_charts(survey, tmp_path):
    pytest.importorskip("openpyxl")
    out = tmp_path / "out"
    result = run("priority", survey, "-o", out, "--draws", 50, "-f", "csv", "-f", "xlsx", "-f", "json")
    assert result.exit_code == 0, result.output
    assert sorted(f.name for f in out.iterdir()) == ["contributions.svg", "indicators.csv", "priority.csv", "priority.gpkg", "priority.json", "priority.xlsx", "ranks.svg", "swaps.csv"]  # fmt: skip
    table = pd.read_csv(out / "priority.csv")
    assert sorted(table["id"]) == ["H-1", "H-2", "H-3"]  # the closed one is not in it, the one without ground is
    row = table.set_index("id").loc["H-3"]
    assert row["unknown_weight"] > 0.8
    assert row["score_high"] - row["score_low"] > 0.5
    document = json.loads((out / "priority.json").read_text("utf-8"))
    assert document["as_of"] is None  # no day was stated: all records count
    assert document["accidents_counted_back_from"] == "2026-05-20"
    assert "UNVERIFIED" in document["words"]
    assert {item["name"] for item in document["inputs"]} >= {"hazards.gpkg", "places.gpkg"}
    layer = gt.read(out / "priority.gpkg")
    assert sorted(layer["id"]) == ["H-1", "H-2", "H-3"]
    figures = pd.read_csv(out / "indicators.csv").set_index("id")
    assert figures.loc["H-2", "people_100_m"] == 700
    half = gt.measure.area(gt.read(survey / "hazards.gpkg").set_index("id").geometry)["H-1"] / 2
    assert figures.loc["H-1", "area_m2"] == pytest.approx(half, rel=1e-3)  # what was cleared is gone
    assert figures.loc["H-1", "arable_m2"] == pytest.approx(half / 2, rel=1e-2)
    sheets = pd.read_excel(out / "priority.xlsx", sheet_name=None)
    assert list(sheets) == ["priority", "indicators", "swaps"]
    assert sheets["priority"]["id"].tolist() == table["id"].tolist()


def test_teams_writes_plan_rates_map_and_charts_from_the_records_alone(survey, tmp_path):
    out = tmp_path / "out"
    result = run("teams", survey, "-o", out, "--draws", 50, "--effort", 0.2)
    assert result.exit_code == 0, result.output
    assert sorted(f.name for f in out.iterdir()) == ["finished.csv", "finished.svg", "gantt.svg", "one_more.csv", "one_more.svg", "plan.csv", "plan.gpkg", "plan.json", "rates.csv", "teams.csv"]  # fmt: skip
    plan = pd.read_csv(out / "plan.csv")
    assert sorted(plan["id"]) == ["H-1", "H-2", "H-3"]
    assert set(plan["team"]) <= {"Hand", "Dogs"}
    assert plan["start"].min() >= "2026-05-21"
    assert (plan["p10"] <= plan["p90"]).all()
    rates = pd.read_csv(out / "rates.csv").set_index("crew")
    assert rates.loc["Hand", "own_m2_per_day"] == 400
    assert rates.loc["Dogs", "own_m2_per_day"] == 800
    document = json.loads((out / "plan.json").read_text("utf-8"))
    assert document["method"] in ("cp-sat", "greedy")
    assert document["futures"]["p50"] >= document["start"]
    assert len(document["one_more"]) == 3
    assert "as likely as not (P10" in result.output and "at mean rates" in result.output


@pytest.mark.parametrize("command", ["priority", pytest.param("teams", marks=pytest.mark.slow)])
def test_the_same_bytes_a_while_later(command, survey, tmp_path):
    formats = ["-f", "csv", "-f", "json", *(["-f", "xlsx"] if command == "priority" else [])]
    if command == "priority":
        pytest.importorskip("openpyxl")
    formats += ["--chart-format", "pdf"]
    more = ["--draws", 20, *(["--effort", 0.1] if command == "teams" else [])]
    for turn in ("a", "b"):
        assert run(command, survey, "-o", tmp_path / turn, *formats, *more).exit_code == 0
        time.sleep(1.1 if turn == "a" else 0)
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_priority_then_suitability_then_teams(survey, tmp_path):
    assert run("priority", survey, "-o", tmp_path / "p", "--draws", 20).exit_code == 0
    workable = tmp_path / "workable.csv"
    workable.write_text("id,workable_m2\nH-1,9000\n", "utf-8")
    teams = tmp_path / "teams.toml"
    teams.write_text(
        "[[team]]\nid = 'Hand'\nrates = { manual = { m2_per_day = 400, cv = 0.2 }, follow_up = 900 }\n[[team]]\nid = 'Tiller'\nrates = { mechanical = 3000 }\n",
        "utf-8",
    )
    result = run("teams", survey, "--teams", teams, "--priority", tmp_path / "p" / "priority.csv", "--workable", workable, "--lot", 5000, "--effort", 0.1, "--draws", 20, "--json", "-q")  # fmt: skip
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    steps = {row["id"]: row for row in document["steps"]}
    assert steps["H-1 machine 1/2"]["team"] == "Tiller"
    assert steps["H-1 follow-up 1/2"]["skill"] == "follow_up"
    assert steps["H-1 follow-up 1/2"]["start"] > steps["H-1 machine 1/2"]["end"]
    assert steps["H-1 machine 1/2"]["value"] == 0
    first = run("teams", survey, "--teams", teams, "--priority", tmp_path / "p" / "priority.csv", "--first", 1, "--effort", 0, "--draws", 20, "--no-one-more", "--json", "-q")  # fmt: skip
    best = pd.read_csv(tmp_path / "p" / "priority.csv")["id"].iloc[0]
    assert {row["task_id"] for row in json.loads(first.stdout)["steps"]} == {best}


def test_a_table_of_suitability_never_brings_back_ground_that_was_released(survey, tmp_path):
    workable, teams = tmp_path / "suitability_tasks.csv", tmp_path / "teams.toml"
    workable.write_text("id,class,area_m2,workable_m2\nH-1,workable,38000,28500\n", "utf-8")
    teams.write_text("[[team]]\nid = 'A'\nrates = { manual = 400, mechanical = 3000 }\n", "utf-8")
    result = run(
        "teams",
        survey,
        "--teams",
        teams,
        "--workable",
        workable,
        "--task",
        "H-1",
        "--effort",
        0,
        "--draws",
        20,
        "--no-one-more",
        "--json",
        "-q",
    )
    steps = {row["id"]: row["area_m2"] for row in json.loads(result.stdout)["steps"]}
    half = gt.measure.area(gt.read(survey / "hazards.gpkg").set_index("id").geometry)["H-1"] / 2
    assert steps["H-1 follow-up"] + steps["H-1 search"] == pytest.approx(half, rel=1e-3)
    assert steps["H-1 machine"] == pytest.approx(0.75 * half, rel=1e-3)


def test_methods_and_own_tables(survey, tmp_path):
    extra = tmp_path / "cost.csv"
    extra.write_text("id,cost_per_m2,cost_per_m2_low,cost_per_m2_high,trade\nH-1,2,1,4,9\nH-2,5,5,5,1\n", "utf-8")
    rules = tmp_path / "criteria.toml"
    rules.write_text(
        'title = "Own"\nverified = true\n[ahp]\njudgements = [["Cost", "Trade", 2]]\n[[criterion]]\nname = "Cost"\nindicator = "cost_per_m2"\nbetter = "less"\n'
        '[[criterion]]\nname = "Trade"\nindicator = "trade"\n',
        "utf-8",
    )
    for method in ("sum", "promethee"):
        result = run(
            "priority", survey, "--criteria", rules, "--table", extra, "--method", method, "--draws", 20, "--json", "-q"
        )
        document = json.loads(result.stdout)
        assert next(row["id"] for row in document["tasks"]) == "H-1"
        assert document["ahp"]["cr"] == 0
        assert document["criteria"][0]["weight"] == pytest.approx(2 / 3)
    impact = run("priority", survey, "--method", "lis", "--draws", 20)
    assert impact.exit_code == 0
    assert "UNVERIFIED" in impact.output


def test_one_file_of_polygons_is_enough(survey, tmp_path):
    import geopandas as gpd

    fields = gpd.GeoDataFrame(
        {"id": ["a", "b"]}, geometry=[box(47.1, 39.6, 47.101, 39.601), box(47.2, 39.6, 47.201, 39.601)], crs=4326
    )
    gt.write(fields, tmp_path / "areas.geojson")
    assert run("priority", tmp_path / "areas.geojson", "--draws", 20).exit_code == 0
    teams = tmp_path / "teams.toml"
    teams.write_text(CliRunner().invoke(cli, ["plan", "teams", "--example"]).output, "utf-8")
    result = run(
        "teams",
        tmp_path / "areas.geojson",
        "--teams",
        teams,
        "--start",
        "2026-06-01",
        "--draws",
        20,
        "--effort",
        0,
        "--no-one-more",
    )
    assert result.exit_code == 0, result.output


def test_examples_print_and_read_back(tmp_path):
    text = CliRunner().invoke(cli, ["plan", "priority", "--example"]).output
    (tmp_path / "c.toml").write_text(text, "utf-8")
    assert len(gt.priority.criteria(tmp_path / "c.toml").rows) == 9
    text = CliRunner().invoke(cli, ["plan", "teams", "--example"]).output
    (tmp_path / "t.toml").write_text(text, "utf-8")
    assert len(gt.teams.load_teams(tmp_path / "t.toml")) == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("priority", "--criteria", "none"), "no preset 'none'"),
        (("priority", "--criteria", "missing.toml"), "no such file"),
        (("priority", "--task", "H-9"), "no task 'H-9'"),
        (("teams", "--teams", "missing.toml"), "no such file"),
        (("teams", "--skills", " , "), "no method"),
    ],
)
def test_errors_are_words_with_a_hint(arguments, said, survey, capsys):
    text = failing(capsys, arguments[0], survey, *arguments[1:])
    assert said in text


def test_judgements_that_contradict_each_other_are_refused(survey, tmp_path, capsys):
    rules = tmp_path / "c.toml"
    rows = "".join(
        f'[[criterion]]\nname = "{n}"\nindicator = "{i}"\n'
        for n, i in (("P", "people_500_m"), ("L", "arable_m2"), ("R", "accidents"))
    )
    rules.write_text('[ahp]\njudgements = [["P", "L", 3], ["L", "R", 3], ["P", "R", 0.111]]\n' + rows, "utf-8")
    text = failing(capsys, "priority", survey, "--criteria", rules)
    assert "contradict" in text
    assert "'P' against 'R'" in text
    taken = run("priority", survey, "--criteria", rules, "--accept-inconsistent", "--draws", 20)
    assert taken.exit_code == 0
    assert "ABOVE 0.1" in taken.output


def test_tables_that_do_not_fit_are_said(survey, tmp_path, capsys):
    table = tmp_path / "t.csv"
    table.write_text("name,x\nH-1,2\n", "utf-8")
    failing(capsys, "priority", survey, "--table", table)
    table.write_text("id,x\nQ-1,2\n", "utf-8")
    assert "no id in it" in failing(capsys, "priority", survey, "--table", table)
    table.write_text("id,x\nH-1,2\n", "utf-8")
    assert "no column 'value'" in failing(capsys, "teams", survey, "--priority", table)


def test_a_folder_of_other_things_is_never_replaced(survey, tmp_path, capsys):
    (tmp_path / "diary.docx").write_text("mine", "utf-8")
    assert "exists already" in failing(capsys, "priority", survey, "-o", tmp_path)
    assert "diary.docx" in failing(capsys, "teams", survey, "-o", tmp_path, "--overwrite")
    assert (tmp_path / "diary.docx").read_text("utf-8") == "mine"


def test_records_without_rates_ask_for_a_table_of_teams(tmp_path, capsys):
    import geopandas as gpd

    gt.write(
        gpd.GeoDataFrame(
            {"id": ["H"], "classification": ["CHA"], "status": ["open"]},
            geometry=[box(47.1, 39.6, 47.101, 39.601)],
            crs=4326,
        ),
        tmp_path / "hazards.gpkg",
    )
    text = failing(capsys, "teams", tmp_path)
    assert "set no rate" in text
    assert "--teams" in text


@pytest.mark.slow
@pytest.mark.parametrize("command", ["priority", "teams"])
def test_the_sample_district(command, tmp_path):
    result = run(command, SAMPLE, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "out" / f"{'priority' if command == 'priority' else 'plan'}.csv")
    assert len(table) == 91


def test_a_plan_of_teams_says_what_it_counts_beside_the_ledger_and_how_its_pace_compares(survey, tmp_path):
    result = run("teams", survey, "-o", tmp_path / "t", "--draws", 20, "--effort", 0.1, "--no-one-more")
    assert result.exit_code == 0, result.output
    document = json.loads((tmp_path / "t" / "plan.json").read_text("utf-8"))
    found, table = document["counted"], pd.read_csv(tmp_path / "t" / "plan.csv")
    ledger = gt.open_survey(survey).coverage()
    assert found["planned_m2"] == pytest.approx(table["area_m2"].sum(), rel=1e-6)
    assert found["planned_m2"] == pytest.approx(found["on_map_m2"] + found["reported_m2"])
    assert found["reported_m2"] == pytest.approx(12_000) and found["tasks_without_boundary"] == 1
    assert found["remaining_once_m2"] == pytest.approx(ledger.totals["remaining_m2"])
    reached = found["remaining_once_m2"] + found["shared_m2"] - found["ended_m2"]
    assert found["on_map_m2"] == pytest.approx(reached, rel=1e-6)
    assert found["ended_m2"] == pytest.approx(float(ledger.table.set_index("id").loc["H-4", "remaining_m2"]), rel=1e-4)
    said = result.output
    assert "counted:" in said and "as reported by 1 without a boundary" in said and "remaining by the ledger" in said
    rates = document["pace"]["team_m2_per_day"]
    assert rates["manual"]["teams"] == 1 and rates["manual"]["assumed"] == pytest.approx(
        rates["manual"]["on_record"], rel=0.2
    )
    assert "m² a day of one team" in said
    row = next(line for line in said.splitlines() if line.startswith("Total"))
    assert f"{table['area_m2'].sum():,.0f}" in row
    one = json.loads(
        run("teams", survey, "--task", "H-1", "--json", "-q", "--effort", 0, "--draws", 20, "--no-one-more").stdout
    )
    assert one["counted"]["tasks"] == 1 and "remaining_once_m2" not in one["counted"]


def test_a_pace_beyond_the_record_is_said():
    from geotools.cli import plan_pace

    pace = {
        "plan_m2_per_month": 200_000.0,
        "released_m2_per_month": 50_000.0,
        "cleared_m2_per_month": 20_000.0,
        "months": 36,
        "team_m2_per_day": {},
    }
    assert "4.0 times as fast" in plan_pace.words(pace)[0]
    assert "times as fast" not in plan_pace.words({**pace, "plan_m2_per_month": 40_000.0})[0]


def test_the_chart_of_one_more_says_what_it_compares():
    from geotools.analysis import teams

    table = pd.DataFrame(
        {"extra": ["", "+1 Hand", "+1 Mill"], "skills": ["", "manual, follow_up", "mechanical"], "finish": pd.to_datetime(["2027-01-01", "2026-12-01", "2027-01-01"]),
         "days_earlier": [0, 31, 0], "more_m2": [0.0, 12_000.0, 0.0], "busy_days": [0.0, 20.0, 0.0], "by": pd.to_datetime(["2026-09-01"] * 3)}
    )  # fmt: skip
    figure = teams.bought(table)
    said = " ".join(t.get_text() for t in [figure._suptitle, *figure.texts, *(t for a in figure.axes for t in a.texts)])
    labels = " ".join([a.get_xlabel() for a in figure.axes] + [t.get_text() for t in figure.axes[0].get_yticklabels()])
    assert "against the plan as it is, which ends 2027-01-01" in said and "whoever decides" in said
    assert "0: this plan has no work for it" in said
    assert "ha more finished by 2026-09-01" in labels and "search behind a machine" in labels


@pytest.fixture
def undated(survey: Path, tmp_path: Path) -> Path:
    """The district, with half of H-2 released on a day that nobody wrote down."""
    folder = tmp_path / "undated"
    shutil.copytree(survey, folder)
    releases = gt.read(folder / "releases.gpkg", "releases")
    half = gt.read(folder / "hazards.gpkg", "hazards").set_index("id").geometry["H-2"].bounds
    again = releases.assign(id="R-2", hazard_id="H-2", date=pd.NaT)
    again = again.set_geometry([box(*half[:2], (half[0] + half[2]) / 2, half[3])], crs=releases.crs)
    gt.write(pd.concat([releases, again], ignore_index=True), folder / "releases.gpkg", overwrite=True)
    return folder


@pytest.mark.parametrize("command", ["priority", "teams"])
def test_releases_without_a_date_count_as_in_the_ledger_and_are_named(command, undated, tmp_path):
    """The work left is what `geotools coverage` says, with a stated day and without; the output says which."""
    more = {"priority": (), "teams": ("--effort", 0, "--no-one-more")}[command]
    table = {"priority": ("priority.json", "indicators.csv"), "teams": ("plan.json", "plan.csv")}[command]
    for as_of, counted in ((None, True), ("2026-06-30", False)):
        asked = () if as_of is None else ("--as-of", as_of)
        out = tmp_path / f"out-{as_of}"
        result = run(command, undated, *asked, "--draws", 20, *more, "-o", out)
        assert result.exit_code == 0, result.output
        ledger = gt.open_survey(undated).coverage(as_of=as_of).table.set_index("id")["remaining_m2"]
        rows = pd.read_csv(out / table[1]).groupby("id")["area_m2"].sum()
        assert rows["H-2"] == pytest.approx(ledger["H-2"], rel=1e-3)
        told = json.loads((out / table[0]).read_text("utf-8"))["undated_releases"]
        assert (told["count"], told["counted"]) == (1, counted)
        assert told["words"] in result.stdout
        assert ("left out: they cannot be shown" in told["words"]) is not counted


def test_nothing_is_said_of_releases_without_a_date_where_all_have_one(survey):
    assert "no date" not in run("priority", survey, "--draws", 20).stdout


def test_ground_reopened_after_the_last_release_is_work_left(survey, tmp_path):
    folder = tmp_path / "reopened"
    shutil.copytree(survey, folder)
    hazards = gt.read(folder / "hazards.gpkg", "hazards").set_index("id")
    back = hazards.loc[["H-1"], ["geometry"]].assign(
        id="E-1", hazard_id="H-1", act="reopened", date=pd.Timestamp("2026-07-01")
    )
    gt.write(back.reset_index(drop=True), folder / "events.gpkg")
    out = tmp_path / "out"
    assert run("priority", folder, "--draws", 20, "-o", out).exit_code == 0
    figures = pd.read_csv(out / "indicators.csv").set_index("id")
    assert figures.loc["H-1", "area_m2"] == pytest.approx(gt.measure.area(hazards.geometry)["H-1"], rel=1e-3)


def planned(command: str, *arguments: Any) -> tuple[Any, str]:
    """The document and the text of a quick plan."""
    more = {"priority": (), "teams": ("--effort", 0, "--no-one-more")}[command]
    text, data = (run(command, *arguments, "--draws", 20, *more, *last, "-q") for last in ((), ("--json",)))
    assert text.exit_code == data.exit_code == 0, text.output + data.output
    return json.loads(data.stdout), text.stdout


@pytest.mark.parametrize("command", ["priority", "teams"])
def test_closed_hazards_with_ground_remaining_are_told_with_their_ids(command, survey):
    """H-4 is on record as closed and nothing was released of it: it is no task, and that does not go unsaid."""
    ledger = gt.open_survey(survey).coverage().table.set_index("id")["remaining_m2"]
    document, text = planned(command, survey)
    told = document["closed_left_out"]
    assert [(row["id"], row["status"]) for row in told["hazards"]] == [("H-4", "closed")] and told["count"] == 1
    assert told["remaining_m2"] == pytest.approx(ledger["H-4"], rel=1e-6)
    size = gt.model.figures.hectares(ledger["H-4"], "up")
    assert told["words"] == f"1 hazard ({size} remaining) is on record as closed and is left out: see geotools check"
    assert told["words"] in text
    chosen, words = planned(command, survey, "--task", "H-1")
    assert "closed_left_out" not in chosen and "left out" not in words


def test_closed_hazards_are_told_without_any_release_and_where_no_task_is_left(survey, tmp_path, capsys):
    folder = tmp_path / "closed"
    shutil.copytree(survey, folder)
    (folder / "releases.gpkg").unlink()
    assert planned("priority", folder)[0]["closed_left_out"]["hazards"][0]["id"] == "H-4"
    assert "on record as ended" in failing(capsys, "priority", folder, "--task", "H-4")
    hazards = gt.read(folder / "hazards.gpkg", "hazards").assign(status=["closed", "released", "closed", "cancelled"])
    gt.write(hazards, folder / "hazards.gpkg", overwrite=True)
    said = failing(capsys, "priority", folder)
    assert "3 hazards (" in said and "on record as cancelled or closed or released" in said


@pytest.mark.parametrize("command", ["priority", "teams"])
def test_no_day_is_stated_that_was_not_asked_for(command, survey):
    document, text = planned(command, survey)
    assert document["as_of"] is None
    assert "all records" in text and "as of 20" not in text
    document, text = planned(command, survey, "--as-of", "2026-06-30")
    assert document["as_of"] == "2026-06-30" and "as of 2026-06-30" in text and "all records" not in text


def test_releases_without_a_date_that_release_no_ground_are_not_counted(undated):
    """One lies on ground that was released before, one has no ground at all: neither changes the work left."""
    releases = gt.read(undated / "releases.gpkg", "releases")
    again = releases[releases["id"] == "R-1"].assign(id="R-3", date=pd.NaT)
    nowhere = releases[releases["id"] == "R-2"].assign(id="R-4").set_geometry([None], crs=releases.crs)
    gt.write(pd.concat([releases, again, nowhere], ignore_index=True), undated / "releases.gpkg", overwrite=True)
    for asked in ((), ("--as-of", "2026-06-30")):
        assert planned("priority", undated, *asked)[0]["undated_releases"]["count"] == 1
    before = planned("priority", undated, "--as-of", "2026-05-01")[0]  # R-1 itself is not known yet
    assert before["undated_releases"]["count"] == 2


def test_where_nothing_is_known_there_is_no_ranking_and_no_reason_told_again_and_again(tmp_path):
    import geopandas as gpd

    fields = gpd.GeoDataFrame(
        {"id": ["a", "b", "c"]}, geometry=[box(x, 39.6, x + 0.001, 39.601) for x in (47.1, 47.2, 47.3)], crs=4326
    )
    gt.write(fields, tmp_path / "areas.geojson")
    document, text = planned("priority", tmp_path / "areas.geojson")
    assert document["not_a_ranking"] in text and text.count("nothing is known") == 1
    assert "among the first" not in text and "nine tenths" not in text
    assert all(f"     {name}\n" in text for name in "abc")


def test_a_single_known_figure_makes_it_a_ranking_again(survey):
    document, text = planned("priority", survey)
    assert "not_a_ranking" not in document and "no ranking" not in text


@pytest.mark.parametrize("method", ["sum", "promethee"])
def test_files_of_a_list_that_is_no_ranking_hold_no_rank_and_say_why(method, tmp_path):
    import geopandas as gpd

    fields = gpd.GeoDataFrame(
        {"id": ["b", "a", "c"]}, geometry=[box(x, 39.6, x + 0.001, 39.601) for x in (47.1, 47.2, 47.3)], crs=4326
    )
    gt.write(fields, tmp_path / "areas.geojson")
    out = tmp_path / "out"
    assert run("priority", tmp_path / "areas.geojson", "--method", method, "--draws", 20, "-o", out).exit_code == 0
    listed = pd.read_csv(out / "priority.csv")
    assert listed["id"].tolist() == ["a", "b", "c"]
    assert listed[["rank", "score", "p_top", "rank_low", "rank_median", "rank_high"]].isna().all().all()
    assert listed["words"].str.startswith("not ranked: nothing is known of any task").all()
    assert pd.read_csv(out / "swaps.csv").empty and not list(out.glob("*.svg"))
    document = json.loads((out / "priority.json").read_text("utf-8"))
    assert {row["rank"] for row in document["tasks"]} == {None} and document["stability"]["agreement"] is None
    mapped = gt.read(out / "priority.gpkg")
    assert len(mapped) == 3 and mapped["rank"].isna().all()
