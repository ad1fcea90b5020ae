"""What `python -m metaflow` runs: the same as the console script `metaflow`."""

from metaflow.cmd.main_cli import start

start(prog_name="python -m metaflow")
