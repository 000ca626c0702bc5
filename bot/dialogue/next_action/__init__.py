"""Which action comes next: a model trained on dialogues, and one that needs only a flow and its replies."""
