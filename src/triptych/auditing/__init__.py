"""Audits of scorers: what a score column can tell apart before it is trusted."""
