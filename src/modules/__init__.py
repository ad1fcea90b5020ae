"""Steps of the pipeline under their older import paths."""
