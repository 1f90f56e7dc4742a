"""Floor 5: showing results: offline web maps and the one symbol table. Not for computing them."""
