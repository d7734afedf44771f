"""Filters: each says which records may stay, one file each; the file is the registration."""
