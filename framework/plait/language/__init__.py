"""The language of pipelines: a spec's text to every problem with its place, or to the frozen `Spec`. Plans and runs start from that `Spec`."""
