"""The pipeline as a Metaflow flow: the flow itself, and how its steps are started and watched."""
