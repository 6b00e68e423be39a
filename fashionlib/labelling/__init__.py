"""Labels by prompt: ask a vision LLM, read its replies, fill templates, judge the
labels.
"""

from fashionlib.labelling.annotator import Labels, label
from fashionlib.labelling.prompts import Request
from fashionlib.labelling.replies import Reply

__all__ = ["Labels", "Reply", "Request", "label"]
