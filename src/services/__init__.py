"""Faces of the platform's services, for the import paths that the documentation names."""
