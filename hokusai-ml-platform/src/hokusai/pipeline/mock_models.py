"""The models of a dry run: they know the answer and hide it behind noise, so that their skill is a dial.

A mock model sees each benchmark row's true target through Gaussian noise whose size its `signal` sets. Two mocks
with the same seed share most of that noise, as two versions of one model share most of their mistakes, so the
paired statistics of a dry run look like those of a real one. NumPy only: a dry run needs no ML library.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hokusai.domain.canonical import canonical_json
from hokusai.domain.model import ModelArtifact
from hokusai.domain.seeds import derive_seed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BASELINE_TYPE = "mock_baseline"
NEW_TYPE = "mock_retrained"
_BASELINE_SIGNAL = 2.0  # two classes two standard deviations apart: accuracy 0.84
_MOST_GAIN = 1.6
_HALF_GAIN_AT = 0.5  # the share of contributed rows at which half of the most gain is reached
_OWN_NOISE = 0.35


@dataclass(frozen=True, slots=True)
class MockModel:
    """A simulated model.

    Attributes:
        role: What its own noise is drawn for; two roles make different mistakes.
        signal: Distance between two classes, in standard deviations of the noise.
        seed: The run's seed.
    """

    role: str
    signal: float
    seed: int

    def artifact(
        self, model_id: str, model_type: str, base_samples: int, contributed_samples: int = 0
    ) -> ModelArtifact:
        """This mock as a stored model."""
        content = canonical_json(
            {"type": model_type, "role": self.role, "signal": self.signal, "seed": str(self.seed)}
        )
        return ModelArtifact(
            model_id=model_id,
            model_type=model_type,
            file_name="model.json",
            content=content,
            params={"signal": self.signal},
            base_samples=base_samples,
            contributed_samples=contributed_samples,
        )

    @classmethod
    def from_artifact(cls, artifact: ModelArtifact) -> MockModel:
        """The mock that `artifact` stores."""
        import json

        stored: dict[str, Any] = json.loads(artifact.content)
        return cls(stored["role"], float(stored["signal"]), int(stored["seed"]))

    def class_scores(self, labels: NDArray[np.int64], n_classes: int) -> NDArray[np.float64]:
        """Probabilities (n_rows, n_classes) for rows whose true classes are `labels`."""
        import numpy as np

        evidence = self._noise((labels.size, n_classes)) / math.sqrt(2)
        evidence[np.arange(labels.size), labels] += self.signal / 2
        odds = np.exp(evidence - evidence.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def values(self, target: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predictions (n_rows,) for rows whose true values are `target`."""
        spread = float(target.std()) or 1.0
        return target + self._noise((target.size,)) * spread / self.signal

    def _noise(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        import numpy as np

        shared = np.random.default_rng(derive_seed(self.seed, "mock", "shared")).standard_normal(shape)
        own = np.random.default_rng(derive_seed(self.seed, "mock", self.role)).standard_normal(shape)
        return np.asarray(math.sqrt(1 - _OWN_NOISE**2) * shared + _OWN_NOISE * own)


def mock_baseline(seed: int) -> MockModel:
    """The baseline of a dry run: right on about five rows in six, for two classes."""
    return MockModel("baseline", _BASELINE_SIGNAL, seed)


def mock_retrained(seed: int, contribution_ratio: float) -> MockModel:
    """The retrained model of a dry run: better, the more was contributed, with diminishing returns."""
    gain = _MOST_GAIN * contribution_ratio / (contribution_ratio + _HALF_GAIN_AT)
    return MockModel("new", _BASELINE_SIGNAL + round(gain, 6), seed)
