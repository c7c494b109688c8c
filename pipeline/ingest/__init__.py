"""Reading: cohort folders, images and masks, and everything that can be wrong with them."""
