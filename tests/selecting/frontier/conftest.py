"""A small pool whose topics, quality and length are known."""

from __future__ import annotations

import numpy as np
import pytest

from triptych.data import open_dataset
from triptych.engines.progress import Progress
from triptych.profiling.bench import open_bench
from triptych.profiling.settings import Settings
from triptych.selecting.frontier.verb import FrontierRequest, run_frontier

TOPICS = {
    "garden": "soil seed rose leaf water spade bloom root fence compost",
    "kitchen": "flour oven sugar knife butter bowl whisk salt pan recipe",
    "harbour": "boat sail anchor tide rope crew deck storm pier gull",
    "school": "teacher pupil chalk lesson desk exam grade book bell class",
    "music": "violin chord tempo song choir drum note rhythm tune piano",
    "railway": "train track signal station driver coach ticket tunnel wagon rail",
    "forest": "pine wolf moss trail owl creek fern branch cabin deer",
    "stars": "comet orbit planet lens moon galaxy dust eclipse probe rocket",
}


def pool_rows(n, seed=0, **more):
    """n rows: half of them about the garden, and those are better: quality and diversity are at odds."""
    rng = np.random.default_rng(seed)
    names, rows = list(TOPICS), []
    for index in range(n):
        topic = "garden" if index % 2 else names[index % len(names)]
        words = rng.choice(TOPICS[topic].split(), int(rng.integers(6, 30)))
        score = float(rng.normal()) + 2.0 * (topic == "garden")
        row = {"prompt": f"Tell me something about the {topic}, part {index}.", "response": " ".join(words) + "."}
        row |= {"score": round(score, 4), "topic": topic, "id": f"r{index}"}
        rows.append(row | {name: give(index) for name, give in more.items()})
    return rows


def swept(rows, budget, folder=None, seed=0, cache=None, **options):
    """What `run_frontier` finds on some rows."""
    settings = Settings.of(workers=1, cache=cache, seed=seed)
    options = {"quality": "score"} | options
    with open_bench(settings, Progress()) as bench:
        request = FrontierRequest.of(budget, options, seed)
        return run_frontier(rows, open_dataset(rows, settings.reading()), bench, request, folder)


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def rows_of_pool():
    return pool_rows


@pytest.fixture(scope="session")
def sweep_of():
    return swept
