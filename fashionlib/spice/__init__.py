"""SPICE without Java."""
