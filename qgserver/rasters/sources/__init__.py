"""Raster sources, one file a provider."""
