"""Readers of the datasets' layouts; each returns the items table of
`fashionlib.data.items`.
"""
