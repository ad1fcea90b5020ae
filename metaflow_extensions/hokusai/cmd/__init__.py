"""Adds `run` and `resume` to the command `metaflow`."""

CMDS_DESC = [("run", ".run_cmd.run"), ("resume", ".run_cmd.resume")]
