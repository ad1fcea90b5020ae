"""Benchmarks as records: added once, used with every look counted, fed back through the Ladder, paid on once.

A benchmark wears out by being looked at. So three things are kept apart: what *accepts* a contribution is a benchmark
whose submissions are counted and limited; what a submitter is *told* goes through the Ladder, which speaks up only
where he is better by more than noise; what is *paid* is settled on a vault, which is opened once and then spent.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from hokusai.domain.audit import Happening
from hokusai.domain.benchmark import VAULT, Benchmark, BenchmarkUse, UsePurpose
from hokusai.domain.canonical import digest, require_sha256
from hokusai.domain.contribution import Contributor
from hokusai.domain.delta import Comparison
from hokusai.errors import ConflictError, InvalidInputError, NotFoundError
from hokusai.ports import Ledger

if TYPE_CHECKING:
    import numpy.typing as npt

    from hokusai.stats.ladder import Ladder, Told
    from hokusai.stats.settlement import Accepted, Settlement

SETTLED = "epoch.settled"
_SHORTEST_PREFIX = 6
_ATTEMPTS = 20
_SHA256_DIGITS = 64


@dataclass(frozen=True, slots=True)
class EpochPayment:
    """What an epoch is paid, and to whom.

    Attributes:
        vault: On which it was settled; it is spent.
        use: That it was.
        settlement: The pool, and how it came about.
        weights: (contributor, basis points) of the pool; they sum to 10,000, or there are none.
    """

    vault: Benchmark
    use: BenchmarkUse
    settlement: Settlement
    weights: tuple[tuple[Contributor, int], ...]

    def to_dict(self) -> dict[str, Any]:
        """As JSON values whose only numbers are whole."""
        return {
            "vault": self.vault.sha256,
            "models": self.use.subject,
            "pool": repr(self.settlement.pool),
            "gain": repr(self.settlement.gain),
            "standard_error": repr(self.settlement.standard_error),
            "alpha": repr(self.settlement.alpha),
            "rows": self.settlement.n_rows,
            "unpaid": self.settlement.unpaid,
            "weights_bps": [
                {
                    "contributor": who.contributor_id,
                    "wallet": str(who.wallet) if who.wallet else None,
                    "bps": bps,
                }
                for who, bps in self.weights
            ],
        }


class Benchmarks:
    """The benchmarks of a ledger.

    Args:
        ledger: Where they are kept.
        actor: Who is working, for the audit trail.
    """

    def __init__(self, ledger: Ledger, actor: str = "") -> None:
        self._ledger = ledger
        self._shelf = ledger.benchmarks
        self._actor = actor

    def add(self, benchmark: Benchmark) -> Benchmark:
        """Keep a benchmark. One that says the same is there already, or it is another benchmark."""
        self._shelf.put(benchmark, actor=self._actor)
        return benchmark

    def get(self, ref: str) -> Benchmark:
        """The benchmark that `ref` names: a name (the newest of it), its identity, or how that begins.

        Raises:
            NotFoundError: There is none.
            InvalidInputError: Several begin so.
        """
        if len(ref) == _SHA256_DIGITS and self._shelf.find(prefix=ref):
            return self._shelf.get(ref)
        found = self._shelf.find(ref)[:1]
        if not found and len(ref) >= _SHORTEST_PREFIX:
            found = self._shelf.find(prefix=ref)
        if len(found) > 1:
            raise InvalidInputError(
                f"The identities of {len(found)} benchmarks begin with {ref!r}",
                hint=f"Give more of one: {', '.join(one.sha256[:12] for one in found[:5])}.",
            )
        if not found:
            raise NotFoundError(f"No benchmark is called {ref[:80]!r}", hint=self._near(ref))
        return found[0]

    def find(self, name: str | None = None) -> list[Benchmark]:
        """All benchmarks, or those of a name, the newest first."""
        return self._shelf.find(name)

    def use(
        self, ref: str, purpose: UsePurpose, subject: str, submitter: str, *, limit: int | None = None
    ) -> BenchmarkUse:
        """Count a look at a benchmark, before anybody looks; the same subject again is the same look.

        Args:
            ref: As `get` takes it.
            purpose: What for.
            subject: Content that is measured, such as the new model's digest.
            submitter: On whose behalf.
            limit: How many looks for this purpose a submitter may have.

        Raises:
            NotFoundError: There is no such benchmark.
            InvalidInputError: It is to be paid on and is no vault.
            ConflictError: The submitter has none left; or it is a vault, and this is no payment; or it was spent.
        """
        benchmark = self.get(ref)
        if purpose is UsePurpose.PAYMENT:
            _require_vault(benchmark)
            self._require_fresh(benchmark, subject)
        elif benchmark.split == VAULT:
            raise ConflictError(
                f"{benchmark.name} is a vault: it is opened once, to settle an epoch, and for nothing else",
                where=benchmark.sha256,
                hint="Measure submissions on another benchmark.",
            )
        return self._shelf.use(benchmark.sha256, purpose, subject, submitter, limit=limit, actor=self._actor)

    def uses(
        self, ref: str, *, purpose: UsePurpose | None = None, submitter: str | None = None
    ) -> list[BenchmarkUse]:
        """The looks at a benchmark, in the order in which they were counted.

        Raises:
            NotFoundError: There is no such benchmark.
        """
        return self._shelf.uses(self.get(ref).sha256, purpose=purpose, submitter=submitter)

    def feedback(
        self, ref: str, losses: npt.ArrayLike, *, baseline_losses: npt.ArrayLike | None = None
    ) -> Told:
        """What a submitter may be told of his submission: the Ladder's answer, remembered for the next one.

        Args:
            ref: As `get` takes it.
            losses: (n_rows,) loss of his model on each row, in [0, 1]: 1 for a wrong class, 0 for the right one.
            baseline_losses: (n_rows,) the same of the model to begin with; needed at the first submission, and not
                looked at later.

        Raises:
            NotFoundError: There is no such benchmark.
            InvalidInputError: Losses of another number of rows, or outside [0, 1]; or none to begin with.
            ConflictError: It is a vault, of which nobody is told anything; or too many submit at once.
        """
        from hokusai.stats.ladder import Ladder

        benchmark = self.get(ref)
        if benchmark.split == VAULT:
            raise ConflictError("Nobody is told anything of a vault", where=benchmark.sha256)
        for _ in range(_ATTEMPTS):
            state, version = self._shelf.ladder(benchmark.sha256)
            ladder = Ladder.from_bytes(state) if state else _first(benchmark, baseline_losses)
            after, told = ladder.submit(losses)
            if version and after is ladder:
                return told  # nothing to remember
            try:
                self._shelf.set_ladder(benchmark.sha256, after.to_bytes(), version=version)
            except ConflictError:
                continue  # somebody was quicker; what is told follows from his state
            return told
        raise ConflictError(
            "Too many submissions come in at once", where=benchmark.sha256, hint="Submit again."
        )

    def settle(
        self,
        ref: str,
        comparison: Comparison,
        *,
        first_model_sha256: str,
        last_model_sha256: str,
        accepted: Sequence[Accepted] = (),
        submitter: str = "",
    ) -> EpochPayment:
        """Settle an epoch: the lower bound of its whole gain on a vault, which is spent by that.

        Args:
            ref: The vault, as `get` takes it.
            comparison: The epoch's last model against its first, on the vault.
            first_model_sha256: Digest of the model that the epoch began with.
            last_model_sha256: Digest of the model that it ended with.
            accepted: The improvements that were accepted in it.
            submitter: Who settles it; the actor, if nobody is named.

        Raises:
            NotFoundError: There is no such benchmark.
            InvalidInputError: It is no vault, or the comparison is not one on it.
            ConflictError: The vault was opened before, for another epoch or anything else.
        """
        from hokusai.stats.settlement import epoch_weights, settle_comparison

        vault = self.get(ref)
        _require_vault(vault)
        _require_on(vault, comparison)
        models = [require_sha256(text, "model") for text in (first_model_sha256, last_model_sha256)]
        settlement = settle_comparison(comparison, alpha=vault.rule.alpha, min_rows=vault.rule.min_rows)
        weights = epoch_weights(accepted) if settlement.pool else ()
        # Who is paid what is part of what the vault is spent on: paying otherwise is another payment.
        paid = [[who.contributor_id, str(who.wallet), bps] for who, bps in weights]
        found = [repr(settlement.gain), repr(settlement.standard_error), repr(settlement.pool), paid]
        epoch = "..".join(models)
        self._require_unpaid(vault, epoch)
        subject = f"{epoch}..{digest(found)}"
        use = self.use(vault.sha256, UsePurpose.PAYMENT, subject, submitter or self._actor or "owner")
        payment = EpochPayment(vault, use, settlement, weights)
        if not self._ledger.has(SETTLED, vault.sha256, payment.to_dict()):
            self._ledger.record([Happening(SETTLED, vault.sha256, self._actor, payment.to_dict())])
        return payment

    def _require_unpaid(self, vault: Benchmark, epoch: str) -> None:
        """The same epoch was not settled on another vault."""
        for event in self._ledger.events(kind=SETTLED):
            told = event.happening
            if told.subject != vault.sha256 and str(told.details["models"]).startswith(f"{epoch}.."):
                raise ConflictError(
                    f"This epoch was settled on the vault {told.subject[:12]}… before",
                    where=vault.sha256,
                    hint="An epoch is paid once; the next one begins with the model that it ended with.",
                )

    def _require_fresh(self, vault: Benchmark, subject: str) -> None:
        """Nobody had an answer from its rows, under any name, but to settle the same."""
        for other in self._shelf.find():
            same_labels = vault.labels_root is not None and other.labels_root == vault.labels_root
            if other.data_sha256 != vault.data_sha256 and not same_labels:
                continue
            for use in self._shelf.uses(other.sha256):
                if (use.purpose, use.subject) != (UsePurpose.PAYMENT, subject) or other != vault:
                    raise ConflictError(
                        f"The rows of {vault.name} are not fresh: they served as {other.name} for a {use.purpose}, so "
                        "that a gain on them may have been aimed at",
                        where=vault.sha256,
                        hint="Settle on a vault of rows that nobody has had any answer from.",
                    )

    def _near(self, ref: str) -> str:
        names = sorted({one.name for one in self._shelf.find()})
        near = difflib.get_close_matches(ref, names, n=1)
        if near:
            return f"Did you mean {near[0]!r}?"
        return f"There are: {', '.join(names[:10])}." if names else "Add one with: hokusai benchmark add FILE"


def _first(benchmark: Benchmark, baseline_losses: npt.ArrayLike | None) -> Ladder:
    """The state before the first submission."""
    from hokusai.stats.ladder import Ladder

    if baseline_losses is None:
        raise InvalidInputError(
            "Nobody has submitted to this benchmark before, so there is nothing to be better than",
            where="baseline_losses",
            hint="Give the losses of the model to begin with.",
        )
    ladder = Ladder.start(baseline_losses)
    if len(ladder.losses) != benchmark.n_rows:
        raise InvalidInputError(
            f"The benchmark has {benchmark.n_rows} rows, and there are losses of {len(ladder.losses)}",
            where=benchmark.name,
        )
    return ladder


def _require_vault(vault: Benchmark) -> None:
    if vault.split != VAULT:
        raise InvalidInputError(
            f"{vault.name} is no vault: its split is {vault.split!r}",
            where=vault.sha256,
            hint=f"Pay on a benchmark that was added with --split {VAULT}, and that nobody has had an answer from.",
        )


def _require_on(vault: Benchmark, comparison: Comparison) -> None:
    if (comparison.task, comparison.n_rows) != (vault.task, vault.n_rows):
        raise InvalidInputError(
            f"The comparison is one of {comparison.task.value} on {comparison.n_rows} rows, and the vault is for "
            f"{vault.task.value} and has {vault.n_rows}",
            where=vault.name,
        )
    if (comparison.n_units is None) != (vault.unit_column is None):
        raise InvalidInputError(
            f"The vault's column of units is {vault.unit_column}, and the comparison's errors are between "
            f"{'rows' if comparison.n_units is None else 'units'}",
            where=vault.name,
            hint="Compare the models with the units that the vault's record names.",
        )
    equal = {delta.metric.name: Fraction(1, len(comparison.deltas)) for delta in comparison.deltas}
    if dict(comparison.weights) != dict(vault.weights or equal):
        raise InvalidInputError(
            "The comparison weighs the metrics otherwise than the vault says", where=vault.name
        )
