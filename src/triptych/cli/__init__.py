"""The command line: one command is one call of `triptych.api` plus printing."""

from triptych.cli.app import main

__all__ = ["main"]
