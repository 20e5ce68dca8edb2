"""From a valid spec to what runs it on AWS: the IAM policy, the CloudFormation stack and the zip of the function.

Only `plait.cli` calls it. It runs on a developer's machine, calls no AWS service, and is left out of the package.
"""
