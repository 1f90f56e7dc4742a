"""Several runs at the same time into one place: each is refused or whole, and one whole result stays."""

from __future__ import annotations

import pytest

from .commands import Writer, hidden, turn
from .conftest import Server, Tally
from .faulty import Trial, sound_store


@pytest.mark.slow
@pytest.mark.parametrize("writer", turn(4), ids=lambda w: w.label)
def test_three_at_the_same_time(writer: Writer, trial: Trial, server: Server, tally: Tally) -> None:
    trial.prepare("old")
    started = [server.start([*trial.words(0), *trial.over(True)]) for _ in range(3)]
    ended = [server.wait(one) for one in started]
    tally.faults += 2
    for one in ended:
        tally.no_trace(one.said)
        assert one.code in (trial.code, 3), one.said
    assert any(one.code == trial.code for one in ended), ended[0].said
    assert not hidden(trial.out)
    if writer.in_place:
        assert sound_store(trial.out / "store.gpkg", (3, 4, 5))
    else:
        assert trial.judge(tally, was_there=False) or not trial.same_bytes
