"""How much of a radiomic feature's variation is the patients', not chance's or the reader's."""
