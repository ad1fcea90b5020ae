"""Digests are put in order by all of their bytes, and equal ones stay in the order of their rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hokusai.pipeline.data.digest_order import Piece, all_in_order, match, sort_order


def digests_of(texts):
    return np.frombuffer(b"".join(texts), np.uint8).reshape(-1, 32)


few_bytes = st.binary(min_size=3, max_size=3).map(lambda byte: bytes(b & 1 for b in byte))
alike = st.builds(
    lambda a, b, c: a + bytes(9) + b + bytes(13) + c + bytes(1), few_bytes, few_bytes, few_bytes
)
"""Digests as somebody could make them, who wants them to agree in their first bytes."""


class TestSortOrder:
    def test_is_decided_by_the_last_byte_if_it_has_to_be(self):
        digests = np.zeros((3, 32), np.uint8)
        digests[:, 31] = [2, 0, 1]
        assert sort_order(digests).tolist() == [1, 2, 0]

    def test_is_that_of_unsigned_bytes(self):
        digests = np.zeros((3, 32), np.uint8)
        digests[:, 0] = [255, 127, 128]
        assert sort_order(digests).tolist() == [1, 2, 0]

    @given(st.lists(alike, max_size=40))
    def test_is_that_of_a_stable_sort_of_the_bytes(self, texts):
        expected = sorted(range(len(texts)), key=texts.__getitem__)
        assert sort_order(digests_of(texts)).tolist() == expected


@given(st.lists(alike, min_size=1, max_size=30), st.lists(alike, max_size=30), st.integers(1, 30))
def test_what_is_known_of_pieces_is_the_first_row_of_each_digest(known, new, size):
    digests = digests_of(known)
    rows = 7 * np.arange(len(known)) + 3
    pieces = (Piece(digests[i : i + size], rows[i : i + size]) for i in range(0, len(known), size))
    distinct = all_in_order(pieces).distinct()
    assert [row.tobytes() for row in distinct.digests] == sorted(set(known))
    assert distinct.counts.tolist() == [known.count(text) for text in sorted(set(known))]
    expected = [7 * known.index(text) + 3 if text in known else -1 for text in new]
    assert match(digests_of(new), distinct).tolist() == expected
