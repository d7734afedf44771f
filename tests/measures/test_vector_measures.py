"""Measures of the pairs of vectors, and of vectors with a label, against other people's numbers and known cases."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from triptych.core.errors import SpecError
from triptych.core.estimate import Undefined
from triptych.core.groups import everything, only
from triptych.core.reading import read
from triptych.core.registry import parse
from triptych.features.reference import Balls, against
from triptych.measures.diversity.novelsum import Novelsum
from triptych.statistics.sample import VectorSample
from triptych.testing import check_statistic, make_batch, make_rows
from triptych.testing.fixtures import fixtures
from triptych.testing.laws import fold, pieces, same_bits, update


def records(vectors, **columns):
    """One record a vector, each with a text of its own."""
    return [
        {"response": f"r{i}", "embedding@response": np.asarray(row).tolist(), **{k: v[i] for k, v in columns.items()}}
        for i, row in enumerate(vectors)
    ]


def value(request, rows):
    (measure,) = parse([request])
    return measure.value(fold(measure.statistic(), make_rows(rows)), everything())


def cloud(n, width, seed=3):
    """Unit rows around a common direction, (n, width)."""
    x = np.random.default_rng(seed).normal(0.3, 1, (n, width)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_weighted_vendi_is_the_number_its_authors_print():
    places = np.array([0.0, 0.0, 2.0])
    kernel = np.exp(-np.abs(places[:, None] - places))
    w, v = np.linalg.eigh(kernel)
    vectors = v * np.sqrt(np.clip(w, 0, None))  # rows whose inner products are the kernel
    rows = records(vectors, **{"label.score": np.exp(-np.abs(places - 2)).tolist()})
    assert value("weighted_vendi:field=score", rows) == pytest.approx(0.793705659274703, abs=1e-6)


@pytest.mark.parametrize("q", ["0.5", "1", "2", "inf"])
def test_weighted_vendi_of_perfect_records_is_vendi(q):
    x = cloud(40, 6)
    same = value(f"vendi:q={q}", records(x))
    assert value(f"weighted_vendi:field=score,q={q}", records(x, **{"label.score": [1.0] * 40})) == pytest.approx(same)
    three = records(x, **{"label.score": [3.0] * 40})
    assert value(f"weighted_vendi:field=score,top=4,q={q}", three) == pytest.approx(0.75 * same)


def test_weighted_vendi_reads_records_with_a_label_only():
    x = cloud(30, 6)
    label = [0.5 if i < 20 else None for i in range(30)]
    part = records(x[:20], **{"label.score": [0.5] * 20})
    whole = records(x, **{"label.score": label})
    assert value("weighted_vendi:field=score", whole) == pytest.approx(value("weighted_vendi:field=score", part))


@pytest.mark.parametrize(("n", "width"), [(12, 30), (200, 5)])
def test_log_det_is_the_determinant(n, width):
    x = cloud(n, width)
    want = np.linalg.slogdet(np.eye(n) + x.astype(float) @ x.T / (n * 0.01))[1]
    assert value("log_det", records(x)) == pytest.approx(want, rel=1e-6)


def test_log_det_of_kinds_does_not_hang_on_their_number_of_copies():
    for copies in (1, 7):
        rows = records(np.repeat(np.eye(5), copies, axis=0))
        assert value("log_det:ridge=0.1", rows) == pytest.approx(5 * math.log(1 + 1 / (5 * 0.1)))


def test_chamfer_sees_copies_and_the_mean_distance_hardly_does():
    x = cloud(60, 12)
    once, twice = records(x), records(np.repeat(x, 2, axis=0))
    assert value("chamfer_distance", once) > 0.2
    assert value("chamfer_distance", twice) == 0
    assert value("knn_distance:k=2", twice) == pytest.approx(value("chamfer_distance", once), abs=1e-6)
    assert value("mean_cosine_distance", twice) == pytest.approx(value("mean_cosine_distance", once), rel=0.02)


def test_neighbours_are_found_anew_on_the_size_curve():
    rows = make_rows(records(cloud(400, 4)))
    (measure,) = parse(["chamfer_distance"])
    curve = read(measure, fold(measure.statistic(), rows)).curve
    values = [point.value for point in curve]
    assert values == sorted(values, reverse=True)
    block = [row for row in rows if row["group"] < 8]
    fresh = measure.value(fold(measure.statistic(), block), everything())
    assert measure.value(fold(measure.statistic(), rows), only(range(8))) == pytest.approx(fresh, abs=1e-6)


def published_novelsum(vectors, k, alpha, beta):
    """The released code of arXiv 2502.17184, with the set itself as the corpus: every record is its own nearest."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    distance = 1 - unit @ unit.T
    np.fill_diagonal(distance, 0)
    squared = np.sort(2 * (1 - unit @ np.unique(unit, axis=0).T), axis=1)[:, 1 : k + 1]
    row = np.sort(distance, axis=1) * (squared.mean(axis=1) + 1e-9)[:, None] ** -beta
    weight = np.arange(1, len(row) + 1) ** -alpha
    return float(np.mean(row @ weight / weight.sum()))


def test_novelsum_goes_with_the_published_code():
    """Without rank weights only the record itself and the squared distances are between the two."""
    x = cloud(80, 10).astype(float)
    copied = np.vstack([x, np.repeat(x[:3], 11, axis=0)])
    for each in (x, copied):
        n = len(each)
        ours = value("novelsum:alpha=0", records(each))
        assert published_novelsum(each, 10, 0.0, 0.5) == pytest.approx(ours * 2**-0.5 * (n - 1) / n, rel=1e-5)
    spread = [cloud(80, 10, seed) + shift for seed, shift in ((1, 0.0), (2, 0.2), (3, 0.5), (4, 1.0))]
    ours = [value("novelsum", records(x)) for x in spread]
    theirs = [published_novelsum(x.astype(float), 10, 1.0, 0.5) for x in spread]
    assert np.argsort(ours).tolist() == np.argsort(theirs).tolist()


def test_novelsum_falls_with_copies_and_near_copies_are_not_infinitely_dense():
    x = cloud(66, 10).astype(float)
    copied = np.vstack([x, np.repeat(x[:3], 11, axis=0)])
    assert value("novelsum", records(copied)) < value("novelsum", records(x))
    near = np.repeat(x[:6], 11, axis=0) + 1e-4 * np.random.default_rng(1).normal(size=(66, 10))
    assert value("novelsum", records(near)) < 20
    assert published_novelsum(near, 10, 0.0, 0.5) > 1000


def held_against(vectors, corpus):
    """Records with the mean distance to the ten nearest of a corpus."""
    _, near, _ = against(np.asarray(vectors, np.float32), Balls.around(np.asarray(corpus, np.float32), 5))
    return records(vectors, **{"reference_near@response": near.tolist()})


def test_novelsum_with_density_of_a_corpus_is_its_worked_example():
    rows = records([(1, 0), (1, 0), (0, 1)], **{"reference_near@response": [0.25, 0.25, 0.0625]})
    assert value("novelsum:density=reference", rows) == pytest.approx(16 / 9)


def test_novelsum_against_a_corpus_goes_with_the_published_code():
    """Without rank weights only the record itself and the squared distances of the density are between the two."""
    x, corpus = cloud(50, 10).astype(float), cloud(200, 10, seed=4).astype(float)
    distance = 1 - x @ x.T
    np.fill_diagonal(distance, 0)
    squared = np.sort(2 * (1 - x @ corpus.T), axis=1)[:, :10]
    theirs = float(np.mean(distance.mean(axis=1) * (squared.mean(axis=1) + 1e-9) ** -0.5))
    ours = value("novelsum:density=reference,alpha=0", held_against(x, corpus))
    assert theirs == pytest.approx(ours * 2**-0.5 * 49 / 50, rel=1e-4)


def test_novelsum_is_lower_where_the_corpus_is_sparse():
    x, corpus = cloud(60, 10), cloud(200, 10, seed=4)
    dense = value("novelsum:density=reference", held_against(x, corpus))
    sparse = value("novelsum:density=reference", held_against(x, -corpus))
    assert sparse < dense
    assert value("novelsum", held_against(x, corpus)) == value("novelsum", held_against(x, -corpus))


def test_novelsum_leaves_out_records_without_a_place_in_the_reference():
    rows = held_against(cloud(40, 10), cloud(50, 10, seed=4))
    some = [{**row, "reference_near@response": None} if at % 4 == 0 else row for at, row in enumerate(rows)]
    rest = [row for at, row in enumerate(rows) if at % 4]
    assert value("novelsum:density=reference", some) == pytest.approx(value("novelsum:density=reference", rest))


@pytest.mark.parametrize("rows", fixtures().values(), ids=fixtures())
def test_novelsum_with_a_reference_agrees_with_the_slow_one_under_every_mask(rows):
    """Not the law that every parameter has an effect: there k is that of the column."""
    check_statistic(VectorSample(size=64, beside="reference_near"))
    one = Novelsum(density="reference")
    for keep in (everything(), only(range(0, 32, 2)), only(range(5))):
        held = [row for row in rows if keep[row["group"]]]
        found, slow = one.value(fold(one.statistic(), rows), keep), one.reference(held)
        assert isinstance(found, Undefined) if slow is None else found == pytest.approx(slow, rel=1e-6)


@pytest.mark.parametrize("sizes", [[1, 1, 1], [30], [20, 10, 5, 5], [8] * 8])
def test_effective_clusters_of_separate_clusters_is_the_exponential_of_their_entropy(sizes):
    rng = np.random.default_rng(1)
    centre = np.repeat(np.eye(len(sizes) + 1)[: len(sizes)], sizes, axis=0)
    rows = records(centre + 0.02 * rng.normal(size=centre.shape))
    share = np.array(sizes) / sum(sizes)
    assert value("effective_clusters", rows) == pytest.approx(math.exp(-np.sum(share * np.log(share))))


def test_facility_coverage_is_near_the_best_choice():
    x = cloud(14, 4)
    cosine = np.maximum(x.astype(float) @ x.T, 0)
    best = max(cosine[list(chosen)].max(axis=0).mean() for chosen in combinations(range(14), 3))
    found = value("facility_coverage:share=0.2", records(x))
    assert (1 - 1 / math.e) * best <= found <= best + 1e-6


def test_facility_coverage_of_copies_is_one():
    rows = records(np.repeat(np.eye(4), 20, axis=0))
    assert value("facility_coverage", rows) == pytest.approx(1)
    assert value("facility_coverage:share=0.025", rows) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("request_", "rows", "words"),
    [
        ("chamfer_distance", ["one text"], "needs two records"),
        ("knn_distance", ["one text", "two"], "needs 11 records with a vector, there are 2"),
        ("novelsum", ["", ""], "needs 11 different vectors, there are 0"),
        ("novelsum", ["one text"] * 30, "there are 1"),
        ("novelsum:density=reference", ["one text"], "two records"),
        ("novelsum:density=reference,k=5", ["one text", "two"], "10 nearest of the reference, not k=5"),
        ("effective_clusters", ["", ""], "no record has a vector"),
        ("facility_coverage", ["one text"], "there must be two records"),
        ("log_det", [""], "no record has a vector"),
        ("weighted_vendi:field=score", ["one text"], 'a label "score"'),
        ("weighted_vendi:field=score", [{"response": "a", "label.score": 4.0}], "top=5"),
        ("weighted_vendi:field=score", [{"response": "a", "label.score": -0.1}], "not in 0..1"),
    ],
)
def test_no_number_but_a_reason(request_, rows, words):
    found = value(request_, rows)
    assert isinstance(found, Undefined)
    assert words in found.reason


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("knn_distance:k=1", "chamfer_distance"),
        ("novelsum:k=0", "at least 1"),
        ("novelsum:alpha=-1", "0 or more"),
        ("effective_clusters:cosine=0", "above 0"),
        ("facility_coverage:share=0.6", "share must lie"),
        ("log_det:ridge=0", "above 0"),
        ("weighted_vendi", "field=score"),
        ("weighted_vendi:field=score,top=0", "above 0"),
        ("weighted_vendi:field=score,q=-1", "0 or more"),
    ],
)
def test_parameters_out_of_range(request_, words):
    with pytest.raises(SpecError, match=words):
        parse([request_])


def test_a_large_set_is_read_on_a_sample_that_no_order_moves():
    rows = make_rows(records(cloud(900, 3)))
    batch = make_batch(rows, ("embedding@response",))
    one = update(VectorSample(size=320), [batch])
    kept = one.state()
    assert np.bincount(kept["group"], minlength=32).max() == 10
    n = one.records(everything())
    assert one.bound() == (False, f"the value of a random sample of {n} of 900 records, not of so many")
    cut = VectorSample(size=320)
    for piece in pieces(batch, 50)[::-1]:
        part = VectorSample(size=320)
        part.update(piece)
        cut.merge(part)
    assert same_bits(kept, cut.state()) is None
    assert update(VectorSample(), [batch]).bound() == (True, None)
