"""Nouns: what Hokusai talks about. Frozen, valid by construction, without I/O.

- `metrics`: which metrics exist, which direction is better, how each enters DeltaOne
- `delta`: one metric's change, and the comparison of two models with its DeltaOne
- `contribution`: contributors, wallet addresses, contributed files
- `versions`, `records`, `tokens`: what a registered model is called, and all that is known of it
- `stages`: which version is where, from the moves that were made; `comparison`, `retention`, `signatures`: of versions
- `lineage`: what came from what, by whose data; `audit`: who did what, in a chain
- `journal`: what a pipeline run did, as plain data that a tracker can write down at any time
- `canonical`: the one JSON form that is hashed or signed, and the one digest
"""
