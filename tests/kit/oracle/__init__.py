"""What the main job must give, by an oracle that shares no code with plait, and how a lake is read for it."""
