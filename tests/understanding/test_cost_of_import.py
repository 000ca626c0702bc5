"""The voice process masks and normalises without paying for spaCy's seconds of import."""

from __future__ import annotations

import subprocess
import sys


def test_text_and_masking_need_no_spacy() -> None:
    modules = "acts, normalize, numbers, digits, masking, names"
    code = f"import sys; from bot.understanding import {modules}; print('spacy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
