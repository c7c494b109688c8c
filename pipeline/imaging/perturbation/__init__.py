"""Small random changes of a scan and a region, by which the stability of features is judged."""
