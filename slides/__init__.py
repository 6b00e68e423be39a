"""Slides for a class: a deck of each chapter, from what a run has executed.

A package beside the library: it imports fashionlib, which never imports it.
`fashionlib slides` is its `command`, which pyproject.toml registers. reveal.js lies in
`static/reveal`, with its licence.
"""
