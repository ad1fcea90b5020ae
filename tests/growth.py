"""How the cost of a call grows with the size of its input, told in a way that no busy machine changes.

CPU seconds are compared with CPU seconds, never with a number. A neighbour on the core only ever adds to what is
measured, so the least of a few tries counts; what grows with the square of the size exceeds the limit each time.
"""

from __future__ import annotations

import math
import time
import timeit
from collections.abc import Callable

TRIES = 5


def assert_grows_with_size(of_size: Callable[[int], Callable[[], object]], small: int, large: int) -> None:
    """Fail if the calls that `of_size` prepares take longer than in proportion to their size.

    The limit lies half way, as factors go, between proportion and square: 23 times as long for 8 times the size.
    """
    calls = of_size(small), of_size(large)
    limit = (large / small) ** 1.5
    least = [math.inf, math.inf]
    for _ in range(TRIES):
        least[0] = min(least[0], _cpu_seconds(calls[0]), _cpu_seconds(calls[0]))
        least[1] = min(least[1], _cpu_seconds(calls[1]))
        if least[1] < limit * least[0]:
            return
    raise AssertionError(
        f"{large / small:g} times the size took {least[1] / least[0]:.1f} times as long: {least}"
    )


def _cpu_seconds(call: Callable[[], object]) -> float:
    return timeit.timeit(call, timer=time.process_time, number=1)  # with the garbage collector at rest
