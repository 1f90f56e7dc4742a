"""Floor 2: files and stores in and out, every row accounted for. Not for judging what the records say (see `checks`)."""
