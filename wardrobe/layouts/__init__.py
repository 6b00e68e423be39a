"""The wardrobe written in the layouts of real datasets: each module has write(root,
truth, seed, ...).
"""
