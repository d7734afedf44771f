"""How well one set of unit vectors agrees with another on the same texts."""

import numpy as np
from scipy.stats import rankdata


def vendi(vectors: np.ndarray) -> float:
    """exp of the entropy of the eigenvalues of X'X/n (Friedman and Dieng 2023, order 1)."""
    values = np.linalg.eigvalsh(vectors.T.astype(np.float64) @ vectors / len(vectors))
    values = values[values > 1e-12]
    return float(np.exp(-(values * np.log(values)).sum()))


def agreement(student: np.ndarray, teacher: np.ndarray) -> dict[str, float]:
    """student (n, d) and teacher (n, e), unit rows.

    spearman: of all n(n-1)/2 pair similarities. top10: share of rows whose nearest neighbour by the student is among the
    teacher's ten nearest. vendi_*: effective number of directions. cosine: mean row cosine, where d = e.
    """
    ours, theirs = student @ student.T, teacher @ teacher.T
    upper = np.triu_indices(len(ours), 1)
    a, b = rankdata(ours[upper]), rankdata(theirs[upper])
    np.fill_diagonal(ours, -2)
    np.fill_diagonal(theirs, -2)
    tenth = np.sort(theirs, 1)[:, -10]
    inside = theirs[np.arange(len(ours)), ours.argmax(1)] >= tenth
    result = {
        "spearman": float(np.corrcoef(a, b)[0, 1]),
        "top10": float(inside.mean()),
        "vendi_student": vendi(student),
        "vendi_teacher": vendi(teacher),
    }
    if student.shape == teacher.shape:
        result["cosine"] = float((student * teacher).sum(1).mean())
    return {name: round(value, 4) for name, value in result.items()}
