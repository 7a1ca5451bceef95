"""From corpora to a model the detector can load. Needs the ``train`` extra."""
