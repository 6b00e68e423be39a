"""The answers of part *Captioning*."""

from __future__ import annotations
