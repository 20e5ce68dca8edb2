"""What passes between plait and its stand-ins, counted, named and broken on purpose."""
