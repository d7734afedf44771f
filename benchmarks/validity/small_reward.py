"""A small reward model of our own making: `TRIPTYCH_DATA=FOLDER python benchmarks/validity/small_reward.py MODEL`

The first twelve of SmolLM2-135M's thirty layers, frozen, and one line on the last hidden state of the conversation, fitted to
300 pairs of answers of which people preferred one (Bradley and Terry's model; PandaLM, two prompts in three: the bench reads
the third). MODEL is the folder it is written to, as `--reward MODEL` loads any sequence classifier. It is no good
reward model: it is there so that the measure that asks one can be read on the populations of this bench. The strength of the
penalty is the one that foretells pairs of other prompts best, among the fitted ones; nothing else was chosen by a result.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from models import Row, preferences
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from triptych.annotating.reward import Classifier, load_classifier
from triptych.language.load import model_folder, need, quiet

LAYERS, PAIRS, PARTS = 12, 300, 5
PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


def body(folder: Path) -> Any:
    """The layers with a head of zeros, written to a folder with their tokenizer, in which filling up has a token of its own."""
    transformers, source = need("transformers"), model_folder("smollm2")
    tokenizer = transformers.AutoTokenizer.from_pretrained(source, local_files_only=True)
    tokenizer.pad_token = tokenizer.unk_token
    with quiet():
        network = transformers.LlamaForSequenceClassification.from_pretrained(
            source, num_labels=1, num_hidden_layers=LAYERS, pad_token_id=tokenizer.pad_token_id, local_files_only=True
        )
        network.score.weight.data.zero_()
        network.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return network


def states(model: Classifier, rows: Sequence[Row]) -> NDArray[np.float64]:
    """The last hidden state of each conversation, (n, d): what the head is put on."""
    torch = need("torch")
    found: list[NDArray[np.float64]] = [np.empty(0)] * len(rows)
    caught: list[Any] = []
    # Logits are taken of every token and the last one is kept: so is what came into the head.
    hook = model.network.score.register_forward_hook(lambda _module, inputs, _output: caught.append(inputs[0]))
    encoded = [model.encode(row["prompt"], row["response"]) for row in rows]
    for batch in model.batches([len(each.ids) for each in encoded]):
        model.scores([encoded[place] for place in batch])
        hidden = caught.pop()
        for at, place in enumerate(batch):
            found[place] = hidden[at, len(encoded[place].ids) - 1].to(torch.float64).numpy()
    hook.remove()
    return np.array(found)


def fitted(gaps: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    """w of P(preferred) = 1 / (1 + exp(-w·gap)) with the penalty |w|²/2, gaps (n, d) preferred less other."""

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margin = gaps @ w
        value = float(np.logaddexp(0, -margin).sum() + penalty * (w @ w) / 2)
        return value, penalty * w - gaps.T @ expit(-margin)

    found: NDArray[np.float64] = minimize(loss, np.zeros(gaps.shape[1]), jac=True, method="L-BFGS-B").x
    return found


def agreement(gaps: NDArray[np.float64], part: NDArray[np.int64], penalty: float) -> float:
    """Share of pairs put in order by a head that was fitted to the other parts (of prompts)."""
    told = [gaps[part == one] @ fitted(gaps[part != one], penalty) > 0 for one in range(PARTS)]
    return float(np.concatenate(told).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    worse, better = preferences(read=False, n=PAIRS)(Path(os.environ["TRIPTYCH_DATA"])).values()
    network = body(folder)
    found = states(load_classifier(str(folder)), [*better, *worse])
    gaps = found[: len(better)] - found[len(better) :]
    scale = gaps.std(axis=0)
    gaps /= scale
    part = np.unique([row["prompt"] for row in better], return_inverse=True)[1] % PARTS
    told = {penalty: agreement(gaps, part, penalty) for penalty in PENALTIES}
    best = max(told, key=lambda penalty: told[penalty])
    head = fitted(gaps, best) / scale
    network.score.weight.data.copy_(need("torch").from_numpy(head[None].astype(np.float32)))
    with quiet():
        network.save_pretrained(folder)
    print(f"{len(better)} pairs, penalty {best:g}: {told[best]:.3f} of the pairs of other prompts in order")
    print("by penalty:", "; ".join(f"{penalty:g} {share:.3f}" for penalty, share in told.items()))


if __name__ == "__main__":
    main()
