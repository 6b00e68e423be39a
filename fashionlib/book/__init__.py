"""What the pages need: runs and their results, execution, printed numbers, figures, the
gallery.
"""
