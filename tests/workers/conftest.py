"""The dev server of the workflow tests serves here too."""

from tests.workflows.conftest import dev_server

__all__ = ["dev_server"]
