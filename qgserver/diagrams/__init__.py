"""Diagrams of features: one file per kind."""
