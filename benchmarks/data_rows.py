"""Rows as contributors send them, as many as wanted: 22 columns, about 410 bytes a row as CSV.

Query text of which 3 % holds an e-mail address, 2 % a telephone number and 2 % a quoted line end; a column of e-mail
addresses and one of telephone numbers; a label; a time; ten floats with nulls; whole numbers; truth values. One row in
twenty repeats an earlier one exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

BATCH = 100_000
_WORDS = [
    "how",
    "do",
    "i",
    "reset",
    "the",
    "password",
    "of",
    "my",
    "account",
    "when",
    "order",
    "arrives",
    "late",
    "refund",
    "please",
    "help",
    "with",
    "invoice",
    "shipping",
    "address",
    "change",
    "subscription",
    "plan",
    "upgrade",
    "error",
    "message",
    "login",
    "page",
    "does",
    "not",
    "load",
    "on",
    "phone",
    "why",
    "is",
    "charged",
    "twice",
    "cancel",
    "trial",
    "export",
    "report",
    "data",
    "team",
    "member",
    "permission",
    "the",
    "a",
    "to",
    "of",
    "for",
    "and",
    "in",
    "it",
    "my",
    "we",
]
_AREAS = (
    202,
    206,
    212,
    213,
    214,
    303,
    305,
    310,
    312,
    404,
    408,
    415,
    503,
    512,
    602,
    617,
    619,
    650,
    702,
    713,
    718,
)
_LABELS = ("billing", "login", "shipping", "account", "other")


def batches(rows: int, seed: int = 0) -> Iterator[pl.DataFrame]:
    """Frames of at most `BATCH` rows, `rows` in all; the same for the same seed."""
    for number, start in enumerate(range(0, rows, BATCH)):
        yield _batch(min(BATCH, rows - start), start, np.random.default_rng((seed, number)))


def write_csv(path: Path, rows: int, seed: int = 0) -> int:
    """Write the rows as CSV; gives the file's size."""
    with path.open("wb") as stream:
        for number, batch in enumerate(batches(rows, seed)):
            batch.write_csv(stream, include_header=number == 0)
    return path.stat().st_size


def write_parquet(path: Path, rows: int, seed: int = 0) -> int:
    """Write the rows as Parquet; gives the file's size."""
    import pyarrow.parquet as pq

    writer = None
    for batch in batches(rows, seed):
        table = batch.to_arrow(compat_level=pl.CompatLevel.oldest())
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return path.stat().st_size


def _batch(rows: int, start: int, rng: np.random.Generator) -> pl.DataFrame:
    fresh = max(1, int(rows * 0.95))
    ids = np.arange(start, start + fresh)
    frame = pl.DataFrame(
        {
            "query_id": ids,
            "query_text": _texts(fresh, rng),
            "email": _emails(fresh, rng),
            "phone": _phones(fresh, rng),
            "label": rng.choice(_LABELS, fresh, p=(0.4, 0.25, 0.2, 0.1, 0.05)),
            "asked_at": pl.Series(1_700_000_000_000_000 + rng.integers(0, 10**13, fresh)).cast(
                pl.Datetime("us")
            ),
            **{f"feature_{i}": _floats(fresh, rng) for i in range(10)},
            "age": rng.integers(18, 90, fresh),
            "visits": rng.poisson(7, fresh),
            "price_cents": rng.integers(0, 10**6, fresh),
            "device": rng.choice(("ios", "android", "web"), fresh),
            "country": rng.choice(("US", "DE", "FR", "JP", "BR"), fresh),
            "is_member": rng.random(fresh) < 0.3,
        }
    )
    again = frame[rng.integers(0, fresh, rows - fresh)]
    return pl.concat([frame, again])


def _texts(rows: int, rng: np.random.Generator) -> pl.Series:
    words = np.asarray(_WORDS)[rng.integers(0, len(_WORDS), (rows, 24))]
    columns = pl.DataFrame({str(i): words[:, i] for i in range(words.shape[1])})
    text = columns.select(pl.concat_str(pl.all(), separator=" ")).to_series()
    kind = rng.random(rows)
    extra = pl.select(
        pl.when(pl.Series(kind < 0.03))
        .then(pl.lit(" write to ") + _emails(rows, rng))
        .when(pl.Series(kind < 0.05))
        .then(pl.lit(" call me at ") + _phones(rows, rng))
        .when(pl.Series(kind < 0.07))
        .then(pl.lit(', "urgent"\nplease answer'))
        .otherwise(pl.lit(""))
    ).to_series()
    return text + extra


def _emails(rows: int, rng: np.random.Generator) -> pl.Series:
    first = pl.Series(rng.choice(("ada", "grace", "alan", "edsger", "barbara", "donald"), rows))
    host = pl.Series(rng.choice(("example.com", "example.org", "mail.example.net"), rows))
    return first + "." + pl.Series(rng.integers(0, 10**7, rows)).cast(pl.String) + "@" + host


def _phones(rows: int, rng: np.random.Generator) -> pl.Series:
    area, line = rng.choice(_AREAS, rows), rng.integers(1000, 9999, rows)
    exchange = rng.integers(200, 999, rows)
    parts = pl.DataFrame({"a": area, "b": exchange, "c": line})
    return parts.select(pl.format("({}) {}-{}", "a", "b", "c")).to_series()


def _floats(rows: int, rng: np.random.Generator) -> pl.Series:
    values = pl.Series(rng.normal(size=rows).round(12))
    return pl.select(pl.when(pl.Series(rng.random(rows) >= 0.05)).then(values)).to_series()
