"""`triptych attribute`: the same as the API, one message for bad input, and what it prints."""

import json
import sys

import pytest

from triptych import api
from triptych.cli.app import main

LABEL = "label_mean:field=correct"


@pytest.fixture
def call(monkeypatch, capsys):
    def run_here(*arguments):
        monkeypatch.setattr(sys, "argv", ["triptych", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    return run_here


def test_the_command_is_the_call(call, factorial, tmp_path):
    options = ("--measures", LABEL, "--reference", "method=evol", "--workers", 1)
    code, out, _ = call("attribute", *factorial, "-o", tmp_path / "a", "--json", *options)
    assert code == 0
    told = json.loads(out)
    mine = api.attribute(*factorial, out=tmp_path / "b", measures=LABEL, reference={"method": "evol"}, workers=1)
    assert {**told, "provenance": 0} == json.loads(json.dumps({**mine, "provenance": 0}))
    written = [(tmp_path / name / "attribution.json").read_text() for name in "ab"]
    assert [json.loads(text)["effects"] for text in written] == [told["effects"]] * 2
    code, out, _ = call("attribute", *factorial, "-o", tmp_path / "a", *options)
    assert code == 0
    assert "method few_shot: quality down" in out
    assert "Controlled: method and writer.temperature differ" in out.replace("\n", " ")
    assert "report:" in out


def test_a_plan(call, factorial):
    code, out, _ = call("attribute", *factorial, "--plan")
    assert code == 0
    assert "all runs are cut to equal records" in out


def test_bad_input_is_one_message(call, factorial, tmp_path):
    for arguments, told in (
        ((factorial[0],), "there is nothing to compare with"),
        ((factorial[0], tmp_path / "gone"), "no such file or folder"),
        ((*factorial, "--design", "ful"), "--design full"),
        ((*factorial, "--reference", "method"), "--reference cannot be read"),
        ((*factorial, "--vary", "method=a,b"), "--vary and --replicates make new runs"),
    ):
        code, out, err = call("attribute", *arguments, "-o", tmp_path / "out")
        assert code == 2
        assert told in err
        assert "Traceback" not in err
        assert not out
