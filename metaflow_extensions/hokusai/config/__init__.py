"""Gives Metaflow a user name where it would refuse to run.

That is as root and with no USER set, hence in most containers.
"""

import os

from metaflow.metaflow_config_funcs import from_conf

_named = (os.environ.get(variable) for variable in ("SUDO_USER", "USERNAME", "USER"))
USER = from_conf("USER") or next((name for name in _named if name and name != "root"), "hokusai")
