"""The radiomics engine behind one interface, delta features and the lesion rule."""
