"""Trace: what moved the scores of finished runs, from any table of runs and from result files of evaluation tools."""
