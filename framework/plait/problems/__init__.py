"""What is wrong, where, and what to do about it, and how that is shown. Every other folder may use it; it uses none."""
