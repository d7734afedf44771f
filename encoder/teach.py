"""Encode the corpus, and every single token, with the teacher (all-MiniLM-L6-v2); resumable.

    python teach.py --work WORK --weights FOLDER [--shards N] [--every K --rest R]

FOLDER holds the teacher's model.safetensors and tokenizer.json. Writes WORK/teacher/tokens.npy, float32 (30522, 384), and
WORK/teacher/shard-NNNN.npz of 4,096 texts each: ids (token ids without special tokens), offsets, vectors (float16, unit
rows). About 6,000 tokens a second on one core. Several processes may share the work: --every 2 --rest 0, --every 2 --rest 1.
"""

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer

SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
SHARD = 4096
CLS, SEP, MAX_TOKENS = 101, 102, 256
BATCH_TOKENS = 1024  # larger batches fall out of cache


class Teacher:
    """BERT with 6 layers of 384 units and 12 heads; mean pooling, unit rows. The reference forward pass in torch."""

    def __init__(self, folder: Path) -> None:
        path = folder / "model.safetensors"
        if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
            raise SystemExit(f"{path}: not the expected weights (want sha256 {SHA256})")
        self.weights = load_file(path)

    def _linear(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, (384,), self.weights[name + ".weight"], self.weights[name + ".bias"], 1e-12)

    @torch.inference_mode()
    def forward(self, ids: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """ids (batch, length) with special tokens, zero padded; returns float32 (batch, 384)."""
        batch, length = ids.shape
        mask = torch.arange(length)[None, :] < lengths[:, None]
        embed = "embeddings.{}_embeddings.weight".format
        x = (
            self.weights[embed("word")][ids]
            + self.weights[embed("position")][:length]
            + self.weights[embed("token_type")][0]
        )
        x = self._norm("embeddings.LayerNorm", x)
        heads = lambda t: t.view(batch, length, 12, 32).transpose(1, 2)  # noqa: E731
        for layer in range(6):
            at = f"encoder.layer.{layer}."
            query, key, value = (heads(self._linear(f"{at}attention.self.{n}", x)) for n in ("query", "key", "value"))
            near = F.scaled_dot_product_attention(
                query, key, value, attn_mask=None if bool(mask.all()) else mask[:, None, None, :]
            )
            near = self._linear(f"{at}attention.output.dense", near.transpose(1, 2).reshape(batch, length, 384))
            x = self._norm(f"{at}attention.output.LayerNorm", x + near)
            wide = F.gelu(self._linear(f"{at}intermediate.dense", x))
            x = self._norm(f"{at}output.LayerNorm", x + self._linear(f"{at}output.dense", wide))
        kept = mask[..., None].float()
        return F.normalize((x * kept).sum(1) / kept.sum(1), dim=-1)

    def encode(self, token_ids: list[list[int]]) -> np.ndarray:
        """Token ids without special tokens; longer texts are cut to 254. Returns float32 (n, 384)."""
        order = sorted(range(len(token_ids)), key=lambda i: len(token_ids[i]))
        out = np.zeros((len(order), 384), np.float32)
        start = 0
        while start < len(order):
            longest = min(len(token_ids[order[min(start + 31, len(order) - 1)]]), MAX_TOKENS - 2) + 2
            rows = order[start : start + max(4, min(32, BATCH_TOKENS // longest))]
            cut = [[CLS, *token_ids[i][: MAX_TOKENS - 2], SEP] for i in rows]
            width = max(map(len, cut))
            ids = torch.tensor([c + [0] * (width - len(c)) for c in cut])
            out[rows] = self.forward(ids, torch.tensor([len(c) for c in cut])).numpy()
            start += len(rows)
        return out


def save(path: Path, **arrays: np.ndarray) -> None:
    """Write whole or not at all, so that an interrupted run resumes."""
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--shards", type=int, default=10**6)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--rest", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    teacher = Teacher(args.weights)
    tokenizer = Tokenizer.from_file(str(args.weights / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    out = args.work / "teacher"
    out.mkdir(exist_ok=True)
    if args.rest == 0 and not (out / "tokens.npy").exists():
        np.save(out / "tokens.npy", teacher.encode([[i] for i in range(tokenizer.get_vocab_size())]))
    with (args.work / "corpus.jsonl").open(encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    for shard in range(min(args.shards, -(-len(texts) // SHARD))):
        path = out / f"shard-{shard:04d}.npz"
        if shard % args.every != args.rest or path.exists():
            continue
        ids = [
            e.ids for e in tokenizer.encode_batch(texts[shard * SHARD : (shard + 1) * SHARD], add_special_tokens=False)
        ]
        offsets = np.cumsum([0, *map(len, ids)])
        flat = np.fromiter((t for row in ids for t in row), np.int32, offsets[-1])
        save(path, ids=flat, offsets=offsets, vectors=teacher.encode(ids).astype(np.float16))
        print(f"shard {shard}: {len(ids)} texts, {offsets[-1]} tokens", flush=True)


if __name__ == "__main__":
    main()
