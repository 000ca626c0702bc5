"""Bridges to other vendors' agent assist: their words in, our advice out.  One vendor a file; pure."""
