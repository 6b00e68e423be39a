"""Answer each chapter's question in a sentence or two, from its saved result.

A module a part of the book, a function a result, with the result's name: it takes the
values as they were saved and returns at most 60 words, one finding and its numbers. The
kept H&M sample and this run go through the same function.
"""

from fashionlib.book.answers import captioning, data, recommending, retrieval, start
from fashionlib.book.answers.box import show

__all__ = ["captioning", "data", "recommending", "retrieval", "show", "start"]
