"""What the tests put between plait and the stand-ins for AWS and MySQL."""
