"""Makes `python -m metaflow` work, as the specification's command lines have it.

Metaflow ships no `__main__`. One more folder on the package's path gives it one, without touching its files.
"""

import os
import sys

_shim = os.path.join(os.path.dirname(os.path.abspath(__file__)), "main_shim")  # noqa: PTH100, PTH118, PTH120 - runs in every `import metaflow`
_metaflow = sys.modules.get("metaflow")
if _metaflow is not None and _shim not in _metaflow.__path__:
    _metaflow.__path__.append(_shim)
del os, sys, _metaflow, _shim
