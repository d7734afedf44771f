"""`list`, `explain` and `check` speak of policies beside measures."""

from __future__ import annotations

import json
import subprocess
import sys
from textwrap import dedent

import pytest

from triptych import api
from triptych.selectors.registry import selectors

POLICY = '''
"""First: the first candidates."""
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
from triptych.core.selector import Choice, Selector

@dataclass(frozen=True)
class First(Selector):
    name: ClassVar[str] = "first"

    def choose(self, pool, basket, setting):
        held = len(basket)
        basket.fill(np.arange(len(pool)))
        setting.told(len(basket) - held)
        return Choice()

class Loud(First):
    def choose(self, pool, basket, setting):
        super().choose(pool, basket, setting)
        return Choice(notes="loud")

@dataclass(frozen=True)
class LoudAndFrozen(Loud):
    name: ClassVar[str] = "loud"
'''


def run(*words, cwd=None):
    command = [sys.executable, "-m", "triptych.cli", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_list_policies():
    done = run("list", "--policies", "--json")
    assert done.returncode == 0
    assert done.stderr == ""
    entries = json.loads(done.stdout)
    assert entries == json.loads(json.dumps(api.list_selectors()))
    assert [entry["name"] for entry in entries] == list(selectors())
    found = {entry["name"]: entry for entry in entries}
    assert found["threshold"]["params"] == {"at": None, "quantile": None}
    assert found["threshold"]["floor"]
    assert found["archive"]["needs"] == ["quality", "vectors"]
    assert set(found["random"]) == {"name", "params", "needs", "wants", "floor", "sweep", "source"}
    shown = run("list", "--policies").stdout
    assert all(name in shown for name in selectors())


def test_measures_are_listed_as_before():
    entries = api.list_measures()
    assert all(set(entry) == {"name", "axis", "unit", "params", "needs", "extra", "source"} for entry in entries)
    assert not {entry["name"] for entry in entries} & set(selectors())


def test_explain_a_policy():
    text = api.explain("threshold")
    for words in ("threshold: policy", "tightens the level", "needs: quality", "quality floor", "quantile = none"):
        assert words in text
    assert "threshold:quantile=0.2" in text.splitlines()[-1]
    assert "source: Zhao et al. 2024" in api.explain("longest")


@pytest.mark.parametrize("name", ["archve", "vendy"])
def test_near_misses_of_both_kinds(name):
    done = run("explain", name)
    assert done.returncode == 2
    assert "try:  " + {"archve": "archive", "vendy": "vendi"}[name] in done.stderr


def test_check_a_policy_of_ones_own(tmp_path):
    (tmp_path / "mine.py").write_text(dedent(POLICY))
    assert "first: keeps all laws" in run("check", "mine:First", cwd=tmp_path).stdout
    done = run("check", "mine:LoudAndFrozen", cwd=tmp_path)
    assert done.returncode == 1
    assert "law broken: notes" in done.stderr
    assert run("check", "mine:Choice", cwd=tmp_path).returncode == 2
