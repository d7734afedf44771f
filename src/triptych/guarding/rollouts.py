"""Rounds out of rows: what trainers write down is often one stream of rows that name their step, or rows of token numbers.

    TRL             completions/completions_00010.parquet: step, prompt, completion, one column a reward function, advantage
    verl            ROLLOUT_DIR/10.jsonl: input, output, score, step
    OpenRLHF        --output_path FILE, one a round: input, output, reward
    verifiers       results.jsonl, one a round: example_id, prompt and completion as messages, reward
    open-instruct   RUN_rollouts_000000.jsonl: step, prompt_tokens, response_tokens, reward (needs `decode`)

Files of one round each are found as they are; this module makes rounds of the others. Rows are read once and written, round
by round, into a folder of the caller's, so that memory does not grow with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from triptych.core.errors import ReadError, SchemaError, UsageError, message, nearest
from triptych.data.sources import locate
from triptych.data.textrows import Damaged
from triptych.data.values import as_text, excerpt, fields_of, is_absent
from triptych.guarding.request import GuardOptions
from triptych.guarding.rounds import RoundSource, natural

MOST_ROUNDS = 1000
"""More rounds than these are hardly rounds: the field says something else, or wants a window."""

MOST_STEPS = 100_000

TOKENS = {"prompt": "prompt_tokens", "response": "response_tokens"}
"""Role to the field of token numbers, as open-instruct names it."""


def rounds_of_rows(sources: Sequence[Any], options: GuardOptions, folder: Path) -> tuple[RoundSource, ...]:
    """Rounds by the values of a field, `window` of them in a row to a round.

    Args:
        sources: as `triptych.open_dataset` takes them, all rows together in their order.
        options: `by`, `window`, `decode`, and how rows are read.
        folder: an empty one, for a file of each round; to be removed by the caller when the rounds are read.

    Returns:
        The rounds by value: numbers by size, 2 before 10. A window of one keeps whole numbers as the rounds' own.

    Raises:
        ReadError: a source cannot be read, a damaged row (unless bad rows are skipped), or no row at all.
        SchemaError: a row without the field, or far more values than rounds.
    """
    by = options.settings.by
    if by is None:
        raise UsageError(message("no field says the round of a row.", want="--by FIELD", hint="--by step"))
    spool = _Spool(folder)
    with closing(spool):
        for source in sources:
            for place, row in _rows(source, options):
                spool.add(_value(row, by, place), _decoded(row, options))
    if not spool.files:
        raise ReadError(message("there are no rows to make rounds of.", got="no row", want="at least one"))
    return _windows(spool, by, options.window)


class _Spool:
    """Rows to a file for each value, with few files open at a time: rows of one step stand together."""

    def __init__(self, folder: Path) -> None:
        self.files: dict[str, Path] = {}
        self._folder = folder
        self._open: tuple[str, BinaryIO] | None = None
        self._stack = ExitStack()

    def add(self, value: str, row: Mapping[str, Any]) -> None:
        """One more row of the value."""
        if self._open is None or self._open[0] != value:
            self._stack.close()
            if value not in self.files:
                if len(self.files) >= MOST_STEPS:
                    want = f"at most {MOST_STEPS:,} values"
                    raise SchemaError(message("the field that makes rounds has too many values.", want=want))
                self.files[value] = self._folder / f"{len(self.files):06d}.jsonl"
            self._open = (value, self._stack.enter_context(self.files[value].open("ab")))
        option = orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
        self._open[1].write(orjson.dumps(row, default=str, option=option))

    def close(self) -> None:
        """No more rows."""
        self._stack.close()
        self._open = None


def _windows(spool: _Spool, by: str, window: int) -> tuple[RoundSource, ...]:
    values = sorted(spool.files, key=natural)
    groups = [values[start : start + window] for start in range(0, len(values), window)]
    if len(groups) > MOST_ROUNDS:
        got, hint = f"{len(groups):,} rounds", f"--window {-(-len(values) // 50)}"
        want = f"at most {MOST_ROUNDS:,}"
        raise SchemaError(message(f'"{by}" makes more rounds than can be read.', got=got, want=want, hint=hint))
    numbered = window == 1 and all(value.isdecimal() for value in values)
    out = []
    for at, group in enumerate(groups):
        first = spool.files[group[0]]
        for other in group[1:]:
            with first.open("ab") as whole:
                whole.write(spool.files[other].read_bytes())
            spool.files[other].unlink()
        name = f"{by} {group[0]}" + (f" to {group[-1]}" if len(group) > 1 else "")
        number = int(group[0]) if numbered else at
        out.append(RoundSource(round=number, name=name, generated=first))
    return tuple(out)


def _rows(source: Any, options: GuardOptions) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """(place, row) of a source; what is no row is skipped or raised."""
    settings = options.settings
    for item in locate(source, settings.reading()).items:
        for seen, (line, value) in enumerate(item.rows()):
            if settings.limit is not None and seen >= settings.limit:
                break
            if isinstance(value, Mapping):
                yield item.place(line), value
            elif settings.on_bad == "raise":
                damaged = isinstance(value, Damaged)
                what, got = (value.what, value.got) if damaged else ("the row is no object", excerpt(value))
                want = "an object with named fields"
                raise ReadError(message(f"{item.place(line)}: {what}.", got=got, want=want, hint="--on-bad skip"))


def _value(row: Mapping[str, Any], by: str, place: str) -> str:
    value = row.get(by)
    if is_absent(value):
        near = nearest(by, [str(name) for name in row])
        what = f'{place}: the row has no "{by}", which says its round.'
        raise SchemaError(message(what, got=fields_of(row), want=by, hint=near and f"--by {near}"))
    return as_text(value)


def _decoded(row: Mapping[str, Any], options: GuardOptions) -> Mapping[str, Any]:
    """The row with its token numbers as text, where that is asked for; those of special tokens are left out."""
    if options.decode is None:
        return row
    texts = {}
    for role, field in TOKENS.items():
        if isinstance(row.get(field), list):
            texts[role] = _tokenizer(options.decode).decode([int(token) for token in row[field]])
    if not texts:
        want = " or ".join(TOKENS.values())
        raise SchemaError(message("there are no token numbers to decode.", got=fields_of(row), want=want))
    return {**{name: value for name, value in row.items() if name not in TOKENS.values()}, **texts}


def _tokenizer(name: str) -> Any:
    """The tokenizer of a `tokenizer.json`, or of the folder with one.

    Raises:
        ReadError: there is none.
    """
    if name not in _KNOWN:
        from tokenizers import Tokenizer  # noqa: PLC0415 - only rows of token numbers need it

        path = Path(name)
        path = path / "tokenizer.json" if path.is_dir() else path
        try:
            _KNOWN[name] = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare Exception for a missing file and for a damaged one
            what = f"{path}: no tokenizer can be read."
            raise ReadError(message(what, got=str(error), want="the tokenizer.json of the model")) from error
    return _KNOWN[name]


_KNOWN: dict[str, Any] = {}
