"""An epoch settled on attestations: from its first model to its last, with everybody who was accepted on the way.

What is believed here was verified before: the claims are read from attestations whose signatures hold. What is checked
here is that they belong together. The accepted improvements are a chain from the epoch's first model to its last, so
that nobody is paid for an improvement of another epoch, and none is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from hokusai.core.benchmarks import Benchmarks, EpochPayment
from hokusai.domain.benchmark import Benchmark
from hokusai.domain.claim import DeltaOneClaim
from hokusai.errors import InvalidInputError
from hokusai.stats.settlement import Accepted


def settle_epoch(
    benchmarks: Benchmarks,
    ref: str,
    epoch: DeltaOneClaim,
    accepted: Sequence[DeltaOneClaim],
    *,
    submitter: str = "",
) -> EpochPayment:
    """Settle an epoch by what attestations say; the vault is spent by that.

    Args:
        benchmarks: Where the vault is.
        ref: The vault, as `Benchmarks.get` takes it.
        epoch: The epoch's last model against its first, measured on the vault.
        accepted: The improvements that were accepted in it, in any order.
        submitter: Who settles it.

    Raises:
        InvalidInputError: A claim is not on what it should be, was not accepted, or does not belong to this epoch.
        ConflictError: The vault was opened before.
    """
    vault = benchmarks.get(ref)
    _require_measured_on(vault, epoch)
    return benchmarks.settle(
        vault.sha256,
        epoch.comparison,
        first_model_sha256=epoch.baseline_model_sha256,
        last_model_sha256=epoch.new_model_sha256,
        accepted=[_credited(vault, claim) for claim in _chain(epoch, accepted)],
        submitter=submitter,
    )


def _require_measured_on(vault: Benchmark, epoch: DeltaOneClaim) -> None:
    if epoch.benchmark_sha256 != vault.data_sha256 or epoch.target_column != vault.target_column:
        raise InvalidInputError(
            f"The epoch was measured on {epoch.benchmark_sha256[:12]}… ({epoch.target_column}), and the vault is "
            f"{vault.data_sha256[:12]}… ({vault.target_column})",
            where=vault.name,
        )
    if epoch.dry_run:
        raise InvalidInputError("A rehearsal is not paid for", where=vault.name)


def _chain(epoch: DeltaOneClaim, accepted: Sequence[DeltaOneClaim]) -> list[DeltaOneClaim]:
    """The accepted improvements in order, each beginning with the model that the one before ended with."""
    by_baseline = {claim.baseline_model_sha256: claim for claim in accepted}
    chain: list[DeltaOneClaim] = []
    model = epoch.baseline_model_sha256
    while model != epoch.new_model_sha256 and model in by_baseline:
        claim = by_baseline.pop(model)
        chain.append(claim)
        model = claim.new_model_sha256
    if model != epoch.new_model_sha256 or len(chain) != len(accepted):
        raise InvalidInputError(
            f"The {len(accepted)} accepted improvements are no chain from {epoch.baseline_model_sha256[:12]}… to "
            f"{epoch.new_model_sha256[:12]}…: it ends with {model[:12]}… after {len(chain)}",
            hint="Name every improvement of this epoch, and none of another.",
        )
    return chain


def _credited(vault: Benchmark, claim: DeltaOneClaim) -> Accepted:
    model = f"{claim.new_model_sha256[:12]}…"
    if claim.decision is None or not claim.decision.accepted or claim.dry_run:
        raise InvalidInputError("The improvement was not accepted, so it is not paid for", where=model)
    if claim.benchmark_sha256 == vault.data_sha256:
        raise InvalidInputError("The improvement was accepted on the vault itself", where=model)
    if claim.attribution is None:
        raise InvalidInputError("The improvement does not say who is credited with it", where=model)
    own = claim.comparison.delta_one - max(claim.attribution.without or 0.0, 0.0)
    return Accepted(own, claim.attribution)
