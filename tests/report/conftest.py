"""The example documents as a fixture."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def make():
    spec = importlib.util.spec_from_file_location("report_documents", Path(__file__).parent / "make_documents.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
