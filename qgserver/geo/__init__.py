"""Coordinates: reference systems, transforms, extents, WKB, simplification, clipping. Arrays in, arrays out."""
