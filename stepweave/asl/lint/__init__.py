"""The linter: what Step Functions would reject in a state machine definition, found before anything is deployed."""

from stepweave.asl.lint.definition import lint

__all__ = ("lint",)
