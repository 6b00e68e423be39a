"""The answers of part *Start, Ledger, and Teach and extend*."""

from __future__ import annotations
