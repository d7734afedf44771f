"""Train the static encoder on the teacher's vectors and write static.safetensors (int8).

    python fit.py --work WORK --out static.safetensors [--epochs 6] [options]

The student sees a text as a bag of tokens and a bag of known neighbouring token pairs:

    s = sum_t sqrt(tf_t) E[t] + P' sum_b B[b],  u = s / rms(s),  z = u + W2 relu(W1 [u, log length]) + b,  y = z / |z|

Loss: 1 - cos(y, teacher) + similarity matching inside the batch + cross entropy of in-batch neighbour distributions.
Sources in HELD_SOURCES are never trained on and decide every choice below.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from agreement import agreement
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional

from triptych.features.static_encoder import known_pairs

HELD_SOURCES = ("datasets-moby-dick", "python-django-doc", "dict-devil", "faker, pyjokes", "apache2-doc")
MAX_TOKENS = 256
VOCABULARY, DIM = 30522, 384
TRAIN, NEAR, FAR, DROPPED = range(4)
HELD = 2000  # texts of each held-out kind that are evaluated


@dataclass(frozen=True)
class Options:
    """What training depends on; defaults are what held-out sources chose."""

    epochs: int = 6
    batch: int = 1024
    pairs: int = 12288
    rank: int = 128
    hidden: int = 512
    rate: float = 2e-3
    match: float = 20.0
    rank_loss: float = 0.3
    temperature: float = 0.05
    power: float = 0.5
    prior: float = 1e-3
    rows: int = 10**7
    seed: int = 1


class Bags(NamedTuple):
    """Distinct tokens of each text with their weights, and its token pairs: flat, text i from starts[i]."""

    tokens: torch.Tensor
    weights: torch.Tensor
    starts: torch.Tensor
    pairs: torch.Tensor
    pair_starts: torch.Tensor
    sizes: torch.Tensor


class Data:
    """Teacher shards as flat arrays."""

    def __init__(self, work: Path, limit: int) -> None:
        ids, lengths, vectors, rows = [], [], [], []
        for path in sorted((work / "teacher").glob("shard-????.npz")):
            with np.load(path) as shard:
                number = int(path.stem[-4:])
                sizes = np.diff(shard["offsets"])
                flat = shard["ids"]
                if sizes.max() > MAX_TOKENS:
                    keep = np.concatenate([np.arange(n) < MAX_TOKENS for n in sizes])
                    flat, sizes = flat[keep], np.minimum(sizes, MAX_TOKENS)
                ids.append(flat)
                lengths.append(sizes)
                vectors.append(shard["vectors"])
                rows.append(number * 4096 + np.arange(len(sizes)))
        self.ids = np.concatenate(ids)
        self.lengths = np.concatenate(lengths)
        self.offsets = np.concatenate([[0], np.cumsum(self.lengths)])
        self.vectors = np.concatenate(vectors)
        self.rows = np.concatenate(rows)
        with (work / "corpus.jsonl").open(encoding="utf-8") as lines:
            corpus = [json.loads(line) for line in lines]
        kind = split(corpus)[self.rows]
        order = np.random.default_rng(5).permutation(len(kind))
        self.train = order[(kind[order] == TRAIN) & (self.lengths[order] > 0)][:limit]
        self.near, self.far = (order[(kind[order] == k) & (self.lengths[order] >= 4)][:HELD] for k in (NEAR, FAR))

    def collocations(self, count: int) -> np.ndarray:
        """The `count` neighbouring token pairs of the training rows with the largest min(n, 200) * pointwise information.

        int64 (count,), ascending: left * 30522 + right. Pairs seen fewer than 5 times are never taken.
        """
        trained = np.zeros(len(self.lengths), bool)
        trained[self.train] = True
        owner = np.repeat(np.arange(len(self.lengths)), self.lengths)
        inside = (owner[1:] == owner[:-1]) & trained[owner[1:]]
        keys, seen = np.unique(
            self.ids[:-1][inside].astype(np.int64) * VOCABULARY + self.ids[1:][inside], return_counts=True
        )
        share = np.bincount(self.ids, minlength=VOCABULARY) / len(self.ids)
        information = np.log(seen / seen.sum() / (share[keys // VOCABULARY] * share[keys % VOCABULARY]))
        score = np.where(seen >= 5, np.minimum(seen, 200) * np.maximum(information, 0), 0)
        return np.sort(keys[np.argsort(-score, kind="stable")[:count]])

    def batch(self, rows: np.ndarray, keys: np.ndarray, power: float) -> Bags:
        """The bags of the named rows."""
        starts, sizes = self.offsets[rows], self.lengths[rows]
        owner = np.repeat(np.arange(len(rows)), sizes)
        place = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        ids = self.ids[np.repeat(starts, sizes) + place].astype(np.int64)
        key, count = np.unique(owner * VOCABULARY + ids, return_counts=True)
        inside = owner[1:] == owner[:-1]
        at, hit = known_pairs(ids[:-1][inside], ids[1:][inside], keys, VOCABULARY)
        return Bags(
            tokens=torch.from_numpy(key % VOCABULARY),
            weights=torch.from_numpy((count**power).astype(np.float32)),
            starts=torch.from_numpy(np.searchsorted(key, np.arange(len(rows)) * VOCABULARY)),
            pairs=torch.from_numpy(at),
            pair_starts=torch.from_numpy(np.searchsorted(owner[1:][inside][hit], np.arange(len(rows)))),
            sizes=torch.from_numpy(sizes.astype(np.float32)),
        )


def split(corpus: list[dict[str, str]]) -> np.ndarray:
    """TRAIN, NEAR (one in 97 texts of the trained sources), FAR (sources never trained on) or DROPPED for every text.

    Joined texts that contain a held-out text are dropped. The rows that are encoded so far do not change the split.
    """
    kind = np.full(len(corpus), TRAIN)
    joined = [i for i, row in enumerate(corpus) if row["source"] == "spliced"]
    kind[[i for i, row in enumerate(corpus) if i % 97 == 0 and row["source"] != "spliced"]] = NEAR
    kind[[i for i, row in enumerate(corpus) if row["source"] in HELD_SOURCES]] = FAR
    held = {row["text"] for row, k in zip(corpus, kind, strict=True) if k != TRAIN}

    def tainted(text: str) -> bool:
        cuts = (i for i, ch in enumerate(text) if ch in " \n")
        return any(text[:i].strip() in held or text[i:].strip() in held for i in cuts)

    kind[[i for i in joined if tainted(corpus[i]["text"])]] = DROPPED
    return kind


class Student(nn.Module):
    """Bag of tokens and token pairs with a small residual head."""

    def __init__(self, prior: np.ndarray, keys: np.ndarray, options: Options) -> None:
        super().__init__()
        self.options, self.keys = options, keys
        self.tokens = nn.Parameter(torch.from_numpy(prior))
        self.bias = nn.Parameter(torch.zeros(DIM))
        self.pairs = nn.Parameter(torch.zeros(len(keys), options.rank))
        self.project = nn.Parameter(torch.randn(options.rank, DIM) * options.rank**-0.5)
        self.first = nn.Linear(DIM + 1, options.hidden)
        self.second = nn.Linear(options.hidden, DIM)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def bags(self, data: Data, rows: np.ndarray) -> Bags:
        """What forward takes, for the named rows."""
        return data.batch(rows, self.keys, self.options.power)

    def forward(self, bags: Bags) -> torch.Tensor:
        """Unit rows, float32 (texts, 384)."""
        total = functional.embedding_bag(
            bags.tokens, self.tokens, bags.starts, mode="sum", per_sample_weights=bags.weights
        )
        pairs = functional.embedding_bag(bags.pairs, self.pairs, bags.pair_starts, mode="sum")
        total = total + pairs @ self.project + self.bias
        unit = total * torch.rsqrt(total.square().mean(1, keepdim=True) + 1e-9)
        wide = functional.relu(self.first(torch.cat([unit, bags.sizes.log1p()[:, None] - 3], 1)))
        return functional.normalize(unit + self.second(wide), dim=-1)


def initial(data: Data, work: Path) -> np.ndarray:
    """Teacher vectors of single tokens, centred, weighted by a / (a + p(token)): rare tokens keep this direction."""
    vectors = np.load(work / "teacher" / "tokens.npy")
    counts = np.bincount(data.ids, minlength=VOCABULARY) + 1.0
    weight = 1e-3 / (1e-3 + counts / counts.sum())
    centred = vectors - vectors[counts > 5].mean(0)
    return (centred * weight[:, None]).astype(np.float32)


def loss_of(y: torch.Tensor, t: torch.Tensor, options: Options) -> torch.Tensor:
    ours, theirs = y @ y.T, t @ t.T
    loss = 1 - (y * t).sum(1).mean() + options.match * (ours - theirs).square().mean()
    if options.rank_loss:
        mask = torch.eye(len(y), dtype=torch.bool)
        target = (theirs / options.temperature).masked_fill(mask, -1e4).softmax(1)
        loss = (
            loss
            - options.rank_loss
            * (target * (ours / options.temperature).masked_fill(mask, -1e4).log_softmax(1)).sum(1).mean()
        )
    return loss


@torch.no_grad()
def encode(student: Student, data: Data, rows: np.ndarray) -> np.ndarray:
    student.eval()
    out = [student(student.bags(data, rows[i : i + 1024])) for i in range(0, len(rows), 1024)]
    return torch.cat(out).numpy()


def train(data: Data, work: Path, options: Options, log: Path) -> Student:
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    prior = initial(data, work)
    student = Student(prior.copy(), data.collocations(options.pairs), options)
    anchor = torch.from_numpy(prior)
    head = [*student.first.parameters(), *student.second.parameters()]
    tables = [student.tokens, student.bias, student.pairs, student.project]
    adam = torch.optim.Adam(
        [{"params": tables, "lr": options.rate}, {"params": head, "lr": options.rate / 2}], fused=True
    )
    steps = options.epochs * (len(data.train) // options.batch)
    plan = torch.optim.lr_scheduler.OneCycleLR(
        adam, [options.rate, options.rate / 2], total_steps=steps + 1, pct_start=0.05
    )
    started = time.time()
    for epoch in range(options.epochs):
        student.train()
        order = rng.permutation(data.train)
        total = 0.0
        for start in range(0, len(order) - options.batch + 1, options.batch):
            rows = order[start : start + options.batch]
            y = student(student.bags(data, rows))
            loss = loss_of(y, torch.from_numpy(data.vectors[rows].astype(np.float32)), options)
            if options.prior:
                loss = loss + options.prior * (student.tokens - anchor).square().sum() / VOCABULARY
            adam.zero_grad()
            loss.backward()
            adam.step()
            plan.step()
            total += loss.item()
        line = {
            "epoch": epoch,
            "seconds": round(time.time() - started),
            "loss": round(total / (len(order) // options.batch), 4),
        }
        if epoch % 3 == 2 or epoch == options.epochs - 1:
            for name, held in (("near", data.near), ("far", data.far)):
                line[name] = agreement(encode(student, data, held), data.vectors[held].astype(np.float32))
        with log.open("a") as out:
            out.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
    return student


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    for field in fields(Options):
        parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    args = vars(parser.parse_args())
    work, out, threads = args.pop("work"), args.pop("out"), args.pop("threads")
    torch.set_num_threads(threads)
    options = Options(**args)
    data = Data(work, options.rows)
    print(f"{len(data.train)} rows to train on, {len(data.near)} + {len(data.far)} held out", flush=True)
    log = out.with_suffix(".log.jsonl")
    log.write_text(json.dumps(asdict(options)) + "\n")
    export(train(data, work, options, log), out)


def rows_int8(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 (n, d) and float32 scales (n,): row = scale * int8, scale = max|row| / 127."""
    scale = np.abs(table).max(1) / 127
    scale[scale == 0] = 1
    return np.rint(table / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def export(student: Student, out: Path) -> None:
    options = student.options
    arrays = {"pair_keys": student.keys}
    for name, value in student.named_parameters():
        array = value.detach().numpy()
        if name in ("tokens", "pairs"):
            arrays[name], arrays[f"{name}_scale"] = rows_int8(array)
        elif name.endswith(".weight"):
            arrays[name.replace(".", "_")] = np.ascontiguousarray(array.T).astype(np.float16)
        else:
            arrays[name.replace(".", "_")] = array.astype(np.float16)
    header = {"format": "triptych-static-1", "tf_power": str(options.power), "max_tokens": str(MAX_TOKENS)}
    save_file(arrays, out, header)
    print(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
