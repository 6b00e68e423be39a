"""Read the datasets' layouts, each into the items table of `fashionlib.data.items`."""
