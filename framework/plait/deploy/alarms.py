"""The alarm of each look-up in a stack, by CloudWatch's metric math over the sums of an hour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plait.engine.absence import FEWEST

if TYPE_CHECKING:
    from plait.language.spec import Spec

HOUR = 3600
METRICS = {"asked": "KeysAsked", "matched": "KeysMatched", "lines": "LinesRead", "unread": "LinesUnread"}
FRUITLESS = f"IF((asked >= {FEWEST} AND matched == 0) OR (lines >= {FEWEST} AND unread == lines), 1, 0)"


def lookup_alarms(spec: Spec) -> dict[str, Any]:
    """The resources by name: the alarms of look-ups that have none of many keys, or no record in many lines."""
    return {
        f"Lookup{number}Alarm": _alarm(spec.name, lookup.name)
        for number, lookup in enumerate(spec.lookups, 1)
    }


def _alarm(pipeline: str, lookup: str) -> dict[str, Any]:
    dimensions = [{"Name": "Pipeline", "Value": pipeline}, {"Name": "Lookup", "Value": lookup}]
    sums = [
        {
            "Id": id,
            "MetricStat": {
                "Metric": {"Namespace": "plait", "MetricName": metric, "Dimensions": dimensions},
                "Period": HOUR,
                "Stat": "Sum",
            },
            "ReturnData": False,
        }
        for id, metric in METRICS.items()
    ]
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": f"The look-up {lookup} had none of the keys of an hour, or none of its lines was a record.",
            "Metrics": [{"Id": "fruitless", "Expression": FRUITLESS, "ReturnData": True}, *sums],
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": {"Fn::If": ["Alarmed", [{"Ref": "AlarmTopic"}], {"Ref": "AWS::NoValue"}]},
        },
    }
