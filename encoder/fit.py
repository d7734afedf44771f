"""Train the static encoder on the teacher's vectors and write static.safetensors (int8).

    python fit.py --work WORK --out static.safetensors [--epochs 12] [options]

The student sees a text as a bag of tokens and a bag of hashed neighbouring token pairs:

    s = sum_t sqrt(tf_t) E[t] + P' sum_b B[hash(b)],  u = s / rms(s),  z = u + W2 relu(W1 [u, log length]) + b,  y = z / |z|

Loss: 1 - cos(y, teacher) + similarity matching inside the batch + cross entropy of in-batch neighbour distributions.
Sources in HELD_SOURCES are never trained on and decide every choice below.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from agreement import agreement
from safetensors.numpy import save_file
from torch import nn

HELD_SOURCES = ("datasets-moby-dick", "python-django-doc", "dict-devil", "faker, pyjokes", "apache2-doc")
MAX_TOKENS = 256
VOCABULARY, DIM = 30522, 384


@dataclass(frozen=True)
class Options:
    """What training depends on; defaults are what held-out sources chose."""

    epochs: int = 12
    batch: int = 1024
    buckets: int = 8192
    rank: int = 128
    channels: int = 0
    gate: int = 0
    hidden: int = 512
    rate: float = 2e-3
    match: float = 20.0
    rank_loss: float = 0.3
    temperature: float = 0.05
    power: float = 0.5
    prior: float = 1e-3
    dropout: float = 0.0
    rows: int = 10**7
    seed: int = 1


def pair_hash(left: np.ndarray, right: np.ndarray, buckets: int) -> np.ndarray:
    """Bucket of a neighbouring token pair: (left * 0x9E3779B1 xor right * 0x85EBCA77) mod 2**32, high bits."""
    mixed = (left.astype(np.uint32) * np.uint32(0x9E3779B1)) ^ (right.astype(np.uint32) * np.uint32(0x85EBCA77))
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x2C1B3C6D)
    return ((mixed.astype(np.uint64) * np.uint64(buckets)) >> np.uint64(32)).astype(np.int64)


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
        self.train, self.near, self.far = split([corpus[i] for i in self.rows], self.lengths)
        self.train = self.train[:limit]

    def batch(self, rows: np.ndarray, options: Options) -> tuple[torch.Tensor, ...]:
        """Token ids, their weights, bag starts, pair buckets, their starts, lengths of the named rows."""
        starts, sizes = self.offsets[rows], self.lengths[rows]
        owner = np.repeat(np.arange(len(rows)), sizes)
        place = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        ids = self.ids[np.repeat(starts, sizes) + place].astype(np.int64)
        key, inverse, count = np.unique(owner * VOCABULARY + ids, return_inverse=True, return_counts=True)
        weights = (count ** (options.power - 1.0))[inverse].astype(np.float32)
        bag = np.cumsum(sizes) - sizes
        inner = owner[1:] == owner[:-1]
        pairs = pair_hash(ids[:-1][inner], ids[1:][inner], max(1, options.buckets))
        first = np.searchsorted(owner[1:][inner], np.arange(len(rows)))
        used, mid = np.unique(ids, return_inverse=True)
        left, right = np.empty_like(mid), np.empty_like(mid)
        left[1:], right[:-1] = mid[:-1], mid[1:]
        left[bag], right[bag + sizes - 1] = len(used), len(used)
        return tuple(
            map(
                torch.from_numpy,
                (ids, weights, bag, pairs, first, sizes.astype(np.float32), used, np.stack([left, mid, right])),
            )
        )


def split(corpus: list[dict[str, str]], lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows for training, 2,000 held-out rows of trained sources, 2,000 rows of sources never trained on.

    A spliced text that contains a held-out text is dropped.
    """
    order = np.random.default_rng(5).permutation(len(corpus))
    long_enough = lengths >= 4
    far = [i for i in order if corpus[i]["source"] in HELD_SOURCES]
    near = [i for i in order if corpus[i]["source"] not in (*HELD_SOURCES, "spliced") and long_enough[i]][:2000]
    held = {corpus[i]["text"] for i in (*far, *near)}

    def tainted(text: str) -> bool:
        cuts = (i for i, ch in enumerate(text) if ch in " \n")
        return any(text[:i].strip() in held or text[i:].strip() in held for i in cuts)

    banned = set(far) | set(near)
    train = [
        i for i in order if i not in banned and not (corpus[i]["source"] == "spliced" and tainted(corpus[i]["text"]))
    ]
    return (
        np.array([i for i in train if lengths[i] > 0]),
        np.array(near),
        np.array([i for i in far if long_enough[i]][:2000]),
    )


class Student(nn.Module):
    """Bag of tokens and token pairs with a small residual head."""

    def __init__(self, prior: np.ndarray, options: Options) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.from_numpy(prior))
        self.bias = nn.Parameter(torch.zeros(DIM))
        self.pairs = nn.Parameter(torch.zeros(max(1, options.buckets), options.rank))
        self.project = nn.Parameter(torch.randn(options.rank, DIM) * options.rank**-0.5)
        self.first = nn.Linear(DIM + 1, max(1, options.hidden))
        self.second = nn.Linear(max(1, options.hidden), DIM)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)
        if options.channels:
            self.edge = nn.Parameter(torch.randn(1, DIM) * DIM**-0.5)
            self.window = nn.Parameter(torch.randn(3, DIM, options.channels))
            self.window_bias = nn.Parameter(torch.zeros(options.channels))
            self.pour = nn.Parameter(torch.randn(options.channels, DIM) * 0.01 * options.channels**-0.5)
            self.heed = nn.Parameter(torch.zeros(options.channels, 1))
        self.options = options

    def forward(self, ids, weights, bags, pairs, pair_bags, sizes, used, places) -> torch.Tensor:  # noqa: ANN001
        if self.options.channels:
            rows = torch.cat([F.normalize(self.tokens[used], dim=-1), self.edge])
            left, mid, right = (F.embedding(places[i], rows @ self.window[i]) for i in range(3))
            local = F.relu(left + mid + right + self.window_bias)
            if self.options.gate:
                weights = weights * 2 * torch.sigmoid(local @ self.heed)[:, 0]
        total = F.embedding_bag(ids, self.tokens, bags, mode="sum", per_sample_weights=weights) + self.bias
        if self.options.buckets:
            total = total + F.embedding_bag(pairs, self.pairs, pair_bags, mode="sum") @ self.project
        if self.options.channels:
            total = (
                total
                + F.embedding_bag(
                    torch.arange(len(local)), local, bags, mode="sum", per_sample_weights=weights.detach()
                )
                @ self.pour
            )
        unit = total * torch.rsqrt(total.square().mean(1, keepdim=True) + 1e-9)
        if self.options.hidden:
            wide = F.relu(self.first(torch.cat([unit, sizes.log1p()[:, None] - 3], 1)))
            unit = unit + self.second(F.dropout(wide, self.options.dropout, self.training))
        return F.normalize(unit, dim=-1)


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
    out = [student(*data.batch(rows[i : i + 1024], student.options)) for i in range(0, len(rows), 1024)]
    return torch.cat(out).numpy()


def train(data: Data, work: Path, options: Options, log: Path) -> Student:
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    prior = initial(data, work)
    student = Student(prior.copy(), options)
    anchor = torch.from_numpy(prior)
    slow = [
        p for n, p in student.named_parameters() if n.startswith(("first", "second", "window", "edge", "pour", "heed"))
    ]
    fast = [
        p
        for n, p in student.named_parameters()
        if not n.startswith(("first", "second", "window", "edge", "pour", "heed"))
    ]
    adam = torch.optim.Adam(
        [{"params": fast, "lr": options.rate}, {"params": slow, "lr": options.rate / 2}], fused=True
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
            y = student(*data.batch(rows, options))
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


def rows_int8(table: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """int8 (n, d) and float32 scales (n,): row = scale * int8, scale = max|row| / 127."""
    array = table.detach().numpy()
    scale = np.abs(array).max(1) / 127
    scale[scale == 0] = 1
    return np.rint(array / scale[:, None]).astype(np.int8), scale.astype(np.float32)


def export(student: Student, out: Path) -> None:
    options = student.options
    tokens, token_scale = rows_int8(student.tokens)
    arrays = {"tokens": tokens, "tokens_scale": token_scale, "bias": student.bias.detach().numpy()}
    if options.buckets:
        pairs, pair_scale = rows_int8(student.pairs)
        arrays |= {
            "pairs": pairs,
            "pairs_scale": pair_scale,
            "project": student.project.detach().numpy().astype(np.float16),
        }
    if options.hidden:
        for name in ("first", "second"):
            layer = getattr(student, name)
            arrays[f"{name}_weight"] = np.ascontiguousarray(layer.weight.detach().numpy().T).astype(np.float16)
            arrays[f"{name}_bias"] = layer.bias.detach().numpy()
    header = {"format": "triptych-static-1", "tf_power": str(options.power), "max_tokens": str(MAX_TOKENS)}
    save_file(arrays, out, header)
    print(f"{out}: {out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
