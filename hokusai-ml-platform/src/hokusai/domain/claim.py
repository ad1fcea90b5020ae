"""What an attestation claims: these files, this comparison, these contributors.

The claim is a noun and knows nothing of formats: `hokusai.attestation.statement` writes it as an in-toto
Statement. It holds facts only. What follows from them (deltas, credit, subject names) is worked out from
them, so that a claim cannot contradict itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from hokusai.domain.attribution import ALL_BPS, Attribution, AttributionMethod
from hokusai.domain.canonical import require_sha256
from hokusai.domain.commitments import Commitments
from hokusai.domain.contribution import Contribution, Contributor
from hokusai.domain.decision import Decision
from hokusai.domain.delta import Comparison
from hokusai.errors import InvalidInputError

PROPORTIONAL = AttributionMethod.PROPORTIONAL.value
"""How credit is shared where nothing else is said: in proportion to the accepted rows."""


@dataclass(frozen=True, slots=True)
class Estimator:
    """How a model was made: what a re-run needs to make it again.

    Attributes:
        import_path: Where its class is imported from, such as "sklearn.linear_model.LogisticRegression".
        params: Its parameters, as JSON values.
    """

    import_path: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A document that supports the claim and travels beside it, such as a zero-knowledge proof of the counts.

    Attributes:
        name: What it is.
        sha256: Digest of its bytes, hex.
        media_type: Its format.
    """

    name: str
    sha256: str
    media_type: str

    def __post_init__(self) -> None:
        require_sha256(self.sha256, self.name)


@dataclass(frozen=True, slots=True)
class DeltaOneClaim:
    """An improvement, and all that has to be known to check it.

    Everything here is content, no time, path, host, run id or secret: the same inputs give the same claim.

    Attributes:
        baseline_model_sha256: Digest of the baseline model's file, hex.
        new_model_sha256: Digest of the new model's file.
        benchmark_sha256: Digest of the benchmark's bytes.
        contributions: The contributed files, in the order given; at least one row of them was accepted.
        comparison: What the benchmark says of the two models.
        target_column: Name of the column that is predicted.
        feature_columns: Names of the columns that it is predicted from.
        base_rows: Rows of base data that the new model was trained on besides the contribution.
        new_estimator: How the new model was made.
        baseline_estimator: How the baseline model was made, if that is known.
        libraries: Package name to version, of those that decide the numbers.
        base_data_sha256: Digest of the base data, if there is any.
        dry_run: Whether this is a rehearsal on mock data: no evidence of anything.
        evidence: Documents that support the claim.
        decision: Whether the improvement counts, and by which rule, if that was decided.
        attribution: Who is credited with how much; without one, credit goes by accepted rows.
        commitments: What binds the signer to every row's label and predictions.
        benchmark_record_sha256: Digest of the `Benchmark` that the comparison was made by (`Benchmark.sha256`).
        benchmark_statement_sha256: Digest of the statement by which the benchmark's owner committed to it.

    Raises:
        InvalidInputError: A digest is not one, no contributed row was accepted, or the attribution is of other
            contributors or rows.
    """

    baseline_model_sha256: str
    new_model_sha256: str
    benchmark_sha256: str
    contributions: tuple[Contribution, ...]
    comparison: Comparison
    target_column: str
    feature_columns: tuple[str, ...]
    base_rows: int
    new_estimator: Estimator
    baseline_estimator: Estimator | None = None
    libraries: Mapping[str, str] = field(default_factory=dict)
    base_data_sha256: str | None = None
    dry_run: bool = False
    evidence: tuple[Evidence, ...] = ()
    decision: Decision | None = None
    attribution: Attribution | None = None
    commitments: Commitments | None = None
    benchmark_record_sha256: str | None = None
    benchmark_statement_sha256: str | None = None

    def __post_init__(self) -> None:
        for name, sha256 in self.subjects:
            require_sha256(sha256, name)
        for name in ("benchmark_record_sha256", "benchmark_statement_sha256"):
            if getattr(self, name) is not None:
                require_sha256(getattr(self, name), name)
        if self.contributed_rows < 1:
            raise InvalidInputError(
                "No contributed row was accepted, so there is no contribution to credit",
                hint="See why they were left out: duplicates, rows of the base data or benchmark, no label.",
            )
        if self.attribution is not None:
            self._check_attribution(self.attribution)

    @property
    def subjects(self) -> tuple[tuple[str, str], ...]:
        """(name, SHA-256) of every file that the claim is about, in a fixed order."""
        base = () if self.base_data_sha256 is None else (("base-data", self.base_data_sha256),)
        return (
            ("baseline-model", self.baseline_model_sha256),
            ("new-model", self.new_model_sha256),
            ("benchmark", self.benchmark_sha256),
            *base,
            *((f"contributed-data/{i}", c.sha256) for i, c in enumerate(self.contributions, start=1)),
        )

    @property
    def contributed_rows(self) -> int:
        """Accepted rows of all contributions."""
        return sum(contribution.rows_accepted for contribution in self.contributions)

    @property
    def credit_method(self) -> str:
        """How credit was worked out, by the name of an `AttributionMethod`."""
        return PROPORTIONAL if self.attribution is None else self.attribution.method.value

    @property
    def credits(self) -> tuple[Fraction, ...]:
        """The share of each contribution, in their order; they sum to exactly 1, or to 0 if nobody is paid.

        A contributor's weight is shared among his own contributions by their accepted rows.
        """
        if self.attribution is None:
            return tuple(Fraction(c.rows_accepted, self.contributed_rows) for c in self.contributions)
        rows = self._rows_of_contributors
        weights = {credit.contributor: credit.weight_bps for credit in self.attribution.credits}
        return tuple(
            Fraction(weights[c.contributor] * c.rows_accepted, ALL_BPS * rows[c.contributor])
            if c.rows_accepted
            else Fraction(0)
            for c in self.contributions
        )

    @property
    def _rows_of_contributors(self) -> dict[Contributor, int]:
        """Accepted rows of each contributor, in the order of their first contributions."""
        rows: dict[Contributor, int] = {}
        for contribution in self.contributions:
            rows[contribution.contributor] = (
                rows.get(contribution.contributor, 0) + contribution.rows_accepted
            )
        return rows

    def _check_attribution(self, attribution: Attribution) -> None:
        """Everybody who gave rows is credited once, for these rows; who gave none need not be named, nor is paid."""
        rows = self._rows_of_contributors
        credited = {credit.contributor: credit.rows for credit in attribution.credits}
        in_order = [contributor for contributor in rows if contributor in credited]
        named = [credit.contributor for credit in attribution.credits]
        missing = [who.contributor_id for who, n in rows.items() if n and who not in credited]
        if named != in_order or missing:
            raise InvalidInputError(
                "The attribution has to name everybody who gave rows once, in the order of the contributions; it "
                f"names {', '.join(who.contributor_id for who in named) or 'nobody'}",
                where="attribution",
            )
        for credit in attribution.credits:
            name = credit.contributor.contributor_id
            if credit.rows != rows[credit.contributor]:
                raise InvalidInputError(
                    f"{name} gave {rows[credit.contributor]} rows, the attribution credits {credit.rows}",
                    where="attribution",
                )
            if credit.weight_bps and not credit.rows:
                raise InvalidInputError(f"{name} is paid, but gave no rows", where="attribution")
