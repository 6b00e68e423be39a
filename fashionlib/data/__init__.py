"""Tables of items and interactions, pictures, and readers of the datasets' layouts."""
