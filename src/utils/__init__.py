"""Faces of `hokusai.utils` under their established import path."""
