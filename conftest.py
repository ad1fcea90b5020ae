"""The fixtures of the real servers, for every test of the repository, and how property tests draw their examples."""

from hypothesis import settings

pytest_plugins = ["hokusai.stack.pytest_plugin"]

# Every run draws the same examples, so that a change and nothing else turns a test red; a busy machine is no failure.
settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=40)
settings.load_profile("repeatable")
