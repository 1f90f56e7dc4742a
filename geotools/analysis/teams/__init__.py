"""Productivity and teams: how fast, who works where and when, done by when, and what one more machine, team or dog buys.

For plans that a named person decides on; where a machine can work and which land comes first is decided in other rooms.
"""

from geotools.analysis.teams.charts import bought, finished, gantt
from geotools.analysis.teams.crews import Team, example_text, load_teams, teams_from
from geotools.analysis.teams.futures import Finish, Futures, finish, marginal, simulate
from geotools.analysis.teams.planning import GOALS, Plan, plan
from geotools.analysis.teams.rates import FieldWork, LaneMinutes, Rate, field_work, machine_day, passes
from geotools.analysis.teams.sequence import smith_order
from geotools.analysis.teams.sheets import Calibration, LaneFit, calibrate, day_sheets, fit_lane_minutes
from geotools.analysis.teams.work import steps
from geotools.analysis.teams.workdays import EVERY_DAY, Calendar

__all__ = [
    "EVERY_DAY",
    "GOALS",
    "Calendar",
    "Calibration",
    "FieldWork",
    "Finish",
    "Futures",
    "LaneFit",
    "LaneMinutes",
    "Plan",
    "Rate",
    "Team",
    "bought",
    "calibrate",
    "day_sheets",
    "example_text",
    "field_work",
    "finish",
    "finished",
    "fit_lane_minutes",
    "gantt",
    "load_teams",
    "machine_day",
    "marginal",
    "passes",
    "plan",
    "simulate",
    "smith_order",
    "steps",
    "teams_from",
]
