"""`DataIntegrator` as older code calls it: pandas tables, and the argument names of that time beside today's."""

from __future__ import annotations

from typing import Any

import hokusai.wiring  # noqa: F401 - plugs in the key for personal data
from hokusai.errors import InvalidInputError
from hokusai.pipeline.data.integrator import DataIntegrator as _DataIntegrator

__all__ = ["DataIntegrator"]


class DataIntegrator(_DataIntegrator):
    """`hokusai.pipeline.data.DataIntegrator` whose `load_data` gives a pandas table; all else is as there."""

    def __init__(self, random_seed: int = 42, **options: Any) -> None:
        super().__init__(random_seed, **{"frames": "pandas", **options})

    def load_data(
        self,
        path: Any = None,
        run_id: str = "data_load",
        metaflow_run_id: str = "",
        *,
        data_path: Any = None,
        **o: Any,
    ) -> Any:
        """Read files into one table; `data_path` is the older name of `path`."""
        read_from = _given("load_data", path=path, data_path=data_path)
        return super().load_data(read_from, run_id, metaflow_run_id, **o)

    def merge_datasets(
        self,
        base: Any = None,
        new: Any = None,
        how: Any = "append",
        run_id: str = "data_merge",  # noqa: ARG002 - older callers give it
        metaflow_run_id: str = "",  # noqa: ARG002 - likewise
        *,
        base_df: Any = None,
        contributed_df: Any = None,
        merge_strategy: Any = None,
        **options: Any,
    ) -> Any:
        """Join new rows with the base data; the older names are `base_df`, `contributed_df` and `merge_strategy`."""
        old = _given("merge_datasets", base=base, base_df=base_df)
        fresh = _given("merge_datasets", new=new, contributed_df=contributed_df)
        return super().merge_datasets(old, fresh, merge_strategy or how, **options)


def _given(method: str, **named: Any) -> Any:
    """The one of an argument's names, today's first, under which it was given."""
    for value in named.values():
        if value is not None:
            return value
    today, older = named
    raise InvalidInputError(f"{method} needs {today!r}", where=method, hint=f"Its older name is {older!r}.")
