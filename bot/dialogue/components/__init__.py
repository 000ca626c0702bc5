"""Our Rasa graph components; importing this package registers them with Rasa's default recipe."""

from __future__ import annotations

from bot.dialogue import tensorflow_free

tensorflow_free.install()

from bot.dialogue.components.classifier import ActClassifier
from bot.dialogue.components.featurizer import LineFeaturizer
from bot.dialogue.components.rule_policy import IndexedRulePolicy
from bot.dialogue.components.tokenizer import TradeTokenizer
from bot.dialogue.components.values import ValueExtractor

__all__ = ["ActClassifier", "IndexedRulePolicy", "LineFeaturizer", "TradeTokenizer", "ValueExtractor"]
