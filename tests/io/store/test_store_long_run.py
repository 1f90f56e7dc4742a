"""Five years of weekly imports through the store: the ledger adds up in every week, the balance closes, the chain holds, and
what was reported in a week can be made again from history, byte for byte."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

import geotools as gt
from geotools.cli.main import cli
from geotools.io import store as stores
from geotools.model.errors import ConflictError, StoreError
from geotools.model.schema import conform, schema

_spec = importlib.util.spec_from_file_location("five_years", Path(__file__).with_name("five_years.py"))
sim = importlib.util.module_from_spec(_spec)
sys.modules["five_years"] = sim
_spec.loader.exec_module(sim)
M2 = 0.01
REPORTED = (25, 155)  # weeks whose whole report is kept and made again at the end (the first with its map)


def report(store, week):
    """What a report of the week says: totals, every hazard, every act; as bytes."""
    day = sim.day(week).date()
    hazards, releases, events = (store.load(kind, as_of=day) for kind in ("hazards", "releases", "events"))
    found = gt.coverage(hazards, releases, events=events, as_of=day, geometry=False)
    text = (
        json.dumps(found.to_dict(), ensure_ascii=False, allow_nan=False)
        + found.table.to_csv(index=False)
        + found.credits.to_csv(index=False)
    )
    return found, text.encode()


def adds_up(found, week):
    """The identities of the ledger, in total and per hazard, and the balance of the week."""
    for row in (found.totals.to_dict(), *found.table.to_dict("records")):
        parts = row["cancelled_m2"] + row["reduced_m2"] + row["cleared_m2"]
        assert abs(parts - row["released_m2"]) <= M2, (week, row)
        rest = row["released_m2"] + row["remaining_m2"] + row["transferred_m2"] + row["corrected_m2"]
        assert abs(row["area_m2"] - rest) <= M2, (week, row)
        assert row["processed_m2"] <= row["remaining_m2"] + M2
    whole = found.totals
    claimed = whole["released_m2"] + whole["outside_m2"] + whole["overlap_m2"] + whole["reopened_m2"]
    assert abs(whole["claimed_m2"] - claimed) <= M2, week
    start = sim.day(week - 1).date() if week else None
    sheet = found.between(start, sim.day(week).date())
    assert abs(sheet.difference_m2) <= M2, (week, sheet)
    assert abs(sheet.closing_m2 - whole["remaining_m2"]) <= M2, week


class Office:
    """The information-management office: receives, refuses what has no id, brings systems together, merges, saves."""

    def __init__(self, store):
        self.store, self.refused, self.conflicts, self.counts = (
            store,
            0,
            0,
            {"added": 0, "changed": 0, "deleted": 0, "unchanged": 0},
        )

    def receive(self, kind, frame, organisation, note):
        """One import, in the habits of its sender."""
        sent = (
            frame.to_crs(4326)
            if organisation == 2
            else gt.crs.shift(frame, "EPSG:28408")[0]
            if organisation == 3
            else frame
        )
        if organisation == 1:
            sent = sent.assign(date=sent["date"].dt.strftime("%d.%m.%Y"))
        back = (
            sent if organisation < 2 else sent.to_crs(sim.CRS) if organisation == 2 else gt.crs.shift(sent, sim.CRS)[0]
        )
        given = back["id"].notna()
        plain, _ = conform(pd.DataFrame(back.drop(columns="geometry")), schema(kind))
        ready = back[["geometry"]].reset_index(drop=True).join(plain)
        ready["id"] = back["id"].to_numpy()
        self.save(
            {kind: ready[["id", *[c for c in ready if c not in ("id", "geometry")], "geometry"]]},
            note,
            sim.ORGANISATIONS[organisation],
        )
        assert given.all() or self.refused

    def save(self, layers, note, author, **more):
        """Save; rows that are refused are named, and the rest saved without them."""
        try:
            done = self.store.save(layers, note=note, author=author, **more)
        except ConflictError:
            raise
        except StoreError as error:
            self.refused += int((error.issues["check"] == "ST-01").sum())
            done = self.store.save({k: f[f["id"].notna()] for k, f in layers.items()}, note=note, author=author, **more)
        for name in self.counts:
            self.counts[name] += getattr(done, name)

    def merge_two_teams(self, week, rng):
        """Two teams edit hazards offline for a week; the second to come back is refused, merged, and saved."""
        base = self.store.head().number
        sent = self.store.load("hazards")
        one, two = sent.copy(), sent.copy()
        row, other = rng.integers(len(sent), size=2)
        status = "suspended" if one.loc[row, "status"] == "worked_on" else "worked_on"
        one.loc[row, "status"] = status
        two.loc[other, "note"] = f"week {week}"
        two.loc[row, "name"] = f"Sahə {row}, {week}"
        self.save({"hazards": one}, "team 1 returns", "Team 1 (synthetic)", base=base)
        with pytest.raises(ConflictError):
            self.store.save({"hazards": two}, note="team 2 returns", author="Team 2 (synthetic)", base=base)
        self.conflicts += 1
        merged, left = gt.field.merge(sent, self.store.load("hazards"), two, kind="hazards")
        assert not len(left)
        self.save({"hazards": merged}, "teams 1 and 2 merged", "A. Officer (synthetic)", base=self.store.head().number)
        now = self.store.load("hazards")
        assert (now.loc[row, "status"], now.loc[row, "name"], now.loc[other, "note"]) == (
            status,
            f"Sahə {row}, {week}",
            f"week {week}",
        )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_five_years_add_up_week_by_week_and_can_be_told_again(tmp_path, clock):
    begin = time.process_time()
    path = tmp_path / "programme.gpkg"
    world = sim.Years(seed=11)
    told, anchors, runs = {}, {}, {}

    def at(week, hours=12):
        stamp = sim.day(week).tz_localize("UTC") + pd.Timedelta(hours=hours)
        clock(stamp)

    def run(week, name):
        at(week, 20)
        skip = ["--skip", "check", *([] if week < 50 else ["--skip", "map"])]
        day = str(sim.day(week).date())
        done = CliRunner().invoke(cli, ["run", str(path), "-o", str(tmp_path / name), "--as-of", day, *skip, "-q"])
        assert done.exit_code == 0, done.output
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file() and p.suffix != ".gpkg")
        return {p.relative_to(tmp_path / name).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    at(0, 1)
    with stores.init(path, author="A. Officer (synthetic)", name="District F (synthetic)") as store:
        office = Office(store)
        office.save({"events": sim._frame([{"id": "E-000", "event": "corrected_in", "hazard_id": "none", "date": sim.day(0), "geometry": None}]).set_crs(sim.CRS)}, "first", "A")  # fmt: skip
        office.save({}, "not an event", "A. Officer (synthetic)", deleted={"events": ["E-000"]})
        for week in range(sim.WEEKS):
            at(week)
            hazards, event = world.new_hazards(week), world.reopening(week)
            if hazards is not None:
                office.save({"hazards": hazards}, f"week {week}: new hazards", "A. Officer (synthetic)")
            for organisation in range(4):
                frame = world.returns(week, organisation)
                if frame is not None:
                    office.receive("releases", frame, organisation, f"week {week}")
            if event is not None:
                office.save({"events": event}, f"week {week}: find on released ground", "Q. Officer (synthetic)")
            if week % 13 == 12:
                office.merge_two_teams(week, world.rng)
                double = store.load("releases")["id"]
                double = double[double.str.endswith("-bis")].tolist()[:2]
                office.save({}, "sent twice", "A. Officer (synthetic)", deleted={"releases": double})
            if week == 0 and "releases" not in store.kinds():
                office.save({"releases": sim._frame([world._release(0, 0)])}, "week 0", "A")
            found, text = report(store, week)
            adds_up(found, week)
            told[week], anchors[week] = hashlib.sha256(text).hexdigest(), store.head().hash
            if week in REPORTED:
                runs[week] = run(week, f"report {week}")
        at(sim.WEEKS + 1)
        for week in (*range(0, sim.WEEKS, 20), *REPORTED, sim.WEEKS - 1):
            assert hashlib.sha256(report(store, week)[1]).hexdigest() == told[week], (
                f"week {week} is told differently today"
            )
        for week, files in runs.items():
            again = run(week, f"again {week}")
            assert again == files, {n for n in {*again, *files} if again.get(n) != files.get(n)}
        at(sim.WEEKS + 1)
        assert not len(store.verify(anchor=anchors[100]))
        total = store.revisions()
        assert office.refused > 0
        assert office.conflicts == sim.WEEKS // 13
        assert office.counts["changed"] > 20
        assert office.counts["deleted"] > 5
        assert len(total) > 400
        print(
            len(total),
            "revisions;",
            office.counts,
            office.refused,
            "refused;",
            round(time.process_time() - begin, 1),
            "s CPU",
        )
