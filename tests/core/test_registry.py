"""Measures by name: the folder scan, plug-ins, near misses, and the command line's form."""

from __future__ import annotations

import math
import sys
from textwrap import dedent

import pytest

from triptych.core import registry
from triptych.core.errors import RegistryError, SpecError
from triptych.core.measure import build
from triptych.core.registry import collect, lookup, measures, parse
from triptych.measures.diversity.distinct_n import DistinctN
from triptych.measures.diversity.vendi import Vendi

PLUGIN = '''
"""Shout: share of records in capitals."""
from triptych.core.measure import Measure, measure
from triptych.statistics.moments import Moments

@measure(axis="quality", unit="ratio", bounds=(0, 1), better="lower"{name})
class Shout(Measure):
    column: str = "label.shout"

    def statistic(self):
        return Moments(self.column)

    def value(self, moments, keep):
        return moments.mean(keep)

    def reference(self, rows):
        return None
'''


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """A real small package with its dist-info on sys.path."""

    def install(source: str, target: str = "shouting:Shout") -> None:
        (tmp_path / "shouting.py").write_text(dedent(source))
        info = tmp_path / "shouting-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[triptych.measures]\nshout = {target}\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        measures.cache_clear()

    yield install
    sys.modules.pop("shouting", None)
    measures.cache_clear()


def test_folder_is_scanned():
    found = measures()
    assert {"vendi", "distinct_n", "valid_share", "reasoning_steps", "label_mean"} <= set(found)
    axes = [cls.about.axis for cls in found.values()]
    assert axes == sorted(axes, key=["quality", "diversity", "complexity", "fit"].index)


def test_names_match_files():
    for name, cls in measures().items():
        assert cls.__module__.rpartition(".")[2] == name
        assert cls.__module__.split(".")[2] == cls.about.axis


def test_plug_in_is_found(plug_in):
    plug_in(PLUGIN.format(name=""))
    assert lookup("shout").about.axis == "quality"
    (found,) = parse(["shout:column=label.loud"])
    assert found.label == "shout:column=label.loud"


def test_name_taken_twice_names_both(plug_in):
    plug_in(PLUGIN.format(name=', name="vendi"'))
    with pytest.raises(RegistryError) as error:
        measures()
    assert "triptych.measures.diversity.vendi.Vendi" in str(error.value)
    assert "shouting.Shout" in str(error.value)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("shouting:Nothing", "cannot be loaded"),
        ("nowhere:Shout", "cannot be loaded"),
        ("shouting:Moments", "is not a measure"),
    ],
)
def test_bad_entry_point(plug_in, target, words):
    plug_in(PLUGIN.format(name=""), target)
    with pytest.raises(RegistryError, match=words):
        measures()


def test_collect_takes_one_class_once():
    assert list(collect([Vendi, Vendi])) == ["vendi"]


def test_near_miss():
    with pytest.raises(SpecError, match="try:  vendi"):
        lookup("vendy")
    with pytest.raises(SpecError, match="triptych list"):
        lookup("zzzzzz")


def test_parse_lists():
    found = parse(["vendi:q=1,vendi:q=2,distinct_n:n=3,on=prompt"])
    assert found == [Vendi(q=1.0), Vendi(q=2.0), DistinctN(n=3, on="prompt")]
    assert parse(["vendi:q=1", "vendi:q=2", " distinct_n:n=3 , on=prompt"]) == found
    assert parse(["vendi,vendi:q=1"]) == [Vendi()]
    assert parse(["vendi:q=inf,valid_only=yes"]) == [Vendi(q=math.inf, valid_only=True)]
    assert parse(["label_mean:valid_only=yes,field=a:b"])[0].spec.params["field"] == "a:b"


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("", "no measure is named"),
        ("q=2", "is not a parameter"),
        ("vendi:q", "is not a parameter"),
        ("vendi:q=1,q=2", "is given twice"),
        ("vendi:q=two", "a number"),
        ("vendi:q=-1", "must be 0 or more"),
        ("vendi:q=nan", "must be 0 or more"),
        ("vendi:valid_only=maybe", "true or false"),
        ("vendi:order=2", 'no parameter "order"'),
        ("distinct_n:n=0", "at least 1"),
        ("distinct_n:n=1.5", "a whole number"),
        ("distinct_n:on=respons", 'Did you mean "response"'),
        ("exact_duplicate_rate:n=1", "no parameters"),
        ("defect_rate:kind=refusals", 'did you mean "refusal"'),
        ("defect_rate:kind=zz", "broken_encoding"),
        ("label_mean", "name the label field"),
        ("near_duplicate_rate:threshold=8", "0.5..1"),
        ("compression_ratio:block=1000000", "looks back"),
    ],
)
def test_parse_refuses(request_, words):
    with pytest.raises(SpecError, match=words):
        parse([request_])


@pytest.mark.parametrize("params", [{"n": 1.5}, {"n": "x"}, {"valid_only": 2}, {"on": None}])
def test_build_checks_python_values(params):
    with pytest.raises(SpecError):
        build(DistinctN, params)


def test_build_takes_json_values():
    assert build(Vendi, {"q": 2, "valid_only": 1}) == Vendi(q=2.0, valid_only=True)
    assert build(Vendi, Vendi(q=math.inf).spec.params) == Vendi(q=math.inf)


def test_specs_come_back_from_their_params():
    for cls in measures().values():
        for params in cls.about.panel:
            one = build(cls, params)
            assert build(cls, one.spec.params).spec == one.spec


def test_headlines_are_in_the_panel():
    for cls in measures().values():
        hashes = {build(cls, params).spec.hash for params in cls.about.panel}
        assert {build(cls, params).spec.hash for params in cls.about.headline} <= hashes


def test_scan_only_takes_own_classes():
    assert registry.measures_in(sys.modules[__name__]) == []
