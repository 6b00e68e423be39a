"""Captioners, their training, and the scores of what they write."""
