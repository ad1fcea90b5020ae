"""`python -m hokusai.cli` is the command `hokusai`."""

from hokusai.cli import main

main()
