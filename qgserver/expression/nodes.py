"""The expression tree."""

from __future__ import annotations


class Node:
    """A node of the tree."""
