"""Neighbours of vectors: exact below some tens of thousands, approximate above, by faiss."""
