"""A tiny random Llama with a tokenizer made on the spot."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def folder(make_model, tmp_path_factory):
    return make_model(tmp_path_factory.mktemp("llama"))
