"""The same job as other programs do it, each whole in a file that a reader can open."""
