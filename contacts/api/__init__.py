"""What all our public APIs share: keys, limits, strict bodies, answers that are given once, problems in one form."""
