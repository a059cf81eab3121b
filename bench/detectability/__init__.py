"""What templates can see, drawn, and held against leaks of a truth that shares no closure with the model."""
