#!/usr/bin/env bash
# Makes .venv and installs Hokusai into it. Run it as often as you like: it does only what is missing.
#
#   ./setup.sh        everything that developing and testing needs
#   ./setup.sh run    only what running the pipeline needs (what `make demo` uses)
#
# Needs Python 3.11 or newer, nothing else. PYTHON=/path/to/python ./setup.sh picks the interpreter.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

set_name="${1:-dev}"
case "$set_name" in
  run) lock=requirements.txt ;;
  dev) lock=requirements-dev.txt ;;
  *) echo "setup.sh: '$set_name' is not a set of packages. Use: ./setup.sh [run|dev]" >&2; exit 2 ;;
esac

python="${PYTHON:-}"
if [ -z "$python" ]; then
  for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python="$candidate"; break; fi
  done
fi
if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "setup.sh: Python 3.11 or newer is needed. Install it, or name one: PYTHON=/path/to/python ./setup.sh" >&2
  exit 1
fi

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  rm -rf .venv
  "$python" -m venv .venv || {
    rm -rf .venv
    echo "setup.sh: $python cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 1
  }
fi

# One stamp per set: the hash of all that decides what gets installed. What `run` installs is a part of `dev`.
want="$(cat requirements*.txt hokusai-ml-platform/pyproject.toml setup.sh | .venv/bin/python -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read() + sys.argv[1].encode()).hexdigest())' "$PWD")"
for stamp in ".venv/.installed-$set_name" .venv/.installed-dev; do
  if [ "$(cat "$stamp" 2>/dev/null || true)" = "$want" ]; then exit 0; fi
done

echo "Setting up .venv ($set_name) ..."
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
export UV_LINK_MODE="${UV_LINK_MODE:-copy}"
.venv/bin/python -m uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock"
.venv/bin/python -m uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e hokusai-ml-platform
# The repository root on the path: `python -m src…`, and the extension behind `python -m metaflow run …`.
.venv/bin/python -c 'import pathlib, sysconfig, sys; pathlib.Path(sysconfig.get_path("purelib"), "hokusai_repository.pth").write_text(sys.argv[1] + "\n")' "$PWD"
# Bytecode has to exist, or each of a run's processes would compile everything again. What a run imports is compiled by
# importing it, on two cores; all that is installed would take four times as long.
for modules in "mlflow, mlflow.store.tracking.sqlalchemy_store" \
  "sklearn.linear_model, sklearn.compose, sklearn.feature_extraction.text, sklearn.datasets, sklearn.model_selection, skops.io, metaflow.cli, polars, structlog, jinja2, rich.progress, rich.table"; do
  env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -W ignore -c "import $modules" &
done
if [ "$set_name" = dev ]; then # machine code too, so that no test waits for it
  .venv/bin/python -W ignore -m tests.warm_loops &
fi
wait
.venv/bin/python -m compileall -q hokusai-ml-platform/src src metaflow_extensions
echo "$want" > ".venv/.installed-$set_name"
echo "Done. Activate it with: source .venv/bin/activate"
