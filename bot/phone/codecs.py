"""G.711: the two codecs of the telephone network, A-law (China, Europe) and mu-law (North America).

One byte a sample at 8000 Hz, so a 20 ms frame is 160 bytes.  Source: ITU-T G.711.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter(
        "ignore", DeprecationWarning
    )  # audioop leaves Python in 3.13; audioop-lts brings it back
    import audioop


def pcm_to_alaw(pcm: bytes) -> bytes:
    """16-bit PCM as A-law, half as long; half a sample at the end is dropped."""
    return audioop.lin2alaw(pcm[: len(pcm) // 2 * 2], 2)


def alaw_to_pcm(data: bytes) -> bytes:
    """A-law as 16-bit PCM, twice as long."""
    return audioop.alaw2lin(data, 2)


def pcm_to_ulaw(pcm: bytes) -> bytes:
    """16-bit PCM as mu-law, half as long; half a sample at the end is dropped."""
    return audioop.lin2ulaw(pcm[: len(pcm) // 2 * 2], 2)


def ulaw_to_pcm(data: bytes) -> bytes:
    """mu-law as 16-bit PCM, twice as long."""
    return audioop.ulaw2lin(data, 2)
