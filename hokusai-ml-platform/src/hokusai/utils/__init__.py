"""The base that everything stands on: settings, logging, metric names, whole-or-absent files."""
