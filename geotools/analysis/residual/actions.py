"""What to do next: which further search, where, lowers the expected number of items left most for its cost.

For ordering work. The list never ends with ground to leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geotools.analysis.residual.account import Ledger, Search, _State, group_name
from geotools.analysis.residual.formulas import allocate
from geotools.model import arguments
from geotools.space.grid import Grid, Raster

ONE = Raster(np.ones((1, 1), dtype=int), Grid(0.0, 0.0, 1.0, (1, 1), "EPSG:4326"))  # a single pass, wherever it is


@dataclass(frozen=True)
class Option:
    """A further search on offer: lane counts as for `Search`, cost per m² in any one currency or in hours.

    If `name` is that of a search already made, its passes are correlated with the earlier ones.

    Parameters
    ----------
    name
        That of a search already made, if its passes are correlated with the earlier ones.
    found, targets
        Hits and targets in blind lanes, as for `Search`.
    cost_m2
        Cost of one pass over one m², in any one currency or in hours.
    sd, reach
        As for `Search`.

    Raises
    ------
    StatisticsError
        If the cost is not positive or the counts are impossible.

    Examples
    --------
    >>> dogs = Option("dogs", 54, 60, cost_m2=0.4)
    >>> dogs.cost_m2, dogs.reach
    (0.4, 1.0)
    """

    name: str
    found: int
    targets: int
    cost_m2: float
    sd: float = 0.0
    reach: float = 1.0

    def __post_init__(self) -> None:
        arguments.positive(self.cost_m2, "the cost per m²")
        Search(str(self.name), ONE, self.found, self.targets, self.sd, self.reach)  # refuses impossible counts


def next_actions(ledger: Ledger, options: Sequence[Option]) -> pd.DataFrame:
    """Every option on every kind of ground, cheapest reduction first.

    Returns
    -------
    DataFrame
        `group, option, area_m2, cost, expected_left, after, lowers_by, lowers_by_per_cost`: the effect of one further pass
        over all ground of the group.

    Examples
    --------
    >>> from geotools.analysis.residual import Search, ledger
    >>> from geotools.space.grid import Grid
    >>> grid = Grid.around((0, 0, 2, 1), 1.0, "EPSG:32638")
    >>> made = Search("manual", Raster(np.array([[0, 1]]), grid), found=27, targets=30)
    >>> table = next_actions(ledger(Raster(np.full((1, 2), 0.5), grid), [made]), [Option("manual", 27, 30, cost_m2=2.0)])
    >>> table["group"].tolist()
    ['not searched', 'manual × 1']
    """
    arguments.instance(ledger, "the ledger", Ledger, hint="the result of residual.ledger")
    for option in arguments.sequence(options, "options"):
        arguments.instance(option, "an option", Option, hint="residual.Option(name, found, targets, cost_m2)")
    state = ledger._state
    names = ledger.drivers.set_index("group")
    rows = []
    for option in options:
        after = _after(state, option)
        for group, before, later in after:
            area = float(names["area_m2"].get(group, 0.0))
            if area > 0:
                cost = area * option.cost_m2
                rows.append(
                    {
                        "group": group,
                        "option": option.name,
                        "area_m2": area,
                        "cost": cost,
                        "expected_left": before,
                        "after": later,
                        "lowers_by": before - later,
                        "lowers_by_per_cost": (before - later) / cost,
                    }
                )
    columns = ["group", "option", "area_m2", "cost", "expected_left", "after", "lowers_by", "lowers_by_per_cost"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["lowers_by_per_cost", "group", "option"], ascending=[False, True, True]).reset_index(
        drop=True
    )


def spend(ledger: Ledger, option: Option, budget: float) -> pd.DataFrame:
    """Best division of a budget over the kinds of ground for one option (Koopman and Stone), as if effort could be split at will.

    Detection per pass is taken as 1 − e^(−b) with the option's detection within its reach.

    Returns
    -------
    DataFrame
        `group, area_m2, passes, cost, expected_left, after`; the costs add up to the budget.

    Examples
    --------
    >>> from geotools.analysis.residual import Search, ledger
    >>> from geotools.space.grid import Grid
    >>> grid = Grid.around((0, 0, 2, 1), 1.0, "EPSG:32638")
    >>> made = Search("manual", Raster(np.array([[0, 1]]), grid), found=27, targets=30)
    >>> plan = spend(ledger(Raster(np.full((1, 2), 0.5), grid), [made]), Option("manual", 27, 30, cost_m2=2.0), 3.0)
    >>> float(plan["cost"].sum().round(9))
    3.0
    """
    arguments.instance(ledger, "the ledger", Ledger, hint="the result of residual.ledger")
    arguments.instance(option, "an option", Option, hint="residual.Option(name, found, targets, cost_m2)")
    budget = arguments.number(budget, "the budget", least=0)
    rows = ledger.drivers[["group", "area_m2", "expected_left"]].copy()
    rate = -np.log1p(-option.reach * (option.found + 0.5) / (option.targets + 1))
    cost = rows["area_m2"].to_numpy() * option.cost_m2
    rows["passes"] = allocate(rows["expected_left"].to_numpy(), rate, budget, cost=cost)
    rows["cost"] = rows["passes"] * cost
    rows["after"] = rows["expected_left"] * np.exp(-rate * rows["passes"])
    return rows


def _after(state: _State, option: Option) -> list[tuple[str, float, float]]:
    before, _ = state.missed([s.pod for s in state.searches])
    known = [n for n, s in enumerate(state.searches) if s.name == option.name]
    if known:
        searches, counts = state.searches, state.counts.copy()
        counts[:, known[0]] += 1
    else:
        searches = (*state.searches, Search(option.name, ONE, option.found, option.targets, option.sd, option.reach))
        counts = np.column_stack([state.counts, np.ones(len(state.counts), dtype=int)])
    later = _State(searches, counts, state.weight, state.area, state.scale)
    after, _ = later.missed([s.pod for s in searches])
    scale = state.scale * state.weight
    names = [group_name(state.searches, row) for row in state.counts]
    return [(name, float(b), float(a)) for name, b, a in zip(names, scale * before, scale * after, strict=True)]
