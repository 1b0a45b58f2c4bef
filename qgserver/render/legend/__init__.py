"""Legends: (project, request, open sources) -> nodes -> a picture, or nodes with icons."""
