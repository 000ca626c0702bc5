"""The dialogue: Rasa, embedded.  Script versions, training, graph components, the engine."""
