"""How the needs in `hokusai.ports` are met. Only `hokusai.wiring` names these modules."""
