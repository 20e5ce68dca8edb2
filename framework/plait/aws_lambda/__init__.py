"""The engine as a Lambda function: which objects an event names, a run within the function's time, and the answer.

AWS Lambda calls `plait.aws_lambda.handler`; of plait only `plait run --event` imports more, to read an event.
"""

from plait.aws_lambda.function import handler

__all__ = ["handler"]
