"""The example documents and the reader of pages as fixtures."""

import importlib.util
from pathlib import Path

import pytest


def load(name):
    """A module that lies beside the tests."""
    spec = importlib.util.spec_from_file_location(f"report_{name}", Path(__file__).parent / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make():
    return load("make_documents")


@pytest.fixture(scope="session")
def made():
    return load("make_study")


@pytest.fixture(scope="session")
def sample():
    return load("make_frontier")


@pytest.fixture(scope="session")
def html():
    return load("html")


@pytest.fixture(scope="session")
def parsed(html):
    return html.Page


@pytest.fixture(scope="session")
def inert(html):
    return html.inert


@pytest.fixture(scope="session")
def compared():
    return load("make_comparison")


@pytest.fixture(scope="session")
def courses():
    return load("make_rounds")
