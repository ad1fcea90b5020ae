"""Nouns: what Hokusai talks about. Frozen, valid by construction, without I/O.

- `metrics`: which metrics exist, which direction is better, how each enters DeltaOne
- `delta`: one metric's change, and the comparison of two models with its DeltaOne
- `contribution`: contributors, wallet addresses, contributed files
- `journal`: what a pipeline run did, as plain data that a tracker can write down at any time
- `canonical`: the one JSON form that is hashed or signed, and the one digest
"""
