"""How good the detector is: test sets in, figures out."""
