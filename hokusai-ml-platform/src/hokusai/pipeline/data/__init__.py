"""Contributed data: understood, checked, cleaned of people's data, merged, and accounted for to the last row.

>>> from hokusai.pipeline.data import DataIntegrator
>>> DataIntegrator(pii="mask")
DataIntegrator(seed 42, no schema, personal data: mask)

Where things are:

- in one call or step by step: `integrator`; files of any size, by batches: `streaming` (`kernel`, `staged`, `planner`)
- files: `files` (which), `reading` (one file into a scan of typed batches), and a reader for each format
- rows: `schema` and `checks` (what must hold), `rejects`, `duplicates`, `near_duplicates`, `merging`, `sampling`
- identity: `row_digests`, `dataset_hash`, `row_proofs`, `digest_log` (more digests than fit in memory)
- description: `column_states`, `drift`, `outliers`, `label_noise`, `profile_plots`; the score is in `pipeline.quality`

People's data is found and taken out by `hokusai.privacy`; the account of all of it is `hokusai.domain.manifest`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hokusai.pipeline.data.integrator import DataIntegrator as DataIntegrator

__all__ = ["DataIntegrator"]


def __getattr__(name: str) -> Any:
    if name == "DataIntegrator":
        from hokusai.pipeline.data.integrator import DataIntegrator

        return DataIntegrator
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
