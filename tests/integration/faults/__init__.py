"""Every known fault has its verdict."""
