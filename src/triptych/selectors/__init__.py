"""Policies that take records under a budget. One file each; the folder is scanned."""
