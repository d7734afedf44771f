"""The verb `compare`: whether two sets can be compared, what is held equal, and which is better on which axis."""
