"""The language of pipelines: from the text of a spec to all of its problems, each with its place, or to a frozen `Spec`.

Plans, runs, deployment, test cases and commands start from that `Spec`; the parts in `build` and `checks` are its own.
"""
