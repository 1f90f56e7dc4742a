"""One `Store` in the hands of several threads: they take turns, and nobody ends the transaction of another."""

from __future__ import annotations

import threading

import pandas as pd
import pytest

from geotools.io.store import saving
from geotools.model.errors import StoreError

WHO = {"author": "B. Clerk (synthetic)"}


def _rows(name, count=60):
    return pd.DataFrame({"id": [f"{name}-{i}" for i in range(count)], "name": name})


def test_threads_that_share_a_store_lose_nothing_and_leave_the_chain_whole(store):
    """Savers and readers at once: every save is one revision, every read sees whole saves only."""
    faults: list[str] = []

    def save(name):
        try:
            for turn in range(8):
                done = store.save(_rows(f"{name}-{turn}"), kind="places", note="", **WHO)
                assert done.added == 60, done
        except BaseException as error:
            faults.append(f"{type(error).__name__}: {error}")

    def read():
        try:
            for _ in range(12):
                assert len(store.load("places")) % 60 == 0
                assert not len(store.verify())
        except BaseException as error:
            faults.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=save, args=(n,)) for n in "ab"] + [threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert store.revisions()["revision"].tolist() == list(range(17))
    assert len(store.load("places")) == 2 * 8 * 60
    assert not len(store.verify())


def test_a_save_begun_within_a_save_is_refused_and_does_not_end_it(store, monkeypatch):
    """What a callback within the same thread could do: the outer save goes on as if nothing had been."""
    real, told = saving.plan, []

    def plan(*given, **more):
        made = real(*given, **more)
        if not told:
            told.append("")
            with pytest.raises(StoreError, match="by the same work") as caught:
                store.save(_rows("inner"), kind="places", note="", **WHO)
            told.append(caught.value.hint)
        return made

    monkeypatch.setattr(saving, "plan", plan)
    assert store.save(_rows("outer"), kind="places", note="", **WHO).revision.number == 1
    assert told[1]
    assert set(store.load("places")["name"]) == {"outer"}
    assert not len(store.verify())
