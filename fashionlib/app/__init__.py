"""The search engine and the captioners in a browser, for a reader's own photo.

`pages.create` gives a Gradio page: it shows inline in Colab and Jupyter, and a class
can open it by a share link. It is served on this machine alone unless a share link is
asked for, and asks no other host for anything. What computes (`photo`, `answers`) is
plain functions; `pages` lays the page out and imports gradio.
"""
