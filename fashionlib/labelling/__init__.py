"""Labels by prompt: ask a vision LLM, parse its replies, fill templates, judge labels.

After Thesis B, section 3.3: a vision LLM names the garments of a photo and their
attributes, and a template turns these into a caption.
"""

from fashionlib.labelling.labeller import Labels, label
from fashionlib.labelling.prompts import Request
from fashionlib.labelling.replies import Reply

__all__ = ["Labels", "Reply", "Request", "label"]
