"""Compiles all loops for this machine, so that no test waits for it: an integration for which compiling pays at once.

python -m tests.warm_loops
"""

import tempfile
from pathlib import Path

from hokusai.domain.schema import ColumnRule, DataSchema
from hokusai.pipeline.data.streaming import Recipe, integrate_files
from hokusai.privacy.policy import PiiPolicy
from hokusai.privacy.tokens import Tokenizer
from hokusai.utils.compiled import pays

ROWS = 2_000


def main() -> None:
    pays(10**9)
    schema = DataSchema(columns=(ColumnRule("id", "integer", nullable=False), ColumnRule("score", "number")))
    recipe = Recipe(schema=schema, how="update", key=("id",), pii=PiiPolicy())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, word in (("base.csv", "old"), ("new.csv", "new")):
            lines = (
                f"{i},{i / 7},{word} text {i} of user{i}@example.org,2024-01-02T03:04:05,true"
                for i in range(ROWS)
            )
            (folder / file).write_text("\n".join(["id,score,text,at,sound", *lines, ""]))
        integrate_files(
            folder / "new.csv",
            folder / "out.parquet",
            base=folder / "base.csv",
            recipe=recipe,
            tokenizer=Tokenizer(bytes(32)),
            memory_budget_bytes=0,
        )


if __name__ == "__main__":
    main()
