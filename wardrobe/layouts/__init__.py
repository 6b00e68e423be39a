"""Writers of the real datasets' layouts; each module has write(root, truth, seed)."""
