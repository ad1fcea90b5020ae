"""Rows whose text says nearly the same as an earlier row's.

First come texts that are equal once case, blanks and invisible characters are set aside (`normalised_text`). Of the
others candidates are found by MinHash and locality-sensitive hashing, in time and memory linear in the text.
For each candidate the true similarity is worked out, so that nothing is left out on an estimate. Pairs can be missed:
two texts become candidates with a probability above 0.999 at the threshold, and more above it; and where many texts
are candidates of each other, each is compared with two of them and with what those stand for, not with all.

A text is the set of its shingles: runs of so many words (of all its words, if it has fewer). The similarity of two
texts is the Jaccard index of their sets: shingles that both have over shingles that any of them has. A Chinese or
Japanese character counts as a word. Only words count, no punctuation.

The hashes are fixed here, and not left to a library whose next version may hash in another way: which rows are left
out decides the dataset's hash, and must not change.

References:
    Broder (1997), On the resemblance and containment of documents. Indyk and Motwani (1998), Approximate nearest
    neighbors. Dietzfelbinger et al. (1997), A reliable randomized algorithm for the closest-pair problem
    (multiply-shift hashing).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from hokusai.domain.manifest import RowAccount
from hokusai.errors import InvalidInputError, SchemaError
from hokusai.pipeline.data.columns import cells_of, col, require_columns, selected
from hokusai.pipeline.data.duplicates import first_of_each
from hokusai.pipeline.data.frames import Frame, to_polars
from hokusai.pipeline.data.row_digests import row_digests
from hokusai.pipeline.data.row_matching import normalised_text
from hokusai.pipeline.data.value_hash import hash_values
from hokusai.privacy.stand_ins import holds_mask

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

THRESHOLD = 0.8
SHINGLE_WORDS = 3
_HASHES = 128
_MISSED = 1e-3
"""At most so many pairs at the threshold are missed."""
_BLOCK_SHINGLES = 1 << 15
"""Shingles that are hashed at once: they stay in the processor's cache."""
_BLOCK_TEXTS = 1 << 16
_CACHED_SETS = 4096
_WORD = r"[\p{Han}\p{Hiragana}\p{Katakana}]|[[\p{L}\p{M}\p{N}]--[\p{Han}\p{Hiragana}\p{Katakana}]]+"
_GOLDEN = 0x9E3779B97F4A7C15


@dataclass(frozen=True, slots=True, eq=False)
class NearDuplicates:
    """Which rows say nearly the same.

    Attributes:
        columns: The columns of text that were compared, together.
        threshold: The similarity from which texts are nearly the same.
        first_row: For each row the row that stands for it: itself, or the earliest kept row that it was found to be
            like; shape (n_rows,).
        equal: How many rows equal an earlier one but for case, blanks and invisible characters.
        similar: How many others are like an earlier one.
    """

    columns: tuple[str, ...]
    threshold: float
    first_row: NDArray[np.int64]
    equal: int
    similar: int

    def __repr__(self) -> str:
        return (
            f"NearDuplicates({', '.join(self.columns)}: {self.equal:,} equal and {self.similar:,} similar "
            f"among {len(self.first_row):,} rows)"
        )


def deduplicate_nearly(
    frame: Frame,
    columns: str | Sequence[str] | None = None,
    *,
    within: Sequence[str] = (),
    threshold: float = THRESHOLD,
    shingle_words: int = SHINGLE_WORDS,
    seed: int = 42,
) -> tuple[Frame, RowAccount, NearDuplicates]:
    """Leave out rows whose text is nearly that of an earlier row; see `near_duplicates` for the arguments.

    Args:
        frame: A pandas, Polars or pyarrow table.

    Returns:
        The kept rows as they were, in their order, in the same kind of table; the account; and what was found.
    """
    import numpy as np

    rows, give_back = to_polars(frame)
    found = near_duplicates(
        rows, columns, within=within, threshold=threshold, shingle_words=shingle_words, seed=seed
    )
    kept = np.flatnonzero(found.first_row == np.arange(rows.height))
    left_out = rows.height - len(kept)
    account = RowAccount(rows.height, len(kept), duplicates=left_out, near_duplicates=left_out)
    return (give_back.rows(kept) if left_out else frame), account, found


def near_duplicates(
    rows: pl.DataFrame,
    columns: str | Sequence[str] | None = None,
    *,
    within: Sequence[str] = (),
    threshold: float = THRESHOLD,
    shingle_words: int = SHINGLE_WORDS,
    seed: int = 42,
) -> NearDuplicates:
    """Find rows whose text is nearly that of an earlier row.

    A row whose `first_row` is another has at least the similarity `threshold` to that one, which is its own first row.
    A row without text is like no other, nor is one with a mask in it, such as `[email]`: what was masked may differ.

    Args:
        rows: The rows.
        columns: Columns of text, compared as one text; by default the one with the longest texts on average.
        within: Columns in which rows must be the same to be compared, such as the label.
        threshold: Similarity in (0, 1].
        shingle_words: Words in a shingle.
        seed: Of the hashes. Another one may miss other pairs.

    Raises:
        SchemaError: A column is missing or is not text, or there is none.
        InvalidInputError: `threshold` or `shingle_words` is out of range.

    >>> import polars as pl
    >>> rows = pl.DataFrame({"q": ["How do I reset my password?", "how do I  reset my PASSWORD", "What is a token?"]})
    >>> near_duplicates(rows).first_row.tolist()
    [0, 0, 2]
    """
    import numpy as np

    if not 0 < threshold <= 1:
        raise InvalidInputError(f"The threshold {threshold} is not between 0 and 1")
    if shingle_words < 1:
        raise InvalidInputError(f"A shingle cannot have {shingle_words} words")
    names = _text_columns(rows, columns)
    require_columns(rows.columns, within, "")
    texts = _texts(rows, names).set(holds_mask(selected(rows, names)), None)
    firsts, groups = _equal_texts(texts, selected(rows, within))
    at = np.flatnonzero((firsts == np.arange(rows.height)) & texts.is_not_null().to_numpy())
    shingles = _Shingles.of(texts.gather(at), shingle_words)
    stands_for = _similar_texts(shingles, groups[at], threshold, seed)
    equal = int((firsts != np.arange(rows.height)).sum())
    firsts[at] = at[stands_for]
    similar = int((stands_for != np.arange(len(at))).sum())
    return NearDuplicates(names, threshold, firsts[firsts], equal, similar)


@dataclass(frozen=True, slots=True, eq=False)
class _Shingles:
    """Hashes of the words of many texts, from which shingles are made as they are needed.

    Attributes:
        words: 64-bit hashes of all words of all texts, one text after the other.
        ends: Where each text ends in `words`; shape (n_texts + 1,), the first is 0.
        length: Words in a shingle.
    """

    words: NDArray[np.uint64]
    ends: NDArray[np.int64]
    length: int

    @classmethod
    def of(cls, texts: pl.Series, length: int) -> _Shingles:
        import numpy as np

        hashes, counts = [np.empty(0, np.uint64)], [np.zeros(1, np.int64)]
        for start in range(0, len(texts), _BLOCK_TEXTS):
            words = texts.slice(start, _BLOCK_TEXTS).str.extract_all(_WORD)
            counts.append(words.list.len().to_numpy().astype(np.int64))
            hashes.append(hash_values(words.explode(keep_nulls=False, empty_as_null=False)))
        return cls(np.concatenate(hashes), np.cumsum(np.concatenate(counts)), length)

    def blocks(self) -> Iterator[tuple[slice, NDArray[np.uint64], NDArray[np.int64]]]:
        """Some texts at a time: which, hashes of all their shingles, and where each text's begin."""
        import numpy as np

        n_texts = len(self.ends) - 1
        start = 0
        while start < n_texts:
            full = np.searchsorted(self.ends, self.ends[start] + _BLOCK_SHINGLES, side="right") - 1
            stop = min(max(int(full), start + 1), n_texts)
            shingles, begins = self._made(start, stop)
            yield slice(start, stop), shingles, begins
            start = stop

    def distinct(self, text: int) -> frozenset[tuple[int, ...]]:
        """The shingles of one text, by the hashes of their words."""
        words = self.words[self.ends[text] : self.ends[text + 1]].tolist()
        if 0 < len(words) < self.length:
            return frozenset([tuple(words)])
        return frozenset(zip(*(words[offset:] for offset in range(self.length)), strict=False))

    def _made(self, start: int, stop: int) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        import numpy as np

        ends = self.ends[start : stop + 1]
        n_words = np.diff(ends)
        n_shingles = np.maximum(n_words - self.length + 1, np.minimum(n_words, 1))
        begins = np.cumsum(n_shingles) - n_shingles
        first_word = np.repeat(ends[:-1] - begins, n_shingles) + np.arange(n_shingles.sum())
        last_word = np.repeat(ends[1:], n_shingles)
        shingles = np.zeros(len(first_word), np.uint64)
        for offset in range(self.length):
            at = first_word + offset
            inside = at < last_word
            chained = _mix(shingles + np.uint64(_GOLDEN)) + self.words[np.where(inside, at, 0)]
            shingles = np.where(inside, chained, shingles)
        return _mix(shingles), begins


def _similar_texts(
    shingles: _Shingles, groups: NDArray[np.int64], threshold: float, seed: int
) -> NDArray[np.int64]:
    """For each text the one that stands for it, from 0; shape (n_texts,)."""
    import numpy as np

    stands_for = np.arange(len(groups))
    pairs = _candidates(_band_keys(shingles, groups, threshold, seed))
    sets = lru_cache(maxsize=_CACHED_SETS)(shingles.distinct)
    texts, starts = np.unique(pairs >> np.uint64(32), return_index=True)
    for text, start, stop in zip(texts.tolist(), starts, np.append(starts, len(pairs))[1:], strict=True):
        own, earlier = sets(text), pairs[start:stop]
        # those that stand for the candidates: what is left out must be like a row that is kept
        for first in sorted(set(stands_for[earlier & np.uint64(0xFFFFFFFF)].tolist())):
            if groups[first] == groups[text] and _jaccard(own, sets(first)) >= threshold:
                stands_for[text] = first
                break
    return stands_for


def _band_keys(
    shingles: _Shingles, groups: NDArray[np.int64], threshold: float, seed: int
) -> NDArray[np.uint32]:
    """Keys of which two similar texts share at least one, shape (n_bands, n_texts); texts without words have 0."""
    import numpy as np

    n_rows = _rows_of_a_band(threshold)
    n_bands = _HASHES // n_rows
    keys = np.zeros((n_bands, len(groups)), np.uint32)
    multipliers = _mix(
        np.arange(1, _HASHES + 1, dtype=np.uint64) * np.uint64(_GOLDEN) + np.uint64(seed)
    ) | np.uint64(1)
    for texts, hashes, begins in shingles.blocks():
        if not len(hashes):
            continue
        filled = np.flatnonzero(np.diff(np.append(begins, len(hashes))))
        in_group = groups[texts][filled].astype(np.uint64)
        for band in range(n_bands):
            key = in_group
            for multiplier in multipliers[band * n_rows : (band + 1) * n_rows]:
                least = np.minimum.reduceat(hashes * multiplier, begins[filled])
                key = _mix(key + np.uint64(_GOLDEN)) + least
            keys[band, texts][filled] = np.maximum(_mix(key) >> np.uint64(32), 1)
    return keys


def _candidates(keys: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Pairs of texts to compare as `text << 32 | earlier text`, in ascending order.

    A text is compared with the first that has its key and with the last before it, so that the number of pairs is
    linear however many texts share a key.
    """
    import numpy as np

    found = np.empty(0, np.uint64)
    for band in keys:
        order = np.argsort(band, kind="stable").astype(np.uint64)
        ordered = band[order]
        begins = np.ones(len(band), np.bool_)
        begins[1:] = ordered[1:] != ordered[:-1]
        first = order[begins][np.cumsum(begins) - 1]
        later = np.flatnonzero(~begins & (ordered > 0))
        shifted = order[later] << np.uint64(32)
        found = np.unique(np.concatenate([found, shifted | first[later], shifted | order[later - 1]]))
    return found


def _rows_of_a_band(threshold: float) -> int:
    """How many hashes make a key: as many as still find a pair at the threshold, 1 - (1 - t^r)^(n/r)."""
    for n_rows in range(12, 1, -1):
        if (1 - threshold**n_rows) ** (_HASHES // n_rows) <= _MISSED:
            return n_rows
    return 1


def _jaccard(some: frozenset[tuple[int, ...]], others: frozenset[tuple[int, ...]]) -> float:
    common = len(some & others)
    return common / (len(some) + len(others) - common) if common else 0.0


def _texts(rows: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """The normalised text of each row; null where there is none."""
    import polars as pl

    parts = [col(name).cast(pl.String) for name in columns]
    joined = parts[0] if len(parts) == 1 else pl.concat_str(parts, separator=" ", ignore_nulls=True)
    return normalised_text(rows.select(joined.alias("text")).to_series())


def _equal_texts(texts: pl.Series, within: pl.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each row the first with the same text and group; and its group, by the first row in it."""
    import numpy as np
    import polars as pl

    groups = first_of_each(row_digests(within)) if within.width else np.zeros(len(texts), np.int64)
    firsts = first_of_each(row_digests(pl.DataFrame({"text": texts, "group": groups})))
    return np.where(texts.is_null().to_numpy(), np.arange(len(texts)), firsts), groups


def _text_columns(rows: pl.DataFrame, columns: str | Sequence[str] | None) -> tuple[str, ...]:
    import polars as pl

    types = rows.schema

    def is_text(name: str) -> bool:
        return isinstance(types[name], pl.String | pl.Categorical | pl.Enum)

    if columns is None:
        texts = [name for name, dtype in types.items() if dtype == pl.String]
        if not texts:
            raise SchemaError("There is no column of text to compare", hint="Name the columns.")
        lengths = {name: cells_of(rows, name).str.len_bytes().mean() or 0 for name in texts}
        return (max(texts, key=lengths.__getitem__),)
    names = (columns,) if isinstance(columns, str) else tuple(dict.fromkeys(columns))
    require_columns(rows.columns, names, "")
    odd = next((name for name in names if not is_text(name)), None)
    if odd is not None or not names:
        found = (
            f"Column {odd!r} is of type {types[odd]}, not text" if odd is not None else "No column is named"
        )
        raise SchemaError(found, hint="Near duplicates are found in text only.")
    return names


def _mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014)."""
    import numpy as np

    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
