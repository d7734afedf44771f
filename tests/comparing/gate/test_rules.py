"""Rules: what is read, and what is refused with the line, the rule and a near miss."""

from __future__ import annotations

import pytest

from triptych.comparing.gate.rules import read_rules
from triptych.core.errors import ReadError, SpecError


def test_every_key_is_read(tmp_path):
    file = tmp_path / "rules.toml"
    file.write_text(
        'strict = true\nmatch = "length"\n\n[[rule]]\nname = "right"\nmeasure = "label_mean:field=correct"\n'
        'floor = 0.5\nceiling = 1\nno_worse_than_baseline = true\nmargin = "3%"\nat_least_better = 0.01\n'
        'by = "task"\nminimum_n = 20\n\n[[rule]]\nmeasure = "tokens"\nbetter = "lower"\nmatch = "mix:task+length"\n'
        "no_worse_than_baseline = true\nstrict = false\n"
    )
    first, second = read_rules(file)
    assert (first.name, first.floor, first.ceiling, first.minimum_n, first.by) == ("right", 0.5, 1.0, 20, "task")
    assert first.strict
    assert first.match == "length"
    assert first.margin.number == pytest.approx(0.03)
    assert first.margin.relative
    assert not first.at_least_better.relative
    assert not second.strict
    assert (second.better, second.match, second.fields) == ("lower", "mix:task+length", ("task",))
    assert second.place == f"{file}:15: rule 2 (tokens)"


def test_mappings_are_rules_too():
    (rule,) = read_rules([{"measure": "valid_share", "floor": 0.98}])
    assert (rule.name, rule.floor, rule.compares) == ("valid_share", 0.98, False)
    (zero,) = read_rules([{"measure": "tokens", "floor": 0}])
    assert (zero.floor, zero.limits) == (0.0, ("floor",))
    (counts,) = read_rules([{"minimum_n": 5}])
    assert (counts.name, counts.measure) == ("records", None)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[[rule]]\nmeasure = valid_share\n", ["rules.toml:2", "no TOML"]),
        ("", ["no rule"]),
        ("rule = 3\n", ["no rule"]),
        ("[[rules]]\nfloor = 1\n", ['"rules"', "[[rule]]"]),
        ("floor = 1\n", ['"floor"', "inside [[rule]]"]),
        ('[[rule]]\nmeasure = "tokens"\n', [":1: rule 1 (tokens)", "no limit", "floor"]),
        ('[[rule]]\nmeasure = "tokens"\nno_worse_than_baseline = false\n', ["no limit"]),
        ('\n\n[[rule]]\nmeasure = "valid_shar"\nfloor = 0.9\n', [":3: rule 1", "valid_shar", "valid_share"]),
        ('[[rule]]\nmeasure = "vendi:qq=2"\nfloor = 0.9\n', ["rule 1", "qq"]),
        ('[[rule]]\nmeasure = "valid_share"\nflor = 0.9\n', ['unknown key "flor"', "try:  floor"]),
        ('[[rule]]\nmeasure = "valid_share"\nfloor = "0.9"\n', ["floor is not right", "a number"]),
        ('[[rule]]\nmeasure = "valid_share"\nfloor = true\n', ["floor is not right"]),
        ('[[rule]]\nmeasure = "valid_share"\nfloor = nan\n', ["floor is not right"]),
        ('[[rule]]\nmeasure = "valid_share"\nfloor = 98\n', ["out of range", "floor = 0.98"]),
        ('[[rule]]\nmeasure = "valid_share"\nfloor = 0.9\nceiling = 0.8\n', ["the floor is above the ceiling"]),
        ("[[rule]]\nfloor = 0.9\n", ["no measure is named"]),
        ('[[rule]]\nmeasure = "tokens"\nno_worse_than_baseline = true\n', ["no better side", 'better = "higher"']),
        ('[[rule]]\nmeasure = "vendi"\nno_worse_than_baseline = 1\n', ["true or false"]),
        ('[[rule]]\nmeasure = "vendi"\nno_worse_than_baseline = true\nmargin = -1\n', ["margin is not right"]),
        ('[[rule]]\nmeasure = "vendi"\nno_worse_than_baseline = true\nmargin = "x%"\n', ["margin is not right"]),
        ('[[rule]]\nmeasure = "vendi"\nat_least_better = 0\n', ["at_least_better is not right"]),
        ('[[rule]]\nmeasure = "vendi"\nfloor = 2\nmargin = 0.1\n', ["margin has no effect"]),
        ('[[rule]]\nmeasure = "vendi"\nfloor = 2\nmatch = "length"\n', ["match has no effect"]),
        ('[[rule]]\nmeasure = "vendi"\nat_least_better = 1\nmatch = "lenght"\n', ['"lenght"', "try:  length"]),
        ('[[rule]]\nmeasure = "vendi"\nat_least_better = 1\nbetter = "up"\n', ["better is not right"]),
        ('[[rule]]\nmeasure = "vendi,tokens"\nfloor = 1\n', ["one measure is wanted"]),
        ("[[rule]]\nminimum_n = 0.5\n", ["minimum_n is not right"]),
        ('[[rule]]\nmeasure = "label_mean"\nfloor = 0.5\n', ["rule 1 (label_mean)", "name the label field"]),
    ],
)
def test_bad_rules_name_their_place(tmp_path, text, wanted):
    file = tmp_path / "rules.toml"
    file.write_text(text)
    with pytest.raises((ReadError, SpecError)) as caught:
        read_rules(file)
    for piece in wanted:
        assert piece in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ReadError, match="no rules can be read"):
        read_rules(tmp_path / "none.toml")
