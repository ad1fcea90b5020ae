"""The fixtures of the real servers, for every test of the repository."""

pytest_plugins = ["hokusai.stack.pytest_plugin"]
