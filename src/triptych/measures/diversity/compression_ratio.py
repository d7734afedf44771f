"""Compression ratio: bytes of text over bytes of the text compressed, in blocks of fixed size.

Shaib et al. 2024 (arXiv 2403.00553) compress a whole file; that number hangs on the order of the records and on the size
of the file (4,000 templated rows: 136 in order, 11.8 shuffled). Here the records of each group are put in hash order and
cut into blocks of `block` bytes, and every full block is compressed by itself (gzip, level 6).

Unit: ratio of bytes, about 2 for plain prose, higher is more repetitive. Range 0 upwards. O(bytes), at most 16 MiB are
read: records of the smallest address hashes. Undefined below 8 full blocks. Confounded by language, by the length of
records (repetition inside one record counts too) and by the block: only equal blocks compare.

Worked example: 1,024 bytes of "abcd" over and over are 8 blocks of 128 bytes, each 27 bytes in gzip (18 of frame, the 4
letters and one copy instruction): 128/27 = 4.741.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Sequence

from triptych.core.batch import On
from triptych.core.estimate import Undefined
from triptych.core.groups import Mask
from triptych.core.measure import Example, Measure, Row, measure
from triptych.measures.reference import kept
from triptych.statistics.blocks import TextBlocks

MIN_BLOCKS = 8


@measure(
    axis="diversity",
    unit="bytes per compressed byte",
    bounds=(0.0, float("inf")),
    better="lower",
    interval="growing",
    source="Shaib et al. 2024 (arXiv 2403.00553), in blocks",
    confounders=("language", "length of records", "block size"),
)
class CompressionRatio(Measure):
    """Bytes over compressed bytes."""

    block: int = 8192
    on: On = "response"
    valid_only: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 64 <= self.block <= 32768:
            raise ValueError(f"block must lie in 64..32768 bytes (the compressor looks back 32768), got {self.block}")

    def statistic(self) -> TextBlocks:
        """Text in hash order, in blocks."""
        return TextBlocks(block=self.block, on=self.on, where="valid" if self.valid_only else "all")

    def value(self, blocks: TextBlocks, keep: Mask) -> float | Undefined:
        """Bytes over compressed bytes of all full blocks."""
        number = blocks.blocks(keep)
        if number < MIN_BLOCKS:
            smaller = blocks.block_for(4 * MIN_BLOCKS, keep)
            return Undefined(
                f"{number} full blocks of {self.block} bytes, {MIN_BLOCKS} are needed (each of 32 groups of records is cut "
                "into blocks); " + (f"try compression_ratio:block={smaller}" if smaller else "there is too little text")
            )
        return blocks.ratio(keep)

    def reference(self, rows: Sequence[Row]) -> float | None:
        """Joined, cut and compressed one group after the other."""
        names = ("prompt", "response") if self.on == "both" else (self.on,)
        groups: dict[int, list[str]] = defaultdict(list)
        for row in sorted(kept(rows, self.valid_only), key=lambda row: row["address"]):
            text = "\n".join(row[name] for name in names if row[name])
            if text:
                groups[row["group"]].append(text)
        flat = ["\n".join(texts).encode() for texts in groups.values()]
        pieces = [t[i : i + self.block] for t in flat for i in range(0, len(t) - self.block + 1, self.block)]
        packed = [zlib.compressobj(6, wbits=31) for _ in pieces]
        size = sum(len(z.compress(piece) + z.flush()) for z, piece in zip(packed, pieces, strict=True))
        return len(pieces) * self.block / size if len(pieces) >= MIN_BLOCKS else None


EXAMPLE = Example(records=["abcd" * 256], params={"block": 128}, value=128 / 27)
