"""The registry: models with their versions, files, tokens and ancestry.

    registry = ModelRegistry()                                    # one folder, ./.hokusai; or what the settings say
    model_id = registry.register_model(model, "lead-scorer", "1.0.0", metrics={"accuracy": 0.92})
    registry.load_model(model_id).predict(rows)

Two engineers never both own `lead-scorer/1.0.0`: files are stored first, then one row with all facts, and the lowest
row that carries a version owns it. Nothing is half registered, whenever a process dies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from hokusai.core import tokenized
from hokusai.core.catalog import Catalog
from hokusai.core.provided import default_backends
from hokusai.core.registration import Claim, FactsGiven, Registrar, Registration, parsed_contributor
from hokusai.core.stage_log import StageLog
from hokusai.domain import tokens
from hokusai.domain.audit import Happening
from hokusai.domain.lineage import Lineage
from hokusai.domain.records import (
    PARENT,
    ModelRecord,
    check_actor,
    check_metrics,
    check_reason,
    check_tags,
    check_text,
)
from hokusai.domain.stages import Move, Stage, StageEvent
from hokusai.domain.tokens import TokenBenchmark
from hokusai.domain.versions import SemanticVersion, check_model_name
from hokusai.errors import BackendUnavailableError, ConflictError, InvalidInputError, UntrustedModelError
from hokusai.ports import Ledger, ModelStore, Page
from hokusai.utils.twins import async_twin

if TYPE_CHECKING:
    from hokusai.core.models import HokusaiModel


class ModelRegistry:
    """Models, their versions, files, tokens and ancestry. Safe to share between threads and processes.

    Args:
        tracking_uri: An MLflow server or database; by default what the settings say.
        store: Where models are, instead.
        ledger: Where the audit trail and the index are.
        actor: Who is working, for the audit trail; by default the user of this machine.
        poll_seconds: Within this time, what others wrote into MLflow without Hokusai is seen.

    Raises:
        ConfigurationError: A setting cannot be used.
        BackendUnavailableError: A server cannot be reached.
    """

    def __init__(
        self,
        tracking_uri: str | None = None,
        *,
        store: ModelStore | None = None,
        ledger: Ledger | None = None,
        actor: str | None = None,
        poll_seconds: float = 5.0,
    ) -> None:
        if store is None or ledger is None:
            found = default_backends(tracking_uri)
            store, ledger, actor = store or found.store, ledger or found.ledger, actor or found.actor
        self.store, self.ledger, self.actor = store, ledger, check_actor(actor or "unknown")
        self.stages = StageLog(store)
        self.catalog = Catalog(store, ledger, self.stages, poll_seconds=poll_seconds)
        self._registrar = Registrar(store, ledger, self.catalog, self.stages, self.actor, self.note)

    # Registering

    def register(
        self,
        model: object,
        name: str,
        version: str | None = None,
        *,
        metrics: Mapping[str, float] | None = None,
        parent: str | None = None,
        contributor: str | None = None,
        contribution: Mapping[str, Any] | None = None,
        delta: Mapping[str, float] | None = None,
        is_baseline: bool = False,
        token: TokenBenchmark | None = None,
        model_type: str | None = None,
        params: Mapping[str, Any] | None = None,
        signature: object = None,
        input_example: object = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Mapping[str, Any] | None = None,
        description: str = "",
        run_id: str | None = None,
    ) -> Registration:
        """Store a model and register it as `name/version`.

        The same content under the same version again changes nothing, and `created` says so.

        Args:
            model: Any model that `hokusai.core.models` knows: scikit-learn, XGBoost, LightGBM, PyTorch, Keras, ONNX,
                DSPy, a callable, or a `HokusaiModel`.
            name: The model's name.
            version: A semantic version; by default 1.0.0, later the next minor one.
            metrics: Name to finite number.
            parent: Reference to the version that this one improves.
            contributor: Wallet address of whoever gave the data; anything else is recorded as an opaque id.
            contribution: What was contributed, JSON values.
            delta: Change of each metric against the parent; by default taken from both versions' metrics.
            is_baseline: Whether improvements are measured from here.
            token: The token that the model belongs to.
            model_type: What to call its type; by default the class.
            params: Hyper-parameters; by default those that the model tells.
            signature: MLflow's signature, if it cannot be found from the model or the example.
            input_example: A few rows of input, from which the signature is inferred.
            metadata: Anything else, JSON values.
            tags: Tags of your own.
            description: Text for people.
            run_id: The MLflow run that made it.

        Raises:
            InvalidInputError: Something given cannot be used; the text says what and why.
            NotFoundError: There is no such parent.
            ConflictError: Another content, or other facts, are registered under this version.
            BackendUnavailableError: A store failed; the text says whether the version is registered.
        """
        from hokusai.core.models.packing import pack

        check_model_name(name)
        wanted = None if version is None else SemanticVersion.parse(version)
        ancestor = None if parent is None else self._usable_parent(parent)
        measured, wallet = check_metrics(metrics or {}), parsed_contributor(contributor)
        free, change = check_tags(tags or {}), check_metrics(delta or {})
        _check_given(token, description=description, run_id=run_id, model_type=model_type)
        packed = pack(
            model, signature=signature, input_example=input_example, params=params, model_type=model_type
        )
        return self._registrar.register(
            Claim(
                name=name,
                version=wanted,
                files=packed.files,
                stored=packed.stored,
                metrics=measured,
                is_baseline=is_baseline,
                parent=ancestor,
                contributor=wallet,
                contribution=contribution or {},
                delta=change,
                token=token,
                metadata=metadata or {},
                tags=free,
                description=description,
                run_id=run_id,
            )
        )

    def register_model(
        self,
        model: object,
        name: str,
        version: str | None = None,
        metrics: Mapping[str, float] | None = None,
        **facts: Unpack[FactsGiven],
    ) -> str:
        """Register a model; see `register` for all that can be given.

        Returns:
            Its id, `name/version`.
        """
        return self.register(model, name, version, metrics=metrics, **facts).model_id

    def register_baseline(
        self,
        model: object,
        name: str | None = None,
        version: str | None = None,
        metrics: Mapping[str, float] | None = None,
        *,
        model_type: str | None = None,
        **facts: Unpack[FactsGiven],
    ) -> str:
        """Register the model that improvements are measured from; see `register`.

        Args:
            model: The model.
            name: Its name; by default `hokusai_<model_type>_baseline`.
            version: By default the next one.
            metrics: Name to finite number.
            model_type: What to call its type.
            facts: As `register` takes them.

        Returns:
            Its id, `name/version`.
        """
        if name is None:
            kind = model_type or type(model).__name__
            name = f"hokusai_{kind}_baseline"
        return self.register(
            model, name, version, metrics=metrics, model_type=model_type, is_baseline=True, **facts
        ).model_id

    def register_improved_model(
        self,
        model: object = None,
        name: str | None = None,
        version: str | None = None,
        baseline_id: str | None = None,
        metrics: Mapping[str, float] | None = None,
        contributor: str | None = None,
        *,
        improved_model: object = None,
        baseline_model_id: str | None = None,
        contributor_address: str | None = None,
        data_contribution: Mapping[str, Any] | None = None,
        delta_metrics: Mapping[str, float] | None = None,
        **facts: Unpack[FactsGiven],
    ) -> str:
        """Register a model that contributed data made better than its baseline.

        Args:
            model: The improved model. `improved_model` is its older name.
            name: By default the baseline's.
            version: By default the next one.
            baseline_id: Reference to the version that it improves. `baseline_model_id` is its older name.
            metrics: Name to finite number.
            contributor: Wallet address. `contributor_address` is its older name.
            improved_model: See `model`.
            baseline_model_id: See `baseline_id`.
            contributor_address: See `contributor`.
            data_contribution: What was contributed, JSON values.
            delta_metrics: Change of each metric against the baseline; by default from both versions' metrics.
            facts: As `register` takes them.

        Returns:
            Its id, `name/version`.
        """
        model = _one_of(model=model, improved_model=improved_model)
        baseline = _one_of(baseline_id=baseline_id, baseline_model_id=baseline_model_id)
        contributor = _one_of(
            required=False, contributor=contributor, contributor_address=contributor_address
        )
        return self.register(
            model,
            name or self._usable_parent(baseline).name,
            version,
            metrics=metrics,
            parent=baseline,
            contributor=contributor,
            contribution=data_contribution,
            delta=delta_metrics,
            **facts,
        ).model_id

    def register_from_uri(
        self,
        model_uri: str,
        name: str,
        version: str | None = None,
        *,
        metrics: Mapping[str, float] | None = None,
        parent: str | None = None,
        contributor: str | None = None,
        is_baseline: bool = False,
        token: TokenBenchmark | None = None,
        tags: Mapping[str, Any] | None = None,
        description: str = "",
    ) -> Registration:
        """Register a model that MLflow stored, byte for byte. It is not loaded, and nobody vouches for it here.

        Args:
            model_uri: `runs:/id/path`, `models:/…`, a folder or an `s3://` URI.
            name, version, metrics, parent, contributor, is_baseline, token, tags, description: As for `register`.

        Raises:
            InvalidInputError: Something given cannot be used.
            NotFoundError: Nothing is stored at `model_uri`.
            ConflictError: Another content, or other facts, are registered under this version.
        """
        check_model_name(name)
        wanted = None if version is None else SemanticVersion.parse(version)
        ancestor = None if parent is None else self._usable_parent(parent)
        measured, wallet = check_metrics(metrics or {}), parsed_contributor(contributor)
        free = check_tags(tags or {})
        _check_given(token, description=description)
        with tempfile.TemporaryDirectory(prefix="hokusai-model-") as folder:
            files, stored = tokenized.fetched(self.store, model_uri, Path(folder))
            return self._registrar.register(
                Claim(
                    name=name,
                    version=wanted,
                    files=files,
                    stored=stored,
                    vouched=False,
                    metrics=measured,
                    is_baseline=is_baseline,
                    parent=ancestor,
                    contributor=wallet,
                    token=token,
                    metadata={"model_uri": model_uri},
                    tags=free,
                    description=description,
                    run_id=tokenized.run_of(model_uri),
                )
            )

    # Finding

    def get_model(self, reference: str, version: str | int | None = None) -> ModelRecord:
        """What is known of a version; `load_model` gives the model itself.

        Args:
            reference: `name/1.2.0`, `name/3` (MLflow's number), `name@production`, `name` (the latest release), or
                MLflow's `models:/…`.
            version: The version, where `reference` is a bare name.

        Raises:
            NotFoundError: There is no such version; the text suggests what may be meant.
        """
        return self.catalog.get(reference, version)

    def find(self, reference: str, version: str | int | None = None) -> ModelRecord | None:
        """As `get_model`, but None where there is no such version."""
        return self.catalog.find(reference, version)

    def list_models(
        self,
        name: str | None = None,
        *,
        token_id: str | None = None,
        contributor: str | None = None,
        parent: str | None = None,
        model_type: str | None = None,
        sha256: str | None = None,
        stage: str | None = None,
        tags: Mapping[str, str] | None = None,
        include_deleted: bool = False,
        limit: int = 100,
        after: str | None = None,
    ) -> list[ModelRecord]:
        """One page of versions, newest first; all that is given must hold.

        Args:
            name, token_id, contributor, parent, model_type, sha256: Exact values.
            stage: Only versions that are in this stage; these are listed by name, and not in pages.
            tags: Tags that they carry.
            include_deleted: Whether deleted ones are listed too.
            limit: At most so many, 1 to 10,000.
            after: Id of the last one on the page before.
        """
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 10_000:
            raise InvalidInputError(f"limit is {limit!r}, and 1 to 10000 was expected", where="limit")
        _check_given(
            None,
            name=name,
            token_id=token_id,
            contributor=contributor,
            parent=parent,
            model_type=model_type,
            sha256=sha256,
        )
        if not isinstance(tags or {}, Mapping):
            raise InvalidInputError(f"Tags are {type(tags).__name__}, and a dict was expected", where="tags")
        last = None if after is None else self.get_model(after)
        wanted = Page(
            name=name,
            token_id=token_id,
            contributor=contributor,
            parent_id=parent,
            model_type=model_type,
            sha256=sha256,
            tags=tags or {},
            include_deleted=include_deleted,
            limit=limit,
            after=None if last is None else (last.created_ms, last.name, last.number),
        )
        if stage is None:
            return self.catalog.page(wanted)
        held = {record.model_id for record in self.catalog.in_stage(Stage.parse(stage))}
        everything = (record for record in self.catalog.all(wanted) if record.model_id in held)
        return sorted(everything, key=lambda record: record.name)[:limit]

    def versions_of(self, name: str, *, include_deleted: bool = False) -> list[ModelRecord]:
        """All versions of a model, the highest first; those without a semantic version last.

        Raises:
            NotFoundError: No model is called so.
        """
        check_model_name(name)
        found = self.catalog.all(Page(name=name, include_deleted=include_deleted, limit=10_000))
        if not found and name not in self.catalog.names():
            raise self.catalog.unknown(name)
        owners: dict[str, ModelRecord] = {}
        for record in sorted(found, key=lambda record: record.number):
            owners.setdefault(record.model_id, record)
        return sorted(
            owners.values(),
            key=lambda record: (record.version.sortable if record.version else "", record.number),
            reverse=True,
        )

    def get_model_lineage(self, reference: str) -> Lineage:
        """Where a version, or a whole model, comes from and what was made of it.

        Args:
            reference: As for `get_model`; a bare name asks for the whole model.

        Raises:
            NotFoundError: There is no such model.
        """
        by_name = isinstance(reference, str) and not any(mark in reference for mark in "/@")
        focus = reference if by_name else self.get_model(reference).model_id
        related = self.catalog.related(reference if by_name else focus.rpartition("/")[0])
        if not related:
            raise self.catalog.unknown(reference)
        boards = list(self.catalog.boards({record.name for record in related}, fresh=False))
        held = {f"{b.name}/{b.current(stage)}": stage for b in boards for stage in Stage if b.current(stage)}
        return Lineage.of(related, focus=focus, stages=held)

    # Loading

    def load_model(
        self, reference: str, version: str | int | None = None, *, trust: bool = False
    ) -> HokusaiModel:
        """The model itself, after its bytes were compared with the digest that was registered.

        Args:
            reference: As for `get_model`.
            version: As for `get_model`.
            trust: Load it even if its format runs its author's code and this registry did not store it.

        Raises:
            IntegrityError: A file is missing, truncated or changed.
            UntrustedModelError: Loading it would run code that nobody here vouches for.
            ConflictError: It is deleted.
        """
        from hokusai.core.models.packing import unpack

        record = self.get_model(reference, version)
        record = self._registrar.confirmed(record) or self.get_model(reference, version)
        if record.deleted is not None:
            raise ConflictError(
                f"{record.model_id} is deleted",
                where=record.model_id,
                hint="Restore it first: registry.restore(id)",
            )
        with tempfile.TemporaryDirectory(prefix="hokusai-model-") as folder:
            self.store.download(record, Path(folder))
            described = tokenized.described(record, Path(folder))
            try:
                return unpack(Path(folder), described, trust=trust or self._registrar.vouches_for(record))
            except UntrustedModelError as problem:
                raise UntrustedModelError(
                    problem.what,
                    where=record.model_id,
                    hint=f"{problem.hint} The audit trail in {self.ledger.location} does not say that these bytes "
                    "were stored by this registry.",
                ) from problem

    # Changing

    def delete(self, reference: str, reason: str = "") -> ModelRecord:
        """Take a version out of use; it keeps its number, files and place in the lineage, and can be restored.

        Raises:
            InvalidInputError: `reference` is a bare name, which could mean any of the model's versions.
            ConflictError: It is in a stage, the parent of another version, or deleted already.
        """
        record = self._one_version(reference)
        self._refuse_parent(record)
        deleted = self._moved(record, Move.DELETE, reason, "model.deleted")
        try:
            self._refuse_parent(record)  # whoever claims a child from now on sees that its parent is deleted
        except ConflictError:
            self._moved(record, Move.RESTORE, "a version was made of it meanwhile", "model.restored")
            raise
        return deleted

    def restore(self, reference: str, reason: str = "") -> ModelRecord:
        """Take a deletion back.

        Raises:
            ConflictError: It is not deleted.
        """
        return self._moved(self._one_version(reference), Move.RESTORE, reason, "model.restored")

    def note(self, happening: Happening, records: Sequence[ModelRecord] = ()) -> None:
        """Write what happened to the audit trail, and rows as they are now into the index.

        Raises:
            BackendUnavailableError: The ledger is away; what happened has happened nevertheless.
        """
        try:
            self.ledger.record([happening], location=self.store.location, records=records)
        except BackendUnavailableError as problem:
            raise BackendUnavailableError(
                f"{happening.subject}: {happening.kind} took effect, but the audit trail could not be written: "
                f"{problem.what}",
                where=problem.where,
                hint="Registering or promoting again writes the entry, and so does later: hokusai doctor --repair",
            ) from problem

    # Tokens

    def register_tokenized_model(
        self,
        model_uri: str,
        model_name: str,
        token_id: str,
        metric_name: str,
        baseline_value: float,
        additional_tags: Mapping[str, Any] | None = None,
        *,
        version: str | None = None,
    ) -> dict[str, Any]:
        """Register a model that was logged to MLflow, for a Hokusai token.

        Args:
            model_uri: `runs:/id/path`, `models:/…`, a folder or an `s3://` URI.
            model_name: The model's name.
            token_id: Lower-case letters, digits and inner hyphens, at most 64.
            metric_name: The benchmark metric, such as `reply_rate`.
            baseline_value: Its value now; finite.
            additional_tags: Tags of your own; the required ones go before them.
            version: A semantic version; by default the next one.

        Returns:
            `model_name`, `version` (MLflow's number, as text), `model_id`, `token_id`, `metric_name`,
            `baseline_value`, `tags`.

        Raises:
            InvalidInputError: Something given cannot be used.
            NotFoundError: Nothing is stored at `model_uri`.
        """
        check_model_name(model_name)
        benchmark = TokenBenchmark(token_id, metric_name, baseline_value)
        free = tokenized.without_required(additional_tags or {})
        done = self.register_from_uri(model_uri, model_name, version, token=benchmark, tags=free)
        return tokenized.told(done.record)

    def get_tokenized_model(self, model_name: str, version: str | int) -> dict[str, Any]:
        """A tokenized model, as `register_tokenized_model` returned it.

        Raises:
            NotFoundError: There is no such version.
            InvalidInputError: It has no token, or its tags are incomplete.
        """
        return tokenized.told(self.get_model(model_name, version))

    def list_models_by_token(self, token_id: str) -> list[dict[str, Any]]:
        """All versions that belong to a token, newest first, whoever registered them.

        Versions whose required tags cannot be used are left out and named in a warning.
        """
        self.validate_token_id(token_id)
        return tokenized.told_all(self.catalog.all(Page(token_id=token_id, limit=10_000)), token_id)

    def update_model_tags(
        self, model_name: str, version: str | int, tags: Mapping[str, Any], *, remove: Sequence[str] = ()
    ) -> ModelRecord:
        """Set tags of a version; those that a token requires are checked as at registration.

        Raises:
            InvalidInputError: A tag is Hokusai's own, or a required one would become unusable.
        """
        record = self.get_model(model_name, version)
        changes = tokenized.tag_changes(record, check_tags(tags), remove)
        changed = self.store.set_tags(record.name, record.number, changes) if changes else record
        told = {"tags": changes or {**check_tags(tags), **dict.fromkeys(remove)}}
        # Where nothing is to be changed, whoever did it may have died before the audit trail was written.
        if changes or (told["tags"] and not self.ledger.has("model.tagged", record.model_id, told)):
            self.note(Happening("model.tagged", record.model_id, self.actor, told), [changed])
        return changed

    def validate_token_id(self, token_id: str) -> str:
        """`token_id`, which must be lower-case letters, digits and inner hyphens, at most 64.

        Raises:
            InvalidInputError: It is not; the text begins with "Invalid token ID".
        """
        return tokens.validate_token_id(token_id)

    # The same for callers that must not wait

    aregister = async_twin(register)
    aregister_model = async_twin(register_model)
    aregister_baseline = async_twin(register_baseline)
    aregister_improved_model = async_twin(register_improved_model)
    aregister_from_uri = async_twin(register_from_uri)
    aget_model = async_twin(get_model)
    afind = async_twin(find)
    alist_models = async_twin(list_models)
    aversions_of = async_twin(versions_of)
    aget_model_lineage = async_twin(get_model_lineage)
    aload_model = async_twin(load_model)
    adelete = async_twin(delete)
    arestore = async_twin(restore)
    aregister_tokenized_model = async_twin(register_tokenized_model)
    aget_tokenized_model = async_twin(get_tokenized_model)
    alist_models_by_token = async_twin(list_models_by_token)
    aupdate_model_tags = async_twin(update_model_tags)

    def __repr__(self) -> str:
        return f"<ModelRegistry {self.store.location}>"

    def _usable_parent(self, reference: str) -> ModelRecord:
        parent = self.get_model(reference)
        if parent.deleted is not None:
            raise ConflictError(
                f"The baseline {parent.model_id} is deleted",
                where=parent.model_id,
                hint="Restore it, or name another.",
            )
        return parent

    def _refuse_parent(self, record: ModelRecord) -> None:
        # A version that got its semantic version later is still known to its children by its number.
        ids = dict.fromkeys([record.model_id, f"{record.name}/{record.number}"])
        rows = [row for id_ in ids for row in self.store.versions(tags={PARENT: id_}) if row.deleted is None]
        if rows:
            names = ", ".join(row.model_id for row in rows[:3])
            raise ConflictError(
                f"{record.model_id} is the parent of {names}{' and others' if rows[3:] else ''}",
                where=record.model_id,
                hint="Delete those first, or deprecate this one.",
            )

    def _one_version(self, reference: str) -> ModelRecord:
        record = self.get_model(reference)
        if reference == record.name:
            raise InvalidInputError(
                f"{reference!r} is a model, and one of its versions has to be named",
                where="model id",
                hint=f"Write name/version, as in {record.model_id}.",
            )
        return record

    def _moved(self, record: ModelRecord, move: Move, reason: str, kind: str) -> ModelRecord:
        key = record.version.key if record.version else str(record.number)
        event = StageEvent(move, key, actor=self.actor, reason=check_reason(reason), row=record.number)
        written = self.stages.move(record.name, lambda _: event) or event
        changed = self.store.version(record.name, record.number)
        told = {"reason": reason, "move": written.number}
        self.note(Happening(kind, record.model_id, self.actor, told), [changed])
        return changed


def _check_given(token: TokenBenchmark | None, **texts: str | None) -> None:
    if token is not None and not isinstance(token, TokenBenchmark):
        raise InvalidInputError(
            f"token is {type(token).__name__}, and a TokenBenchmark was expected",
            where="token",
            hint='Give TokenBenchmark("msg-ai", "reply_rate", 0.1342).',
        )
    for name, text in texts.items():
        if text is not None:
            check_text(text, name)


def _one_of(*, required: bool = True, **given: Any) -> Any:
    """The one value that was given under either of two names."""
    values = {name: value for name, value in given.items() if value is not None}
    if len(values) > 1:
        raise InvalidInputError(
            f"{' and '.join(values)} mean the same; give one of them", where=next(iter(values))
        )
    if not values and required:
        raise InvalidInputError(f"{next(iter(given))} is missing", where=next(iter(given)))
    return next(iter(values.values()), None)
