"""Stand-ins for AWS and MySQL, what is put there, and what they counted."""
