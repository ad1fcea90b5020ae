"""From contributed data to DeltaOne: the steps of the main job, as functions that know no flow engine.

A run goes through these, in order; `src/pipeline/hokusai_pipeline.py` calls them one by one.

- `preparation`   parameters and settings become a checked `plan`
- `reference`     base data and benchmark, and the facts that all steps go by
- `baseline`      the model to compare with: loaded, trained, or mocked
- `contribution`  which contributed rows are used, and what became of the others
- `retraining`    the same kind of model on base and contributed data
- `evaluation`    both models on the same rows, and the comparison
- `delta_output`  the DeltaOne JSON
- `attestation`   the signed statement
- `finish`        the outputs, the report, and the journal to the tracking server

Beside them: `evaluator`, which measures any model on labelled rows, and has its own map.

Behind them: `data` (reading files, with its own map), `training`, `mock_models` and `dry_run` (what a dry run has
instead), `report`, `monitoring` (what a run has to tell the tracking server), and `publication` (everything whole,
on disk and on the server, or kept for later). Models become bytes in `hokusai.core.models`.
"""
