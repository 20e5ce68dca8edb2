"""The engine behind an event. AWS Lambda calls `plait.aws_lambda.handler`; nothing else of plait imports this."""

from plait.aws_lambda.function import handler

__all__ = ["handler"]
