"""Whether one model can take another's place without its callers noticing: the rules for signatures.

A signature is MLflow's, as a dict: columns or tensors for `inputs` and `outputs`, as JSON text or as lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What MLflow converts by itself, because nothing is lost.
_WIDER = {("integer", "long"), ("integer", "double"), ("integer", "float"), ("float", "double")}


@dataclass(frozen=True, slots=True)
class SignatureCheck:
    """Whether callers of one model can call another.

    Attributes:
        compatible: None where a signature is not known.
        reasons: What breaks callers, or what is not known.
        extended: Whether the new model takes or gives more than the old one.
    """

    compatible: bool | None
    reasons: tuple[str, ...] = ()
    extended: bool = False


def check_signatures(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> SignatureCheck:
    """Whether whoever calls `old` can call `new`: it needs no more, and gives no less.

    A new model may need fewer columns (MLflow ignores those that are not needed), may take optional ones, and may
    take a wider type, such as double for integer.

    >>> column = {"name": "age", "type": "integer", "required": True}
    >>> wider, other = column | {"type": "double"}, column | {"type": "string"}
    >>> check_signatures({"inputs": [column]}, {"inputs": [wider]}).compatible
    True
    >>> check_signatures({"inputs": [column]}, {"inputs": [other]}).reasons
    ("input 'age' was integer, and is string",)
    """
    if not old or not new:
        which = "neither version has" if not old and not new else f"the {'new' if old else 'old'} one has not"
        return SignatureCheck(None, (f"{which} a signature",))
    before, after = _fields(old, "inputs"), _fields(new, "inputs")
    gave, gives = _fields(old, "outputs"), _fields(new, "outputs")
    if before is None or after is None or gave is None or gives is None:
        return SignatureCheck(None, ("a signature cannot be read",))
    # A signature that names no outputs does not say that there are none.
    reasons = (*_input_faults(before, after), *(_output_faults(gave, gives) if gives else ()))
    return SignatureCheck(not reasons, reasons, len(after) > len(before) or len(gives) > len(gave))


def _input_faults(old: Mapping[str, _Field], new: Mapping[str, _Field]) -> Iterator[str]:
    for name, field in new.items():
        if name not in old:
            if field.required:
                yield f"input {name} is needed, and was not"
        elif not old[name].fits(field):
            yield f"input {name} was {old[name]}, and is {field}"
        elif field.required and not old[name].required:
            yield f"input {name} was optional, and is needed"


def _output_faults(old: Mapping[str, _Field], new: Mapping[str, _Field]) -> Iterator[str]:
    for name, field in old.items():
        if name not in new:
            yield f"output {name} is gone"
        elif (new[name].kind, new[name].shape) != (field.kind, field.shape):
            yield f"output {name} was {field}, and is {new[name]}"


@dataclass(frozen=True, slots=True)
class _Field:
    """One column or tensor."""

    kind: str
    required: bool = True
    shape: tuple[int, ...] | None = None

    def __str__(self) -> str:
        return self.kind if self.shape is None else f"{self.kind} {list(self.shape)}"

    def fits(self, into: _Field) -> bool:
        """Whether a value of this kind can be given where `into` is wanted."""
        if self.kind != into.kind and (self.kind, into.kind) not in _WIDER:
            return False
        if self.shape is None or into.shape is None:
            return self.shape == into.shape
        return len(self.shape) == len(into.shape) and all(
            want in (-1, have) for have, want in zip(self.shape, into.shape, strict=True)
        )


def _fields(signature: Mapping[str, Any], part: str) -> dict[str, _Field] | None:
    """Name, or place where there is no name, to field; None if it cannot be read."""
    told = signature.get(part)
    if not told:
        return {}
    try:
        specs = json.loads(told) if isinstance(told, str) else told
        if not isinstance(specs, Sequence):
            return None
        return {
            repr(spec["name"]) if spec.get("name") is not None else str(place): _field(spec)
            for place, spec in enumerate(specs, start=1)
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _field(spec: Mapping[str, Any]) -> _Field:
    required = bool(spec.get("required", not spec.get("optional", False)))
    if spec["type"] != "tensor":
        inner = {
            key: value for key, value in spec.items() if key not in ("name", "type", "required", "optional")
        }
        kind = str(spec["type"])
        return _Field(f"{kind} of {json.dumps(inner, sort_keys=True)}" if inner else kind, required)
    tensor = spec["tensor-spec"]
    shape = tuple(int(size) for size in tensor["shape"])
    return _Field(f"tensor of {tensor['dtype']}", required, shape)
