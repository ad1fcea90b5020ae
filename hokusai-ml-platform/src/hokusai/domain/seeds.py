"""Seeds: each step draws its own from (seed, step, purpose).

Steps that share one generator depend on each other's order and number of draws: adding a draw in one would
change the results of all that follow. A derived seed depends on its three names alone.
"""

from __future__ import annotations

from hokusai.domain.canonical import digest


def derive_seed(seed: int, step: str, purpose: str, *, bits: int = 63) -> int:
    """The seed for one purpose in one step.

    The leading `bits` bits of the SHA-256 of the canonical JSON list of the four texts
    "hokusai-seed/v1", the seed in decimal, step and purpose.

    Args:
        seed: The run's seed.
        step: The pipeline step that draws.
        purpose: What it draws for, such as "split".
        bits: Width of the result, at most 256; 63 fits a signed 64-bit integer, 32 suits scikit-learn.

    Returns:
        A number in [0, 2^bits).

    >>> derive_seed(42, "train_new_model", "shuffle") == derive_seed(42, "train_new_model", "shuffle")
    True
    """
    return int(digest(["hokusai-seed/v1", str(seed), step, purpose]), 16) >> (256 - bits)
