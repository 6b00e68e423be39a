"""Give the pages what they need: runs, results, printed numbers, figures."""
