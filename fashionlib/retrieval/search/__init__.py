"""A search engine for items: embedded in advance, asked by picture, words, or both.

The database is LanceDB: it needs no server, a build is one commit (readers see the old
rows or the new ones, also when it is killed), many processes may read at once, filters
choose before the nearest are looked for, and nothing in its files is code.
`benchmarks/vector_databases.py` has it beside Milvus Lite and Qdrant's local mode. Its
`connect` also speaks to object storage and to LanceDB's own distributed service. Up to
some 50,000 items one exact product with a matrix in memory is as quick as any of them:
the database brings the rest. After Thesis B, section 4.4 and figure 4.6.
"""

from fashionlib.retrieval.search.building import SET_ASIDE, build
from fashionlib.retrieval.search.encoders import Encoder, load_encoder
from fashionlib.retrieval.search.index import FILTERS, Index

__all__ = ["FILTERS", "SET_ASIDE", "Encoder", "Index", "build", "load_encoder"]
