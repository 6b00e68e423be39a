"""SPICE-py: SPICE (Anderson et al. 2016) exactly, but on a spaCy parse.

SPICE compares captions by what they say: objects, their attributes and relations,
merged and matched by word or WordNet synset. Its official jar parses with Stanford's
CoreNLP; here spaCy does, so that the numbers are no published SPICE's and always carry
this name. `fashionlib.captioning.metrics.spice.official` runs the jar where its models
and a fitting Java are.
"""

from fashionlib.captioning.metrics.spice.graph import CATEGORIES
from fashionlib.captioning.metrics.spice.parsed import NAME, score, score_many
from fashionlib.captioning.metrics.spice.scores import Spice

__all__ = ["CATEGORIES", "NAME", "Spice", "score", "score_many"]
