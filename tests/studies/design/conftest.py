"""A small pool whose topics, score and effort are known."""

from __future__ import annotations

import numpy as np
import pytest

TOPICS = {
    "garden": "soil seed rose leaf water spade bloom root fence compost",
    "kitchen": "flour oven sugar knife butter bowl whisk salt pan recipe",
    "harbour": "boat sail anchor tide rope crew deck storm pier gull",
    "school": "teacher pupil chalk lesson desk exam grade book bell class",
    "music": "violin chord tempo song choir drum note rhythm tune piano",
    "railway": "train track signal station driver coach ticket tunnel wagon rail",
    "forest": "pine wolf moss trail owl creek fern branch cabin deer",
    "office": "memo desk printer meeting email budget report client phone chair",
    "stars": "comet orbit planet lens moon galaxy dust eclipse probe rocket",
    "sport": "goal team coach match whistle field score sprint medal race",
}


def pool_rows(n, seed=0, **more):
    """n rows of ten topics: `score` and `effort` are free of length, which varies from 6 to 30 words."""
    rng = np.random.default_rng(seed)
    names, rows = list(TOPICS), []
    for index in range(n):
        topic = names[index % len(names)]
        words = rng.choice(TOPICS[topic].split(), int(rng.integers(6, 30)))
        row = {"prompt": f"Tell me something about the {topic}, part {index}.", "response": " ".join(words) + "."}
        row |= {"score": round(float(rng.normal()), 4), "effort": round(float(rng.normal()), 4), "topic": topic}
        row |= {name: give(index, row, rng) for name, give in more.items()}
        rows.append(row)
    return rows


@pytest.fixture(scope="session")
def rows_of_pool():
    return pool_rows
