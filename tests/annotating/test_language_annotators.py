"""Annotators that read records with a local model, against reading one record after the other; killed and gone on."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.annotating.annotator import Item
from triptych.annotating.gradients import GradientReading
from triptych.annotating.language_model import LanguageModelReading
from triptych.annotating.named import annotators
from triptych.annotating.reading import portions, readable
from triptych.annotating.run import outcomes
from triptych.annotating.student import StudentReading
from triptych.core.rng import stream
from triptych.engines.progress import Progress
from triptych.language.model import load_model

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def folder(make_model, tmp_path_factory):
    return str(make_model(tmp_path_factory.mktemp("llama"), width=32))


def items(n=60):
    rng = stream("annotated items")
    words = list("abcdefgh")

    def text(most):
        return " ".join(words[int(i)] for i in rng.integers(0, 8, int(rng.integers(2, most))))

    return [Item(bytes([place]) * 16, text(12), text(40)) for place in range(n)]


def slow(model, prompt, response):
    """Cross-entropy of the response behind the prompt and alone, as the code of Superfiltering has it."""
    ids = model.codec.tokenizer

    def loss(text, skipped):
        tokens = torch.tensor([ids(text)["input_ids"]])
        labels = tokens.clone()
        labels[0, :skipped] = -100
        with torch.inference_mode():
            return float(model.network(input_ids=tokens, labels=labels).loss)

    behind = loss(prompt + "\n" + response, len(ids(prompt + "\n")["input_ids"]))
    return behind, loss(response, 0)


def test_surprisal_and_ifd_are_those_of_superfiltering(folder):
    reader, given = LanguageModelReading(folder), items()
    found = dict(reader.annotate(given))
    assert set(found) == {item.content_id for item in given}
    model = load_model(folder)
    for item in given:
        behind, alone = slow(model, item.prompt, item.response)
        values = found[item.content_id]
        assert set(values) == set(reader.gives)
        assert values["lm.surprisal"] == pytest.approx(behind, abs=1e-5)
        assert values["lm.surprisal_alone"] == pytest.approx(alone, abs=1e-5)
        assert values["lm.ifd"] == pytest.approx(behind / alone, abs=1e-5)
        assert values["lm.ifd_perplexity"] == pytest.approx(np.exp(behind) / np.exp(alone), abs=1e-5)
        assert values["lm.misfit"] == (values["lm.ifd"] > 1)
        assert values["lm.tokens"] == len(item.response.split())
        assert values["lm.cut"] == 0


def test_ranks_and_their_ratio_are_those_of_the_released_code(folder):
    found = dict(StudentReading(folder).annotate(items()))
    model = load_model(folder)
    for item in items():
        ids = torch.tensor([model.codec.tokenizer(item.prompt + "\n" + item.response)["input_ids"]])
        start = len(item.prompt.split())
        with torch.inference_mode():
            chances = torch.log_softmax(model.network(input_ids=ids).logits[0].double(), dim=-1)
        own = [float(chances[place - 1, ids[0, place]]) for place in range(start, ids.shape[1])]
        ranks = [
            1 + int((chances[place - 1] > chances[place - 1, ids[0, place]]).sum())
            for place in range(start, ids.shape[1])
        ]
        values = found[item.content_id]
        assert values["student.surprisal"] == pytest.approx(-np.mean(own), abs=1e-5)
        assert values["student.rank"] == np.mean(ranks)
        assert values["student.rsr"] == pytest.approx(sum(ranks) / -sum(own), rel=1e-5)


def test_records_that_cannot_be_read_say_why(folder):
    given = [
        Item(b"a" * 16, "a b", None),
        Item(b"b" * 16, "a b", ""),
        Item(b"c" * 16, None, "a b c"),
        Item(b"d" * 16, "a", "b"),
        Item(b"e" * 16, None, "b"),
    ]
    read = dict(LanguageModelReading(folder).annotate(given))
    assert read[b"a" * 16] == read[b"b" * 16] == read[b"e" * 16] == "no response"
    assert read[b"c" * 16]["lm.surprisal"] is None
    assert read[b"c" * 16]["lm.ifd"] is None
    assert read[b"c" * 16]["lm.surprisal_alone"] > 0
    assert read[b"d" * 16]["lm.surprisal"] > 0
    assert read[b"d" * 16]["lm.ifd"] is None, "one token has no surprisal alone"
    fit = dict(StudentReading(folder).annotate(given))
    assert fit[b"c" * 16] == "no prompt"
    assert fit[b"d" * 16]["student.rank"] >= 1
    vectors = dict(GradientReading(folder).annotate(given))
    assert vectors[b"a" * 16] == "no response"
    assert vectors[b"e" * 16] == "a response of one token"
    assert vectors[b"c" * 16]["gradients.vector"].shape == (512,)


def test_a_model_that_gives_no_numbers_gives_no_values(folder):
    weight = load_model(folder, "auto").network.get_output_embeddings().weight
    try:
        weight.data.fill_(float("nan"))
        for cls in (LanguageModelReading, StudentReading, GradientReading):
            assert set(map(str, dict(cls(folder).annotate(items(3))).values())) == {"the model gives no finite number"}
    finally:
        load_model.cache_clear()


def test_what_it_costs_is_told_before_it_begins_and_only_then(folder, tmp_path):
    lines = []

    class Told(Progress):
        def tell(self, text):
            lines.append(text)

    for _ in range(2):
        outcomes(items(10), StudentReading(folder), tmp_path, Told())
    (line,) = lines
    assert line.startswith("fit to the student")
    assert "tokens to read" in line


def test_long_records_are_counted(folder):
    long = Item(b"l" * 16, "a b", " ".join("abcdefgh" * 20))
    values = dict(LanguageModelReading(folder).annotate([long]))[b"l" * 16]
    assert values["lm.cut"] == 1
    assert values["lm.tokens"] == 63
    values = dict(LanguageModelReading(folder, context=20).annotate([long]))[b"l" * 16]
    assert values["lm.tokens"] == 19


def test_what_is_left_of_a_killed_run_gives_the_same_values(folder, monkeypatch):
    monkeypatch.setitem(__import__("triptych.language.scores", fromlist=["BUDGET"]).BUDGET, "cpu", 64)
    reader, given = LanguageModelReading(folder), items()
    whole = dict(reader.annotate(given))
    first = {}
    for key, values in reader.annotate(given):
        first[key] = values
        if len(first) == 25:
            break
    rest = dict(reader.annotate([item for item in given if item.content_id not in first]))
    assert set(first) | set(rest) == set(whole)
    for key, values in whole.items():
        other = first.get(key) or rest[key]
        assert all(abs(values[name] - other[name]) < 2e-6 for name in reader.gives)
    assert all(first[key] == whole[key] for key in first), "what was done is done in the same batches"


def test_work_is_handed_out_in_portions(folder, monkeypatch):
    model = load_model(folder)
    monkeypatch.setitem(__import__("triptych.language.scores", fromlist=["BUDGET"]).BUDGET, "cpu", 32)
    found, none = readable(model, items(), 512)
    assert not none
    parts = list(portions(model, found))
    assert [each for part in parts for each in part] == found
    assert len(parts) > 5
    assert all(sum(each.tokens for each in part) <= 8 * 32 for part in parts)


def test_the_identity_is_that_of_the_files_and_not_of_the_path(folder, tmp_path):
    import shutil

    other = tmp_path / "copy"
    shutil.copytree(folder, other)
    for cls in (LanguageModelReading, StudentReading, GradientReading):
        assert cls(folder).identity == cls(str(other)).identity
        assert cls(folder).identity != cls(folder, context=100).identity
        assert folder not in cls(folder).title
    kinds = {cls(folder).identity for cls in (LanguageModelReading, StudentReading, GradientReading)}
    assert len(kinds) == 3


def test_the_cost_is_told_before(folder):
    for reader in (LanguageModelReading(folder), StudentReading(folder), GradientReading(folder)):
        told = reader.plan(items(600 // 10))
        assert "tokens to read" in told
        assert "about" in told
        assert reader.plan([]) == "nothing to read"
    few, many = (LanguageModelReading(folder).plan(items(n)) for n in (10, 60))
    tokens = [int(line.split()[1].replace(",", "")) for line in (few, many)]
    exact = sum(each.tokens for each in readable(load_model(folder), items(60), 2048)[0])
    assert tokens[1] == exact
    assert tokens[0] < tokens[1]


def test_annotators_by_their_columns(folder):
    assert [type(each) for each in annotators("lm", folder, ["lm.ifd"])] == [LanguageModelReading]
    assert [type(each) for each in annotators("student", folder, ["student.rank"])] == [StudentReading]
    both = annotators("student", folder, ["student.rank", "student.gradient"])
    assert [type(each) for each in both] == [StudentReading, GradientReading]
    (vector,) = annotators("gradients", folder, ["gradients.vector"])
    assert vector.gives == ("gradients.vector",)
