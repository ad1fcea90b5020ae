"""Where files that stand in an address of another machine come from, for whoever reads data and names no adapter."""

from __future__ import annotations

from hokusai.ports import RemoteFiles
from hokusai.utils.default import Default

default_remote_files = Default[[], RemoteFiles](
    "A file on another machine is named, and nothing is there to fetch it",
    "Import hokusai.wiring, which plugs in what the settings choose, or copy the file here.",
)
provide_remote_files = default_remote_files.provide
