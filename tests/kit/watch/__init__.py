"""What watches every test: canaries, the folders that it may touch, and what it has to say at the end."""
