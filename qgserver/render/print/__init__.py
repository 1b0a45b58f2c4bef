"""Print layouts as pictures."""
