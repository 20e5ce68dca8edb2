"""The checks over drafts."""
