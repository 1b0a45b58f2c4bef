"""Diagrams of features: one file per kind, placed like labels."""

from qgserver.diagrams import histogram, pie, stackedbar, textdiagram

__all__ = ["histogram", "pie", "stackedbar", "textdiagram"]
