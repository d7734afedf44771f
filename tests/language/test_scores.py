"""Scores of tokens against one record at a time with the whole softmax, and what must not move them."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.core.errors import ReadError
from triptych.core.rng import stream
from triptych.language.batching import batches
from triptych.language.model import Passage, load_model
from triptych.language.scores import token_scores

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

TEMPLATE = (
    "{% for m in messages %}{{ '<user>' if m['role'] == 'user' else '<assistant>' }} {{ m['content'] }} </s> {% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)


@pytest.fixture(scope="module")
def folders(make_model, tmp_path_factory):
    return {
        "plain": make_model(tmp_path_factory.mktemp("plain"), width=32),
        "chat": make_model(tmp_path_factory.mktemp("chat"), TEMPLATE, width=32),
    }


def passages(n=40, vocabulary=15, longest=60):
    rng = stream("passages")
    out = []
    for _ in range(n):
        size = int(rng.integers(2, longest))
        tokens = [int(token) for token in rng.integers(0, vocabulary, size)]
        cut = int(rng.integers(1, size))
        out.append(Passage(tokens[:cut], tokens[cut:]))
    return out


def slow(model, passage):
    """The surprisals and ranks of one passage, from the whole softmax in float64."""
    ids = torch.tensor([[*passage.head, *passage.body]])
    with torch.inference_mode():
        told = model.network(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0].double()
    surprisal, ranks = [], []
    for place, token in enumerate(passage.body, len(passage.head)):
        chances = torch.softmax(told[place - 1], dim=0)
        surprisal.append(-float(torch.log(chances[token])))
        ranks.append(1 + sum(float(chance) > float(chances[token]) for chance in chances))
    return np.array(surprisal), np.array(ranks)


@pytest.mark.parametrize("parted", [True, False])
def test_equal_to_one_record_at_a_time_with_the_whole_softmax(folders, parted):
    import dataclasses

    model = dataclasses.replace(load_model(str(folders["plain"])), parted=parted)
    given = passages()
    found = dict(token_scores(model, given, clip=6, budget=128))
    assert sorted(found) == list(range(len(given)))
    for place, passage in enumerate(given):
        surprisal, ranks = slow(model, passage)
        assert np.max(np.abs(found[place].surprisal - surprisal)) < 1e-5
        assert np.array_equal(found[place].rank, np.minimum(ranks, 6))
        assert found[place].surprisal.dtype == np.float64


def test_a_model_like_llama_is_parted_and_one_that_scales_its_logits_is_not(folders, tmp_path):
    assert load_model(str(folders["plain"])).parted
    from transformers import CohereConfig, CohereForCausalLM

    from triptych.language.load import quiet
    from triptych.language.model import _parted

    config = CohereConfig(
        vocab_size=15, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=2, logit_scale=0.25, pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    with torch.random.fork_rng(), quiet():
        torch.manual_seed(0)
        assert not _parted(CohereForCausalLM(config).eval())


def test_scores_do_not_depend_on_what_else_is_in_the_batch(folders):
    model = load_model(str(folders["plain"]))
    given = passages()
    together = dict(token_scores(model, given, clip=4, budget=512))
    apart = [next(token_scores(model, [passage], clip=4))[1] for passage in given]
    for place, alone in enumerate(apart):
        assert np.max(np.abs(together[place].surprisal - alone.surprisal)) < 2e-6
        assert np.array_equal(together[place].rank, alone.rank)
    again = dict(token_scores(model, given, clip=4, budget=512))
    assert all(np.array_equal(again[place].surprisal, together[place].surprisal) for place in again)


def test_batches_hold_the_budget_and_every_row_once():
    sizes = [5, 90, 7, 7, 30, 1, 200]
    found = list(batches(sizes, 60))
    assert sorted(row for batch in found for row in batch) == list(range(7))
    assert all(len(batch) == 1 or len(batch) * max(sizes[row] for row in batch) <= 60 for batch in found)
    assert [max(sizes[row] for row in batch) for batch in found] == sorted(max(sizes[row] for row in b) for b in found)


def test_records_become_passages(folders):
    model = load_model(str(folders["plain"]))
    ids = model.codec.tokenizer
    tokens = {word: ids.convert_tokens_to_ids(word) for word in "abcd"}
    found = model.encode("a b", "c d a")
    body = [tokens["c"], tokens["d"], tokens["a"]]
    assert found.given == Passage([tokens["a"], tokens["b"]], body)
    assert found.alone == Passage(body[:1], body[1:])
    assert not found.cut
    assert model.encode(None, "c d").given is None
    assert model.encode("a", "").given is None
    assert model.encode("a", "").alone is None
    assert model.encode("a", "b").alone is None, "one token with nothing before it has no surprisal of its own"


def test_a_template_stands_around_the_prompt_and_not_around_the_response_alone(folders):
    model = load_model(str(folders["chat"]))
    names = model.codec.tokenizer.convert_ids_to_tokens
    found = model.encode("a b", "c d")
    assert names(found.given.head) == ["<user>", "a", "b", "</s>", "<assistant>"]
    assert names(found.given.body) == ["c", "d"]
    assert names([*found.alone.head, *found.alone.body]) == ["c", "d"]


def test_a_tokenizer_that_begins_every_text_gives_the_first_token_a_surprisal(folders, tmp_path):
    import shutil

    from tokenizers import processors
    from transformers import AutoTokenizer

    folder = tmp_path / "begins"
    shutil.copytree(folders["plain"], folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", tokenizer.bos_token_id)]
    )
    tokenizer.save_pretrained(folder)
    model = load_model(str(folder))
    found = model.encode(None, "c d")
    assert model.start == tokenizer.bos_token_id
    assert found.alone.head == [model.start]
    assert len(found.alone.body) == 2


def test_long_records_are_cut_and_said_to_be(folders):
    model = load_model(str(folders["plain"]))
    found = model.encode("a b c d e f g h", "h g f e d c b a", 12)
    assert found.cut
    assert len(found.given.head) == 4
    assert len(found.given.body) == 8
    found = model.encode("a b c d", " ".join("abcdefgh" * 4), 12)
    assert len(found.given.head) == 1
    assert len(found.given.body) == 11
    assert len(found.alone.body) == 10
    found = model.encode("a", " ".join("abcdefgh" * 20))
    assert len(found.given.head) + len(found.given.body) == 64, "the model takes no more"


def test_one_model_is_held(folders):
    first = load_model(str(folders["plain"]))
    assert load_model(str(folders["plain"])) is first
    load_model(str(folders["chat"]))
    assert load_model(str(folders["plain"])) is not first
    assert first.weights == load_model(str(folders["plain"])).weights


def test_no_model(tmp_path):
    with pytest.raises(ReadError, match="no model"):
        load_model(str(tmp_path / "nothing"))
